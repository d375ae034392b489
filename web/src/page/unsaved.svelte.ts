// What was done and not saved yet: corrections that are being typed, and changes that the server has not answered. It is kept in this
// browser for who did it, so that neither a reload nor the end of a session nor a closed tab loses it.
import type { Change } from '../api'
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
