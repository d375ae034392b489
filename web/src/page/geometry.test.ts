import { describe, expect, test } from 'vitest'
import { diff, pairs, tokens } from './diff'
import {
  aligned,
  around,
  boxOf,
  carried,
  closeUp,
  distributed,
  fit,
  inSight,
  moved,
  overlap,
  readable,
  resized,
  turned,
  zoomed,
} from './geometry'
import { baseWidth, levelFor, tilesIn } from './tiles'

const page = { width: 100, height: 80 }

describe('boxes', () => {
  test('stay on the page', () => {
    expect(boxOf(90.6, 20, -5, 99, page)).toEqual({ x1: 0, y1: 20, x2: 91, y2: 80 })
    expect(boxOf(300, 300, 300, 300, page)).toEqual({ x1: 99, y1: 79, x2: 100, y2: 80 })
    expect(moved({ x1: 10, y1: 10, x2: 30, y2: 20 }, 500, -50, page)).toEqual({ x1: 80, y1: 0, x2: 100, y2: 10 })
  })
  test('overlap', () => {
    const a = { x1: 0, y1: 0, x2: 10, y2: 10 }
    expect(overlap(a, a)).toBe(1)
    expect(overlap(a, { x1: 5, y1: 0, x2: 15, y2: 10 })).toBeCloseTo(1 / 3)
    expect(overlap(a, { x1: 10, y1: 0, x2: 20, y2: 10 })).toBe(0)
  })
  test('are aligned at an edge or a middle line that they have together', () => {
    const boxes = new Map([
      ['a', { x1: 10, y1: 10, x2: 30, y2: 20 }],
      ['b', { x1: 20, y1: 40, x2: 60, y2: 50 }],
    ])
    expect([...aligned(boxes, 'left').values()].map((b) => [b.x1, b.x2])).toEqual([
      [10, 30],
      [10, 50],
    ])
    expect([...aligned(boxes, 'right').values()].map((b) => [b.x1, b.x2])).toEqual([
      [40, 60],
      [20, 60],
    ])
    expect([...aligned(boxes, 'center').values()].map((b) => [b.x1, b.x2])).toEqual([
      [25, 45],
      [15, 55],
    ])
    expect([...aligned(boxes, 'top').values()].map((b) => b.y1)).toEqual([10, 10])
    expect([...aligned(boxes, 'bottom').values()].map((b) => b.y2)).toEqual([50, 50])
    expect([...aligned(boxes, 'middle').values()].map((b) => b.y1)).toEqual([25, 25])
    expect(around([...boxes.values()])).toEqual({ x1: 10, y1: 10, x2: 60, y2: 50 })
  })
  test('are distributed with the same gaps, and keep their order in the list', () => {
    const boxes = new Map([
      ['last', { x1: 0, y1: 90, x2: 10, y2: 100 }],
      ['first', { x1: 0, y1: 0, x2: 10, y2: 20 }],
      ['between', { x1: 0, y1: 21, x2: 10, y2: 31 }],
    ])
    const put = distributed(boxes, 'y')
    expect([...put.keys()]).toEqual(['last', 'first', 'between'])
    expect([...put.values()].map((b) => [b.y1, b.y2])).toEqual([
      [90, 100],
      [0, 20],
      [50, 60],
    ])
  })
  test('are carried to the same place of another page', () => {
    const b = { x1: 10, y1: 20, x2: 30, y2: 40 }
    expect(carried(b, page, page)).toEqual(b)
    expect(carried(b, page, { width: 200, height: 160 })).toEqual({ x1: 20, y1: 40, x2: 60, y2: 80 })
    expect(carried(b, page, { width: 100, height: 30 })).toEqual({ x1: 10, y1: 20, x2: 30, y2: 30 })
    expect(carried(b, page, { width: 100, height: 20 })).toBeNull()
  })
  test('turn with the page', () => {
    const b = { x1: 10, y1: 20, x2: 30, y2: 25 }
    expect(turned(b, page)).toEqual({ x1: 55, y1: 10, x2: 60, y2: 30 })
    const sizes = [page, { width: 80, height: 100 }, page, { width: 80, height: 100 }]
    expect(sizes.reduce(turned, b)).toEqual(b)
  })
  test('turn over', () => {
    expect(resized({ x1: 10, y1: 10, x2: 30, y2: 20 }, 'e', -30, 7, page)).toEqual({ x1: 0, y1: 10, x2: 10, y2: 20 })
    expect(resized({ x1: 10, y1: 10, x2: 30, y2: 20 }, 'nw', -3, 4, page)).toEqual({ x1: 7, y1: 14, x2: 30, y2: 20 })
  })
})

test('the point under the cursor stays', () => {
  const before = fit(page, { width: 400, height: 300 }, 20, 60)
  const after = zoomed(before, 3, 120, 50)
  expect((120 - after.x) / after.scale).toBeCloseTo((120 - before.x) / before.scale)
  expect((50 - after.y) / after.scale).toBeCloseTo((50 - before.y) / before.scale)
})

test('a box comes into sight by as little as it takes', () => {
  const window = { width: 400, height: 300 }
  const v = { scale: 2, x: 0, y: 0 }
  expect(inSight(v, { x1: 20, y1: 20, x2: 100, y2: 60 }, window, 10, 50)).toEqual(v)
  expect(inSight(v, { x1: 150, y1: -10, x2: 220, y2: 20 }, window, 10, 50)).toEqual({ scale: 2, x: -50, y: 30 })
  expect(inSight(v, { x1: 20, y1: 120, x2: 100, y2: 140 }, window, 10, 50)).toEqual({ scale: 2, x: 0, y: -30 })
  expect(inSight(v, { x1: 0, y1: 20, x2: 400, y2: 60 }, window, 10, 50)).toEqual({ scale: 2, x: -200, y: 0 })
})

