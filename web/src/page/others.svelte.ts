// Others who have the page open, and what they change of it.
import { follow } from '../api'
import { app } from '../state.svelte'

/** A content that changed, or a run where there is no id; version 0: anything may have changed. */
export type Happened = { content_id?: string; version: number; revision?: number; deleted?: boolean }

const longest = 300 // milliseconds for which the stream is waited for; where a proxy holds it back, the page does without

export class Others {
  names = $state.raw<string[]>([])
  #news: Happened[] = []
  #telling = false
  #control: AbortController | null = null

  /** tell takes up what happened, some at a time; stands how far the page is turned. */
  constructor(
    readonly id: number,
    readonly tell: (news: Happened[]) => Promise<void>,
    readonly stands: (rotation: number) => void,
  ) {}

  /** Follows the image from now on. What is got after this has what happened before, and the rest is told. */
  watch(): Promise<unknown> {
    if (this.#control) return Promise.resolve()
    const { signal } = (this.#control = new AbortController())
    return new Promise((open) => {
      setTimeout(open, longest)
      follow(`/image/${this.id}/events`, signal, ({ event, data }) => {
        open(null)
        const it = JSON.parse(data)
        if (event === 'image') this.stands(it.rotation)
        else if (event !== 'presence') this.#happened(it)
        else this.names = it.users.filter((name: string) => name !== app.user?.name)
      })
        .catch(() => {}) // it is gone, or too many are open: whatever is done next says so
        .finally(() => open(null))
    })
  }
  leave() {
    this.#control?.abort()
    this.#control = null
    this.names = []
  }
  async #happened(it: Happened) {
    this.#news.push(it)
    if (this.#telling) return
    this.#telling = true
    while (this.#news.length) await this.tell(this.#news.splice(0)).catch(() => {})
    this.#telling = false
  }
}
