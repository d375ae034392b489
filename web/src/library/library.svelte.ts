// The images as the library shows them: a list as long as there are images, filled where somebody looks. It stays while other parts of the page are shown.
import { deleteImage, Failure, freshKey, images as list, type Image, type Owner, type Sort } from '../api'
import { t } from '../i18n.svelte'
import { app, complain, reasonOf, tell } from '../state.svelte'

/** What is kept of an image that was selected, which may be out of sight by now. */
export type Picked = Pick<Image, 'id' | 'name' | 'user' | 'tags'>

const size = 100 // of a page of the service's list, the most it gives
const kept = 2000 // images around those in sight

/** Whose images are shown: '' for one's own and, to who is no administrator, what others share. */
export type Whose = '' | Owner
export const library = $state({
  phase: 'loading' as 'loading' | 'ready' | 'failed',
  reason: '',
  keyword: '',
  sort: 'newest' as Sort,
  tag: '', // only what has it
  owner: '' as Whose,
  total: 0, // of the images shown
  above: 0, // uploaded meanwhile, not shown until the top is in sight so that nothing moves
  searching: false,
  tagged: 0, // changes when documents may have other tags
  scroll: 0,
  width: 0,
})
/** A page of the list as it is shown. An administrator has to ask for what is others'. */
const ask = (page: number, signal?: AbortSignal) => {
  const { keyword, sort, tag } = library
  return list({ keyword, sort, tag, owner: owner() }, page, signal)
}
export const owner = (): Whose => library.owner || (app.user?.role === 'admin' ? 'me' : '')
let images = $state.raw(new Map<number, Image>())
let deleting = new Map<number, Picked>() // not shown any more, but still at the service: it can be undone
let sight = { first: 0, last: 1 }
const asking = new Map<number, AbortController>() // by page
let renewing: AbortController | null = null // all that is in sight
let arrangement = 0 // changes when images may have changed their places
let user = 0

export const at = (index: number): Image | undefined => images.get(index)

/** Starts afresh where somebody else signed in; 0: nobody. */
export function belongsTo(id: number) {
  if (id === user) {
    if (id) retry()
    return
  }
  user = id
  waiting.clear()
  rearrange()
  images = new Map()
  deleting = new Map()
  sight = { first: 0, last: 1 }
  Object.assign(library, { phase: 'loading', keyword: '', sort: 'newest', tag: '', owner: '', total: 0, above: 0, scroll: 0 })
  if (id) finishDeletions()
}

/** Forgets what is under way, since places have changed. */
function rearrange() {
  arrangement++
  for (const control of asking.values()) control.abort()
  asking.clear()
  renewing?.abort()
  renewing = null
}

// As the service compares: whatever the letter case and the normal form.
const folded = (s: string) => s.normalize('NFD').toLowerCase().normalize('NFC')
const matches = (i: Picked) => [i.name, i.user.name ?? ''].some((s) => folded(s).includes(folded(library.keyword)))
const withheld = () => [...deleting.values()].filter(matches)

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
/** Whether an image stands before another one in the list. */
function before(a: Picked, b: Picked): boolean {
  if (library.sort === 'newest') return a.id > b.id
  return ((library.sort === 'name' && byName.compare(a.name, b.name)) || a.id - b.id) < 0
}

/** Puts a page of the service's list at its places. An image moves up by those before it that are not shown. */
function place(into: Map<number, Image>, page: number, list: Image[]) {
  const hidden = withheld()
  list.forEach((image, n) => {
    if (deleting.has(image.id)) return
    const index = page * size + n - library.above - hidden.filter((h) => before(h, image)).length
    if (index >= 0) into.set(index, image)
  })
}
function pagesOf(first: number, last: number): number[] {
  const from = Math.floor((first + library.above) / size)
  const to = Math.floor((Math.max(first, last - 1) + library.above + withheld().length) / size)
  return Array.from({ length: to - from + 1 }, (_, n) => from + n)
}

