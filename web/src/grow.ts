import { tick } from 'svelte'

/** Loads more of a list. If the focus was on a button that is gone after that, it goes to the first entry that came. */
export async function grow(list: Element, load: () => Promise<unknown>) {
  const button = document.activeElement
  const known = new Set(list.children)
  await load()
  await tick()
  if (button?.isConnected || !document.activeElement?.matches('body, dialog')) return
  const entry = ([...list.children].find((e) => !known.has(e)) ?? list.lastElementChild) as HTMLElement | null
  const inside = entry?.matches('a, button') ? entry : entry?.querySelector<HTMLElement>('a, button, select')
  if (!inside && entry) entry.tabIndex = -1
  ;(inside ?? entry)?.focus()
}
