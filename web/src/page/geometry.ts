// Boxes in whole pixels of the page: x1, y1 lie inside, x2, y2 just outside.
import type { Box } from '../api'

export type Size = { width: number; height: number }
export type Handle = 'nw' | 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w'
export const handles: Handle[] = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w']

const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high)

/** The box with these opposite corners, on the page, at least one pixel wide and high. */
export function boxOf(ax: number, ay: number, bx: number, by: number, page: Size): Box {
  const x1 = clamp(Math.floor(Math.min(ax, bx)), 0, page.width - 1)
  const y1 = clamp(Math.floor(Math.min(ay, by)), 0, page.height - 1)
  return { x1, y1, x2: clamp(Math.ceil(Math.max(ax, bx)), x1 + 1, page.width), y2: clamp(Math.ceil(Math.max(ay, by)), y1 + 1, page.height) }
}

/** The box moved as far as the page allows; its size stays. */
export function moved(b: Box, dx: number, dy: number, page: Size): Box {
  const x = clamp(Math.round(dx), -b.x1, page.width - b.x2)
  const y = clamp(Math.round(dy), -b.y1, page.height - b.y2)
  return { x1: b.x1 + x, y1: b.y1 + y, x2: b.x2 + x, y2: b.y2 + y }
}

/** The box with an edge or corner pulled; pulled beyond the other side it turns over. */
export function resized(b: Box, handle: Handle, dx: number, dy: number, page: Size): Box {
  return boxOf(
    b.x1 + (handle.includes('w') ? dx : 0),
    b.y1 + (handle.includes('n') ? dy : 0),
    b.x2 + (handle.includes('e') ? dx : 0),
    b.y2 + (handle.includes('s') ? dy : 0),
    page,
  )
}

export const sameBox = (a: Box, b: Box) => a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2
/** How much of both boxes is in both, 0–1. */
export function overlap(a: Box, b: Box): number {
  const both = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1)) * Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1))
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both)
}
export const touches = (a: Box, b: Box) => a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2

export type Edge = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom'

/** The boxes moved so that they have that edge or middle line in common: that of all of them together. */
export function aligned(boxes: Map<string, Box>, edge: Edge): Map<string, Box> {
  const all = around([...boxes.values()])
  const to = (b: Box): [number, number] => {
    if (edge === 'left') return [all.x1 - b.x1, 0]
    if (edge === 'right') return [all.x2 - b.x2, 0]
    if (edge === 'center') return [Math.round((all.x1 + all.x2 - b.x1 - b.x2) / 2), 0]
    if (edge === 'top') return [0, all.y1 - b.y1]
    if (edge === 'bottom') return [0, all.y2 - b.y2]
    return [0, Math.round((all.y1 + all.y2 - b.y1 - b.y2) / 2)]
  }
  return new Map([...boxes].map(([key, b]) => [key, by(b, ...to(b))]))
}
/** The boxes moved so that the gaps between them are the same; the first and the last one stay. */
export function distributed(boxes: Map<string, Box>, along: 'x' | 'y'): Map<string, Box> {
  const [low, high] = along === 'x' ? (['x1', 'x2'] as const) : (['y1', 'y2'] as const)
  const sorted = [...boxes].sort(([, a], [, b]) => a[low] + a[high] - b[low] - b[high])
  const filled = sorted.reduce((sum, [, b]) => sum + b[high] - b[low], 0)
  const last = sorted.at(-1)![1]
  const gap = (last[high] - sorted[0][1][low] - filled) / (sorted.length - 1)
  let at = sorted[0][1][low]
  const put = new Map(
    sorted.map(([key, b]): [string, Box] => {
      const step = Math.round(at) - b[low]
      at += b[high] - b[low] + gap
      return [key, along === 'x' ? by(b, step, 0) : by(b, 0, step)]
    }),
  )
  return new Map([...boxes.keys()].map((key) => [key, put.get(key)!]))
}
const by = (b: Box, x: number, y: number): Box => ({ x1: b.x1 + x, y1: b.y1 + y, x2: b.x2 + x, y2: b.y2 + y })
/** The smallest box that has all of these in it. */
export const around = (boxes: Box[]): Box => ({
  x1: Math.min(...boxes.map((b) => b.x1)),
  y1: Math.min(...boxes.map((b) => b.y1)),
  x2: Math.max(...boxes.map((b) => b.x2)),
  y2: Math.max(...boxes.map((b) => b.y2)),
})
/** The box of one page at its place on another one, which may be the same form at another resolution; null where that page ends before it. */
export function carried(b: Box, from: Size, to: Size): Box | null {
  const scale = to.width / from.width
  const at = { x1: b.x1 * scale, y1: b.y1 * scale, x2: b.x2 * scale, y2: b.y2 * scale }
  if (at.y1 >= to.height) return null
  return boxOf(Math.round(at.x1), Math.round(at.y1), Math.round(at.x2), Math.round(at.y2), to)
}
/** The box after its page was turned by 90° clockwise; page: as it was before. */
export const turned = (b: Box, page: Size): Box => ({ x1: page.height - b.y2, y1: b.x1, x2: page.height - b.y1, y2: b.x2 })

