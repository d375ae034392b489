import { beforeEach, expect, test, vi } from 'vitest'
import { History, type Step } from './history.svelte'

beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('sessionStorage', { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) })
})
const text = (to: string, seen: number): Step => ({ kind: 'set', to: { A: { text: to } }, seen: { A: seen } })

test('steps are there after a reload', () => {
  new History('page').did({ kind: 'present', ids: ['A'], present: false })
  expect(new History('page').past).toEqual([{ kind: 'present', ids: ['A'], present: false }])
  expect(new History('another page').past).toEqual([])
})
test('a step that was taken back tells those below which revision they find', () => {
  const h = new History('page')
  h.did(text('read', 2))
  h.did(text('once', 3))
  h.passed('past', text('twice', 4))
  expect(h.past).toEqual([text('read', 4)])
  expect(h.future).toEqual([text('twice', 4)])
  h.passed('past', text('once', 5))
  expect(h.future).toEqual([text('twice', 5), text('once', 5)])
})
test('what is done ends what could be redone', () => {
  const h = new History('page')
  h.did(text('read', 2))
  h.passed('past', text('once', 3))
  h.did(text('read', 4))
  expect(h.future).toEqual([])
})
test('a content that is gone for good is left out', () => {
  const h = new History('page')
  h.did({ kind: 'present', ids: ['A', 'B'], present: false })
  h.did(text('read', 2))
  h.forget('A')
  expect(h.past).toEqual([{ kind: 'present', ids: ['B'], present: false }])
})
test('boxes turn with the page', () => {
  const h = new History('page')
  h.did({ kind: 'set', to: { A: { roi: { x1: 1, y1: 2, x2: 3, y2: 4 } } } })
  h.turn((b) => ({ ...b, x1: b.x1 + 10 }))
  expect(h.past).toEqual([{ kind: 'set', to: { A: { roi: { x1: 11, y1: 2, x2: 3, y2: 4 } } } }])
})
