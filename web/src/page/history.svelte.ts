// What was done to a page, and what was undone, as the steps that take it back. They are kept for the tab.
import type { Box, Change } from '../api'

/** present: contents that are to be there, or to be deleted. set: what contents are to have, and the revisions that they have until then. */
export type Step =
  { kind: 'present'; ids: string[]; present: boolean } | { kind: 'set'; to: Record<string, Change>; seen?: Record<string, number> }

const most = 100

export class History {
  past = $state.raw<Step[]>([])
  future = $state.raw<Step[]>([])

  constructor(readonly place: string) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(place) ?? '{}')
      this.past = kept.past ?? []
      this.future = kept.future ?? []
    } catch {
      /* then there is nothing */
    }
  }
  did(step: Step) {
    this.past = [...this.past.slice(1 - most), step]
    this.future = []
    this.#keep()
  }
  /** A step was taken; back takes it back. */
  passed(from: 'past' | 'future', back: Step) {
    const seen = back.kind === 'set' ? back.seen : undefined
    this[from] = noted(this[from].slice(0, -1), seen)
    const to = from === 'past' ? 'future' : 'past'
    this[to] = [...noted(this[to], seen), back]
    this.#keep()
  }
  /** The last step cannot be taken. */
  lose(from: 'past' | 'future') {
    this[from] = this[from].slice(0, -1)
    this.#keep()
  }
  /** Leaves a content out of all steps. */
  forget(id: string) {
    const without = (list: Step[]) =>
      list.flatMap((s): Step[] => {
        if (s.kind === 'present') {
          const ids = s.ids.filter((x) => x !== id)
          return ids.length ? [{ ...s, ids }] : []
        }
        const { [id]: _, ...to } = s.to
        return Object.keys(to).length ? [{ ...s, to }] : []
      })
    this.past = without(this.past)
    this.future = without(this.future)
    this.#keep()
  }
  /** The page was turned: boxes of the steps lie elsewhere. */
  turn(box: (b: Box) => Box) {
    const turned = (list: Step[]) =>
      list.map((s): Step =>
        s.kind === 'present'
          ? s
          : { ...s, to: Object.fromEntries(Object.entries(s.to).map(([id, c]) => [id, c.roi ? { ...c, roi: box(c.roi) } : c])) },
      )
    this.past = turned(this.past)
    this.future = turned(this.future)
    this.#keep()
  }
  #keep() {
    try {
      sessionStorage.setItem(this.place, JSON.stringify({ past: this.past, future: this.future }))
    } catch {
      /* there is no room: it is still here until the page is left */
    }
  }
}

/** Steps below one that was taken: what they find is the revision that it made. */
function noted(list: Step[], seen: Record<string, number> | undefined): Step[] {
  if (!seen) return list
  const left = new Set(Object.keys(seen))
  const next = [...list]
  for (let n = next.length - 1; n >= 0 && left.size; n--) {
    const s = next[n]
    if (s.kind !== 'set') continue
    const here = Object.keys(s.to).filter((id) => left.has(id))
    if (here.length === 0) continue
    next[n] = { ...s, seen: { ...s.seen, ...Object.fromEntries(here.map((id) => [id, seen[id]])) } }
    for (const id of here) left.delete(id)
  }
  return next
}
