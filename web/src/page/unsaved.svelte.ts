// What was done and not saved yet: corrections that are being typed, changes that the server has not answered, and regions that have yet to be
// read. It is kept in this browser for who did it, so that neither a reload nor the end of a session nor a closed tab loses it.
import { freshKey, type Asked, type Change } from '../api'
import type { Region } from './carry'
import { app } from '../state.svelte'

export type Unsaved = { text: string; revision: number } // and the revision of the content that it was typed over

const prefix = 'correction:'
const place = (content: string) => `${prefix}${app.user?.id}:${content}`
function read<T>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null')
  } catch {
    return null
  }
}
function write(key: string, value: unknown) {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    /* there is no room: it is still here until the page is left */
  }
}

const kept = $state<Record<string, Unsaved>>({}) // by place
for (const key of Object.keys(localStorage)) {
  const u = key.startsWith(prefix) ? read<Unsaved>(key) : null
  if (u) kept[key] = u
}

export const unsaved = (content: string): Unsaved | undefined => kept[place(content)]
export function keep(content: string, u: Unsaved) {
  kept[place(content)] = u
  write(place(content), u)
}
export function drop(content: string) {
  delete kept[place(content)]
  localStorage.removeItem(place(content))
}

/** A change of a content that had that revision; null deletes it. */
export type Unanswered = { content: string; revision: number; to: Change | null }

/** The changes of a page that wait for their answers, by the order in which they were made. */
export class Queue {
  #prefix: string
  #mine = new Map<string, Unanswered>() // made here, by place
  #serial = 0

  constructor(image: number) {
    this.#prefix = `change:${app.user?.id}:${image}:`
  }
  put(u: Unanswered): Unanswered {
    const key = `${this.#prefix}${Date.now()}-${String(++this.#serial).padStart(6, '0')}`
    this.#mine.set(key, u)
    write(key, u)
    return u
  }
  /** Keeps what a change has become. */
  rewrite(u: Unanswered) {
    for (const [key, mine] of this.#mine) if (mine === u) write(key, u)
  }
  /** A change was answered; later ones to the same revision of the content are to the next one. */
  done(u: Unanswered, revision: number) {
    for (const [key, mine] of this.#mine) {
      if (mine === u) {
        this.#mine.delete(key)
        localStorage.removeItem(key)
      } else if (mine.content === u.content && mine.revision === u.revision && revision) {
        mine.revision = revision
        write(key, mine)
      }
    }
  }
  /** Takes up what was not answered before the page was left. */
  left(): Unanswered[] {
    const keys = Object.keys(localStorage).filter((k) => k.startsWith(this.#prefix) && !this.#mine.has(k))
    return keys.sort().flatMap((key) => {
      const u = read<Unanswered>(key)
      if (u) this.#mine.set(key, u)
      return u ?? []
    })
  }
}

/** A region that has yet to be read, on the page as it was turned, and the revision of its content; 0: it has none. */
export type Waiting = { region: Region; rotation: number; revision: number }
/**
 * A request to read regions: into a version or, with 0, as a new one, which gets texts of the version from; newest: the version that was
 * the newest. unwanted: keys of regions that were deleted since.
 */
export type Sent = {
  once: string
  at: number
  into: number
  newest: number
  list: Region[]
  revisions: Record<string, number> // of contents that are read again
  from: number
  texts: 'corrected' | 'all'
  how: Asked
  rotation: number
  unwanted: string[]
}

/** What of a page has yet to be read, and the requests for it. It is the tab's that is at it, until that is gone. */
export class Unread {
  readonly tab = freshKey()
  #page: string
  #gone = new AbortController()
  #leave: () => void = () => {}
  #written = new Map<string, string>()
  #sent = new Set<Sent>()
  #others = new Set<string>() // tabs whose end is waited for

  constructor(image: number) {
    this.#page = `unread:${app.user?.id}:${image}:`
    navigator.locks?.request(this.#page + this.tab, () => new Promise<void>((go) => (this.#leave = go)))
  }
  #place = (what: string) => `${this.#page}${this.tab}:${what}`
  /** Keeps these and no others. */
  mirror(list: Waiting[]) {
    const now = new Map(list.map((w) => [this.#place('region:' + w.region.key), JSON.stringify(w)]))
    for (const key of this.#written.keys()) if (!now.has(key)) localStorage.removeItem(key)
    for (const [key, text] of now) if (this.#written.get(key) !== text) write(key, JSON.parse(text))
    this.#written = now
  }
  sending(s: Omit<Sent, 'once' | 'at' | 'unwanted'>): Sent {
    const sent = { ...s, once: freshKey(), at: Date.now(), unwanted: [] }
    this.#keep(sent)
    return sent
  }
  #keep(s: Sent) {
    this.#sent.add(s)
    write(this.#place('sent:' + s.once), s)
  }
  answered(s: Sent) {
    this.#sent.delete(s)
    localStorage.removeItem(this.#place('sent:' + s.once))
  }
  /** Requests for regions of which no answer has come. */
  unanswered = (keys: Set<string>) => [...this.#sent].filter((s) => s.list.some((r) => keys.has(r.key)))
  /** Notes that a region is deleted, or not, when the answer comes; returns whether one is to come. */
  unwanted(key: string, on: boolean): boolean {
    const all = this.unanswered(new Set([key]))
    for (const s of all) {
      s.unwanted = [...s.unwanted.filter((k) => k !== key), ...(on ? [key] : [])]
      this.#keep(s)
    }
    return all.length > 0
  }
  /** Takes over what other tabs have left, once they are gone; without locks, which browsers have where the connection is safe, at once. */
  left(found: (what: [Waiting[], Sent[]]) => void) {
    const keys = Object.keys(localStorage).filter((k) => k.startsWith(this.#page))
    for (const tab of new Set(keys.map((k) => k.slice(this.#page.length).split(':')[0]))) {
      if (tab === this.tab || this.#others.has(tab)) continue
      this.#others.add(tab)
      const take = () => {
        this.#others.delete(tab)
        if (this.#gone.signal.aborted) return
        const what = this.#of(tab)
        if (what[0].length + what[1].length) found(what)
      }
      if (!navigator.locks) take()
      else navigator.locks.request(this.#page + tab, { signal: this.#gone.signal }, take).catch(() => {})
    }
  }
  #of(tab: string): [Waiting[], Sent[]] {
    const prefix = `${this.#page}${tab}:`
    const keys = Object.keys(localStorage).filter((k) => k.startsWith(prefix))
    const all = <T>(kind: string) => keys.filter((k) => k.startsWith(prefix + kind)).flatMap((k) => read<T>(k) ?? [])
    const list = all<Waiting>('region:')
    const sent = all<Sent>('sent:')
    for (const s of sent) this.#keep(s)
    this.mirror([...[...this.#written.values()].map((w) => JSON.parse(w) as Waiting), ...list])
    for (const key of keys) localStorage.removeItem(key)
    const serial = (w: Waiting) => Number(w.region.key.split('-').at(-1))
    return [list.sort((a, b) => serial(a) - serial(b)), sent.sort((a, b) => a.at - b.at)]
  }
  /** The page is left; another tab may go on with what is not read when this has ended. */
  leave(done: Promise<unknown>) {
    this.#gone.abort()
    done.finally(() => this.#leave())
  }
}