/** Sees to it that the images from first up to last are there. */
export function look(first: number, last: number) {
  sight = { first, last }
  if (library.phase !== 'ready' || renewing) return
  if (first === 0 && library.above) {
    renew()
    return
  }
  const missing = Array.from({ length: Math.min(last, library.total) - first }, (_, n) => first + n).filter((n) => !images.has(n))
  const wanted = new Set(missing.length ? pagesOf(missing[0], missing[missing.length - 1] + 1) : [])
  for (const [page, control] of asking)
    if (!wanted.has(page)) {
      control.abort()
      asking.delete(page)
    }
  for (const page of wanted) if (!asking.has(page)) fill(page)
}

async function fill(page: number) {
  const control = new AbortController()
  const then = arrangement
  asking.set(page, control)
  try {
    const got = await ask(page, control.signal)
    if (then !== arrangement) return
    if (got.total !== library.total + library.above + withheld().length) {
      renew()
      return
    } // somebody else added or deleted some
    const next = new Map(images)
    place(next, page, got.images)
    if (next.size > kept) for (const n of next.keys()) if (n < sight.first - kept / 2 || n > sight.last + kept / 2) next.delete(n)
    images = next
  } catch (e) {
    if (!control.signal.aborted) complain(e)
  } finally {
    if (asking.get(page) === control) asking.delete(page)
  }
}

/** Gets what is in sight anew, and shows what was there until then. */
export async function renew() {
  rearrange()
  const control = (renewing = new AbortController())
  const from = sight.first
  try {
    if (from === 0) library.above = 0
    const got = await Promise.all(pagesOf(from, sight.last).map(async (page) => ({ page, ...(await ask(page, control.signal)) })))
    if (control.signal.aborted) return
    const next = new Map<number, Image>()
    for (const { page, images } of got) place(next, page, images)
    images = next
    library.total = Math.max(0, got[0].total - library.above - withheld().length)
    library.phase = 'ready'
    library.searching = false
    renewing = null
    look(sight.first, sight.last)
  } catch (e) {
    if (control.signal.aborted) return
    renewing = null
    library.searching = false
    if (library.phase === 'ready') {
      complain(e)
      return
    }
    library.phase = 'failed'
    library.reason = reasonOf(e)
    if (e instanceof Failure && e.status === 0) complain(e)
  }
}

/** Which images are listed, and in which order. */
export type List = Pick<typeof library, 'keyword' | 'sort' | 'owner' | 'tag'>
/** Lists other images, or in another order. */
export function search(to: List) {
  Object.assign(library, { ...to, above: 0, searching: true })
  sight = { first: 0, last: sight.last - sight.first }
  renew()
}

/** Shows an image that was uploaded. */
export function add(image: Image) {
  if (renewing || library.sort !== 'newest' || library.tag) {
    renew()
    return
  } // it comes with the rest
  if (library.phase !== 'ready' || !matches(image) || [...images.values()].some((i) => i.id === image.id)) return
  rearrange()
  if (sight.first > 0) library.above++
  else {
    images = new Map([[0, image], ...[...images].map(([n, i]): [number, Image] => [n + 1, i])])
    library.total++
  }
  look(sight.first, sight.last)
}
export function replace(image: Partial<Image>) {
  images = new Map([...images].map(([n, i]) => [n, i.id === image.id ? { ...i, ...image } : i]))
}

/** The images from first up to last, wherever they are, a few pages at a time. */
export async function between(first: number, last: number, signal: AbortSignal, progress: (n: number) => void): Promise<Image[]> {
  const found = new Map<number, Image>()
  for (let n = first; n < last; n++) {
    const image = images.get(n)
    if (image) found.set(n, image)
  }
  const pages = found.size === last - first ? [] : pagesOf(first, last)
  for (let n = 0; n < pages.length; n += 4) {
    const got = await Promise.all(pages.slice(n, n + 4).map(async (page) => ({ page, ...(await ask(page, signal)) })))
    for (const { page, images } of got) place(found, page, images)
    progress(found.size)
  }
  return [...found]
    .filter(([n]) => n >= first && n < last)
    .sort(([a], [b]) => a - b)
    .map(([, image]) => image)
}

