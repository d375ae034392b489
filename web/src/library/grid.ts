// A grid of equal cells as long as there are things to show, of which only those in sight are in the page.

export const gap = 20
export const footing = 104 // of a cell, for name and details
const narrowest = 180

/** What browsers can lay out has an end, in Firefox at 17.9 million pixels. A longer grid is squeezed into this height. */
const tallest = 15_000_000

export type Grid = { columns: number; rows: number; rowHeight: number; height: number }

export function arrange(width: number, total: number): Grid {
  const columns = Math.max(2, Math.floor((width + gap) / (narrowest + gap)))
  const rowHeight = Math.round((width - (columns - 1) * gap) / columns) + footing + gap
  const rows = Math.ceil(total / columns)
  return { columns, rows, rowHeight, height: Math.min(rows * rowHeight, tallest) }
}

/** How far a squeezed grid moves for each pixel that is scrolled; 1 where it is not squeezed. */
function squeeze(g: Grid, sight: number): number {
  return g.height > sight ? Math.max(1, (g.rows * g.rowHeight - sight) / (g.height - sight)) : 1
}

/** The rows in sight, and a few around them, when scrolled that far into the grid; shift is what to add to the place of a row. */
export function sightOf(g: Grid, scrolled: number, sight: number, around = 2): { first: number; last: number; shift: number } {
  const at = Math.max(0, Math.min(scrolled, g.height - sight))
  const top = at * squeeze(g, sight) + (scrolled - at)
  return {
    first: Math.max(0, Math.min(g.rows, Math.floor(top / g.rowHeight) - around)),
    last: Math.max(0, Math.min(g.rows, Math.ceil((top + sight) / g.rowHeight) + around)),
    shift: scrolled - top,
  }
}

/** How far to scroll so that a row is in sight, no further than needed; cover is what lies over the top of the sight. */
export function scrollTo(g: Grid, row: number, scrolled: number, sight: number, cover: number): number {
  const { shift } = sightOf(g, scrolled, sight)
  const top = row * g.rowHeight + shift
  const factor = squeeze(g, sight)
  if (top < scrolled + cover) return scrolled - (scrolled + cover - top) / factor
  const below = top + g.rowHeight - (scrolled + sight)
  return below > 0 ? scrolled + below / factor : scrolled
}

/**
 * A name that fits: as it is, or with as little as possible of its middle taken out. Its end, with what comes last before the dot, stays
 * longest. Where it first differs from names beside it, it is not cut; then it may be cut on both sides of that.
 */
export function elided(name: string, fits: (s: string) => boolean, beside: string[] = []): string {
  if (fits(name)) return name
  const letters = [...name]
  const all = letters.length
  const telling = beside
    .filter((other) => other !== name)
    .map((other) => {
      const o = [...other]
      const i = letters.findIndex((c, i) => c !== o[i])
      return i < 0 ? all - 1 : i
    })
  const end = all - [...(/\.[^.]{1,5}$/.exec(name)?.[0] ?? '')].length
  const part = (from: number, to: number) =>
    (from > 0 ? '…' : '') + letters.slice(from, to).join('') + (to < end ? '…' : '') + letters.slice(Math.max(to, end)).join('')
  const cut = (kept: number) => {
    const half = kept - Math.ceil(kept / 2)
    const keeps = (head: number) => telling.every((i) => i < head || i >= all - kept + head)
    const head = [half, ...Array.from({ length: kept - 1 }, (_, i) => i + 1)].find(keeps)
    if (head) return letters.slice(0, head).join('') + '…' + letters.slice(all - kept + head).join('')
    const middle = Math.max(1, kept - (all - end))
    const from = Math.min(Math.max(0, telling[0] - Math.floor(middle / 2)), end - middle)
    return part(from, from + middle)
  }
  let low = 2
  let high = all - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(cut(middle))) low = middle
    else high = middle - 1
  }
  return cut(low)
}