/** How a page lies in a window: a point p of the page is at p × scale + x or y. */
export type View = { scale: number; x: number; y: number }

/** The view of all of a page, with a margin around it and more of it below, where the tools are. */
export function fit(page: Size, window: Size, margin: number, below: number): View {
  const high = window.height - margin - below
  const scale = Math.max(0.005, Math.min((window.width - 2 * margin) / page.width, high / page.height, 4))
  return { scale, x: (window.width - page.width * scale) / 2, y: margin + (high - page.height * scale) / 2 }
}

/** The view at another scale, in which the point of the window at cx, cy shows what it did. */
export function zoomed(v: View, factor: number, cx: number, cy: number): View {
  const scale = clamp(v.scale * factor, 0.005, 16)
  return { scale, x: cx - ((cx - v.x) * scale) / v.scale, y: cy - ((cy - v.y) * scale) / v.scale }
}

/** The view moved by as little as puts a box inside the window, with a margin around it and another one below; one that is too large is put in the middle. */
export function inSight(v: View, b: Box, window: Size, margin: number, below: number): View {
  const put = (from: number, to: number, low: number, high: number) =>
    to - from > high - low ? (low + high - from - to) / 2 : from < low ? low - from : to > high ? high - to : 0
  return {
    scale: v.scale,
    x: v.x + put(b.x1 * v.scale + v.x, b.x2 * v.scale + v.x, margin, window.width - margin),
    y: v.y + put(b.y1 * v.scale + v.y, b.y2 * v.scale + v.y, margin, window.height - below),
  }
}

/** The view that shows a box close up in the middle of the window, no closer than four pixels of the screen for one of the page. */
export function closeUp(b: Box, window: Size, margin: number, below: number): View {
  const high = window.height - margin - below
  const scale = clamp(Math.min((window.width - 2 * margin) / (b.x2 - b.x1), high / (b.y2 - b.y1)), 0.005, 4)
  return {
    scale,
    x: window.width / 2 - ((b.x1 + b.x2) / 2) * scale,
    y: margin + high / 2 - ((b.y1 + b.y2) / 2) * scale,
  }
}

/** The view in which a word can be read well and lies in the middle; that from before, moved, where words have a fit size in it. */
export function readable(v: View, word: Box, window: Size, below: number): View {
  const high = (word.y2 - word.y1) * v.scale
  const broad = (word.x2 - word.x1) * v.scale
  const fits = high >= 18 && high <= 90 && broad <= window.width * 0.8
  const scale = fits ? v.scale : clamp(Math.min(34 / (word.y2 - word.y1), (window.width * 0.7) / (word.x2 - word.x1)), 0.005, 8)
  const y = (window.height - below) / 2
  return { scale, x: window.width / 2 - ((word.x1 + word.x2) / 2) * scale, y: y - ((word.y1 + word.y2) / 2) * scale }
}