/** The image after another one in the library, or before it; null where there is none, or where it is too far down. */
export async function neighbour(id: number, by: 1 | -1): Promise<Image | null> {
  for (let n = 0; n < 20; n++) {
    const index = [...images].find(([, i]) => i.id === id)?.[0]
    if (index === undefined) {
      const { images: list, total } = await ask(n)
      if (library.phase !== 'ready') Object.assign(library, { phase: 'ready', total })
      const next = new Map(images)
      place(next, n, list)
      images = next
      if (list.length < size && !list.some((i) => i.id === id)) return null
      continue
    }
    const at = index + by
    if (at < 0 || at >= library.total) return null
    if (!images.has(at)) {
      const next = new Map(images)
      for (const page of pagesOf(at, at + 1)) place(next, page, (await ask(page)).images)
      images = next
    }
    return images.get(at) ?? null
  }
  return null
}

// A deletion waits until it can no longer be undone, or the page is left: it was said to be deleted. What waits is noted in the browser, so that
// what could not be done while the page closed is done when it opens again.
type Note = { ids: number[]; time: number } // when it was asked for; 0: it is final
const journal = () => `deleting:${user}`
const notes = (): Record<string, Note> => JSON.parse(localStorage.getItem(journal()) ?? '{}')
function note(key: string, n: Note | null) {
  const all = notes()
  if (n) all[key] = n
  else delete all[key]
  if (Object.keys(all).length) localStorage.setItem(journal(), JSON.stringify(all))
  else localStorage.removeItem(journal())
}

/** Deletes one image; that it is gone already is fine. */
export async function gone(id: number) {
  try {
    await deleteImage(id)
  } catch (e) {
    if (!(e instanceof Failure && e.status === 404)) throw e
  }
}

const undoable = new Set<() => Promise<void>>() // deletions that wait to be final
const waiting = new Set<() => void>() // deletions that failed for now: the service is away

/** Deletes images unless it is undone in time. */
export function remove(list: Picked[]) {
  const ids = list.map((i) => i.id)
  const shown = list.filter(matches)
  const owner = user
  const key = freshKey()
  const anew = renewing !== null
  rearrange()
  images = new Map([...images].filter(([, i]) => !ids.includes(i.id)).map(([n, i]) => [n - shown.filter((s) => before(s, i)).length, i]))
  library.total -= shown.length
  for (const i of list) deleting.set(i.id, i)
  note(key, { ids, time: Date.now() })
  if (anew) renew()
  else look(sight.first, sight.last)

  const settled = () => {
    for (const id of ids) deleting.delete(id)
    note(key, null)
  }
  const now = async () => {
    undoable.delete(now)
    close()
    if (owner !== user) return // it is done when they come back
    note(key, { ids, time: 0 })
    // All at once, since the page may be closing.
    const failed = (await Promise.allSettled(ids.map(gone))).find((d) => d.status === 'rejected')?.reason
    if (failed instanceof Failure && failed.status === 0) {
      waiting.add(now)
      complain(failed)
      return
    }
    settled()
    if (failed) {
      complain(failed)
      renew()
    }
  }
  undoable.add(now)
  const undo = () => {
    undoable.delete(now)
    settled()
    renew()
  }
  const [{ name }] = list
  const said = list.length > 1 ? t('“{name}” and {n} more deleted', { name, n: list.length - 1 }) : t('“{name}” deleted', { name })
  const close = tell(said, { label: t('Undo'), run: undo }, now)
}

/** Makes final what could still be undone. */
export const settle = () => Promise.all([...undoable].map((now) => now()))
addEventListener('pagehide', settle)

function retry() {
  for (const now of waiting) {
    waiting.delete(now)
    now()
  }
  renew()
}
addEventListener('glyphbox-back', () => {
  if (user) retry()
})

/** Does what may not have been done before the page was closed. What is not final may be another tab's, unless it is old. */
function finishDeletions() {
  for (const [key, { ids, time }] of Object.entries(notes())) {
    if (Date.now() - time > 60_000)
      Promise.all(ids.map(gone)).then(() => {
        note(key, null)
        renew()
      }, complain)
  }
}
