// The pages of a document, fetched where somebody looks. The last document stays while one goes from page to page.
import { pagesOf, type Image } from '../api'
import { complain } from '../state.svelte'

const size = 100 // of what the service gives at once

export class Leaves {
  pages = $state.raw(new Map<number, Image>()) // by number, from 1
  #asked = new Set<number>()
  scroll = 0

  constructor(readonly document: number) {}

  /** Sees to it that the pages of these numbers are there. */
  async look(first: number, last: number) {
    const blocks: Promise<void>[] = []
    for (let block = Math.floor((first - 1) / size); block <= Math.floor((last - 1) / size); block++)
      if (!this.#asked.has(block)) blocks.push(this.#fill(block))
    await Promise.all(blocks)
  }
  async #fill(block: number) {
    this.#asked.add(block)
    try {
      const list = await pagesOf(this.document, block)
      this.pages = new Map([...this.pages, ...list.map((i): [number, Image] => [i.page, i])])
    } catch (e) {
      this.#asked.delete(block)
      complain(e)
    }
  }
  /** The image of a page; undefined where it could not be had. */
  async page(n: number): Promise<Image | undefined> {
    await this.look(n, n)
    return this.pages.get(n)
  }
  /** Takes a page as it is now. */
  put(page: Image) {
    this.pages = new Map([...this.pages, [page.page, { ...this.pages.get(page.page), ...page }]])
  }
  /** Notes that a page has been read. */
  read(n: number) {
    const page = this.pages.get(n)
    if (page && !page.read) this.put({ ...page, read: 1 })
  }
}

let last: Leaves | null = null
/** Notes that an image has been read, where it is a page of the document that was looked at last. */
export function wasRead(image: number) {
  for (const p of last?.pages.values() ?? []) if (p.id === image) last!.read(p.page)
}
/** The pages of a document. */
export function leavesOf(document: number): Leaves {
  if (last?.document !== document) last = new Leaves(document)
  return last
}
