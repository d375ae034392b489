// Regions that were copied, for this page and others, also in other tabs of this browser.
import type { Own, Region } from './carry'
import { carried, sameBox, type Size } from './geometry'
import type { Box, Order } from '../api'
import { app } from '../state.svelte'

type Copied = { page: Size; regions: (Own & { box: Box; name: string })[] }
const place = () => `copied regions:${app.user?.id}`

export function copyRegions(regions: Region[], page: Size) {
  const copied: Copied = {
    page: { width: page.width, height: page.height },
    regions: regions.map(({ box, name, lang, psm, rotate, effort, charset }) => ({ box, name, lang, psm, rotate, effort, charset })),
  }
  localStorage.setItem(place(), JSON.stringify(copied))
}

function copied(): Copied | null {
  try {
    return JSON.parse(localStorage.getItem(place()) ?? 'null')
  } catch {
    return null
  }
}
export const copiedCount = () => copied()?.regions.length ?? 0
/** What was copied, to be read on pages of the same form and resolution. */
export const copiedOrders = () => copied()?.regions.map((r) => orderOf(r)) ?? []

/** A region as the service takes it. */
export function orderOf(r: Own & { box: Box; name: string }, content?: string): Order {
  const number = (v: string | null) => (v === null || v === 'auto' ? (v ?? undefined) : Number(v))
  return {
    ...r.box,
    content,
    name: r.name || undefined,
    lang: r.lang ?? undefined,
    charset: r.charset || undefined,
    psm: number(r.psm) as Order['psm'],
    rotate: number(r.rotate) as Order['rotate'],
    effort: r.effort ?? undefined,
  }
}

/** What was copied, at its place on a page; what is at the very place of one that is there already is moved below it. */
export function copiedFor(page: Size, there: Box[]): Copied['regions'] {
  const all = copied()
  return (all?.regions ?? []).flatMap((r) => {
    let box = carried(r.box, all!.page, page)
    if (!box) return []
    if (there.some((b) => sameBox(b, box!))) {
      const high = box.y2 - box.y1
      const down = box.y2 + high <= page.height ? high : box.y1 >= high ? -high : 0
      box = { ...box, y1: box.y1 + down, y2: box.y2 + down }
    }
    return [{ ...r, box }]
  })
}
