// Which pieces of a page have to be there for it to be sharp. A whole page in one small rendition lies beneath; above it come tiles, whose
// level says how often their side was halved: level 0 has every pixel of the page.
import type { Box } from '../api'
import type { Size } from './geometry'

export type Tile = { key: string; level: number; box: Box; width: number }

const side = 1024 // pixels of a tile
const baseSide = 2048
const leastWidth = 16 // that the service renders

/** How wide the rendition of the whole page is. */
export function baseWidth(page: Size): number {
  return Math.max(leastWidth, Math.round(page.width * Math.min(1, baseSide / Math.max(page.width, page.height))))
}

/** The coarsest level that has that many pixels for each one of the page, or all there are; -1 where the whole page in one is enough. */
export function levelFor(page: Size, need: number): number {
  if (Math.min(need, 1) <= Math.min(1, baseWidth(page) / page.width) + 1e-6) return -1
  return Math.max(0, Math.floor(-Math.log2(need) + 1e-6))
}

/** The tiles of a level that are in sight, those in the middle first. */
export function tilesIn(page: Size, level: number, sight: Box): Tile[] {
  if (level < 0) return []
  const step = side * 2 ** level
  const first = (v: number) => Math.max(0, Math.floor(v / step))
  const last = (v: number, length: number) => Math.min(Math.ceil(length / step), Math.ceil(v / step))
  const tiles: Tile[] = []
  for (let row = first(sight.y1); row < last(sight.y2, page.height); row++)
    for (let column = first(sight.x1); column < last(sight.x2, page.width); column++) {
      const box = {
        x1: column * step,
        y1: row * step,
        x2: Math.min((column + 1) * step, page.width),
        y2: Math.min((row + 1) * step, page.height),
      }
      tiles.push({ key: `${level}/${row}/${column}`, level, box, width: Math.max(leastWidth, Math.ceil((box.x2 - box.x1) / 2 ** level)) })
    }
  const away = ({ box }: Tile) => Math.hypot(box.x1 + box.x2 - sight.x1 - sight.x2, box.y1 + box.y2 - sight.y1 - sight.y2)
  return tiles.sort((a, b) => away(a) - away(b))
}
