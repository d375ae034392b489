import { describe, expect, test } from 'vitest'
import { diff, tokens } from './diff'
import { boxOf, fit, moved, overlap, resized, zoomed } from './geometry'

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
