import { describe, expect, test } from 'vitest'
import { arrange, elided, scrollTo, sightOf } from './grid'

describe('the grid', () => {
  const sight = 800
  test('shows the rows in sight', () => {
    const g = arrange(1184, 1000)
    expect(g.columns).toBe(6)
    expect(g.height).toBe(g.rows * g.rowHeight)
    expect(sightOf(g, 0, sight)).toEqual({ first: 0, last: Math.ceil(sight / g.rowHeight) + 2, shift: 0 })
    expect(sightOf(g, g.height - sight, sight).last).toBe(g.rows)
    expect(sightOf(arrange(300, 0), 0, sight)).toEqual({ first: 0, last: 0, shift: 0 })
    expect(arrange(10, 3).columns).toBe(2)
  })
  test('scrolls no further than needed', () => {
    const g = arrange(1184, 1000)
    expect(scrollTo(g, 1, 0, sight, 72)).toBe(0)
    expect(scrollTo(g, 10, 0, sight, 72)).toBe(11 * g.rowHeight - sight)
    expect(scrollTo(g, 10, 20 * g.rowHeight, sight, 72)).toBe(10 * g.rowHeight - 72)
  })
  test('is squeezed where browsers have no room for it', () => {
    const g = arrange(358, 1_000_000)
    expect(g.height).toBeLessThan(17_000_000)
    expect(g.height).toBeLessThan(g.rows * g.rowHeight)
    const end = sightOf(g, g.height - sight, sight)
    expect(end.last).toBe(g.rows)
    expect(g.rows * g.rowHeight + end.shift).toBeCloseTo(g.height, 3)
    const middle = sightOf(g, (g.height - sight) / 2, sight, 0)
    expect((middle.first + middle.last) / 2 / g.rows).toBeCloseTo(0.5, 3)
    for (const row of [0, 1234, 250_000, g.rows - 1]) {
      const at = scrollTo(g, row, 5_000_000, sight, 72)
      const { first, last } = sightOf(g, at, sight, 0)
      expect(row).toBeGreaterThanOrEqual(first)
      expect(row).toBeLessThan(last)
    }
  })
})

test('names that are too long keep both ends', () => {
  const room = (n: number) => (s: string) => [...s].length <= n
  expect(elided('short.png', room(20))).toBe('short.png')
  expect(elided('invoice 2024 north harbour 0017.png', room(20))).toBe('invoice 2…r 0017.png')
  expect(elided('invoice 2024 north harbour 0018.png', room(20))).not.toBe(elided('invoice 2024 north harbour 0017.png', room(20)))
  expect(elided('회의록 이천이십사년 시월 십칠일.png', room(10))).toBe('회의록 …일.png')
  expect(elided('anything', room(0))).toBe('a…g')
})

test('names that are too long keep what tells them from those beside them', () => {
  const room = (n: number) => (s: string) => [...s].length <= n
  const named = (what: string) => `scan of the year 2024, ${what}, of the north harbour.png`
  const [a, b, c] = ['page 17', 'page 18', 'page 18'].map(named)
  for (const n of [12, 20, 30, 40]) {
    expect(elided(a, room(n), [b])).toMatch(/\.png$/)
    expect(elided(a, room(n), [b])).toContain('17')
    expect(elided(b, room(n), [a])).toContain('18')
    expect([...elided(a, room(n), [b])].length).toBeLessThanOrEqual(n)
  }
  expect(elided(b, room(20), [c])).toBe(elided(b, room(20))) // nothing tells them apart
  expect(elided('invoice 2024 north harbour 0017.png', room(20), ['invoice 2024 north harbour 0018.png'])).toBe('invoice 2…r 0017.png')
  expect(elided('aaaaaaaaaaaa', room(6), ['aaaaaaaaaaaaaaaa'])).toContain('…')
})
