// Corrections that were typed and not saved yet. They are kept in this browser, so that neither a reload nor the end of a session loses them.
export type Unsaved = { text: string; revision: number } // and the revision of the content that it was typed over

const prefix = 'correction:'
const read = (key: string): Unsaved | null => {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}

const kept = $state<Record<string, Unsaved>>({})
for (const key of Object.keys(localStorage)) {
  const u = key.startsWith(prefix) ? read(key) : null
  if (u) kept[key.slice(prefix.length)] = u
}

export const unsaved = (content: string): Unsaved | undefined => kept[content]
export function keep(content: string, u: Unsaved) {
  kept[content] = u
  try {
    localStorage.setItem(prefix + content, JSON.stringify(u))
  } catch {
    /* there is no room: it is still here until the page is left */
  }
}
export function drop(content: string) {
  delete kept[content]
  localStorage.removeItem(prefix + content)
}