describe('differences', () => {
  test('of words', () => {
    expect(diff(tokens('total amount 1250.00\nthanks'), tokens('total 1,250.00\nthanks all'))).toEqual([
      { kind: 'same', words: ['total'] },
      { kind: 'taken', words: ['amount', '1250.00'] },
      { kind: 'added', words: ['1,250.00'] },
      { kind: 'same', words: ['\n', 'thanks'] },
      { kind: 'added', words: ['all'] },
    ])
  })
  test('give both texts back', () => {
    const a = 'a b c a b b a'.split(' ')
    const b = 'c b a b a c'.split(' ')
    const parts = diff(a, b)
    expect(parts.filter((p) => p.kind !== 'added').flatMap((p) => p.words)).toEqual(a)
    expect(parts.filter((p) => p.kind !== 'taken').flatMap((p) => p.words)).toEqual(b)
    expect(parts.filter((p) => p.kind === 'same').flatMap((p) => p.words)).toHaveLength(4)
    expect(diff([], [])).toEqual([])
  })
})

describe('tiles', () => {
  const large = { width: 10000, height: 7000 }
  test('are not needed where the whole page in one is sharp', () => {
    expect(baseWidth({ width: 1200, height: 1600 })).toBe(1200)
    expect(levelFor({ width: 1200, height: 1600 }, 3)).toBe(-1)
    expect(baseWidth(large)).toBe(2048)
    expect(levelFor(large, 0.2)).toBe(-1)
    expect(tilesIn(large, -1, { x1: 0, y1: 0, x2: 10000, y2: 7000 })).toEqual([])
    expect(baseWidth({ width: 40, height: 60000 })).toBe(16) // no narrower is rendered
  })
  test('have a pixel for each one of the screen, and less than four', () => {
    for (let need = 0.21; need < 8; need *= 1.07) {
      const level = levelFor(large, need)
      const scale = 2 ** -level
      expect(level).toBeGreaterThanOrEqual(0)
      if (need <= 1) expect(scale).toBeGreaterThanOrEqual(need * (1 - 1e-5))
      if (level > 0) expect(scale / 2).toBeLessThan(need)
    }
    expect(levelFor(large, 1)).toBe(0)
    expect(levelFor(large, 0.5)).toBe(1)
  })
  test('cover what is in sight, the middle first, and end where the page ends', () => {
    const sight = { x1: 8100, y1: -300, x2: 12000, y2: 2500 }
    const tiles = tilesIn(large, 0, sight)
    for (const x of [8100, 9000, 9999])
      for (const y of [0, 1024, 2499]) expect(tiles.filter(({ box: b }) => b.x1 <= x && x < b.x2 && b.y1 <= y && y < b.y2)).toHaveLength(1)
    expect(Math.max(...tiles.map((t) => t.box.x2))).toBe(10000)
    expect(tiles.every((t) => t.width === t.box.x2 - t.box.x1)).toBe(true)
    expect(tiles[0].box).toEqual({ x1: 9216, y1: 1024, x2: 10000, y2: 2048 })
    expect(new Set(tiles.map((t) => t.key)).size).toBe(tiles.length)
    const coarse = tilesIn(large, 2, { x1: 0, y1: 0, x2: 10000, y2: 7000 })
    expect(coarse).toHaveLength(6)
    expect(coarse.find((t) => t.key === '2/1/2')).toEqual({
      key: '2/1/2',
      level: 2,
      box: { x1: 8192, y1: 4096, x2: 10000, y2: 7000 },
      width: 452,
    })
    expect(tilesIn(large, 0, { x1: -500, y1: -500, x2: -10, y2: -10 })).toEqual([])
  })
})

test('regions at the same place are pairs', () => {
  const at = (x: number, name: string) => ({ box: { x1: x, y1: 0, x2: x + 100, y2: 20 }, name })
  const found = pairs([at(0, 'a'), at(300, 'b'), at(600, 'c')], [at(320, 'B'), at(900, 'new'), at(2, 'A')], (x, y) => overlap(x.box, y.box))
  expect(found.map((p) => [p.old?.name, p.now?.name])).toEqual([
    ['b', 'B'],
    [undefined, 'new'],
    ['a', 'A'],
    ['c', undefined],
  ])
  // The nearer of two is taken.
  expect(pairs([at(40, 'far'), at(5, 'near')], [at(0, 'x')], (x, y) => overlap(x.box, y.box))[0].old?.name).toBe('near')
})

test('a box is shown close up in the middle', () => {
  const v = closeUp({ x1: 100, y1: 100, x2: 200, y2: 120 }, { width: 440, height: 300 }, 20, 80)
  expect(v.scale).toBe(4)
  expect(150 * v.scale + v.x).toBe(220)
  expect(110 * v.scale + v.y).toBe(120)
})
test('a word that can be read is moved to the middle at the scale that it has', () => {
  const window = { width: 400, height: 300 }
  const word = { x1: 100, y1: 100, x2: 200, y2: 130 }
  expect(readable({ scale: 1, x: 0, y: 0 }, word, window, 100)).toEqual({ scale: 1, x: 50, y: -15 })
  expect(readable({ scale: 0.1, x: 0, y: 0 }, word, window, 100).scale).toBeCloseTo(34 / 30)
})
