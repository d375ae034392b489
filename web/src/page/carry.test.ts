import { describe, expect, test } from 'vitest'
import type { Content } from '../api'
import { asOthers, correction, merged, needed, restored, retyped, type KeptRegion, type Region } from './carry'

const box = (x: number, width = 100) => ({ x1: x, y1: 0, x2: x + width, y2: 20 })
const region = (key: string, x: number, read = 'read of ' + key): Region => ({
  key,
  box: box(x),
  name: '',
  ...asOthers,
  read,
})
const content = (id: string, x: number, more: Partial<Content> = {}) =>
  ({ id, roi: box(x), name: '', text: id, revision: 1, ...more }) as Content
function serial() {
  let n = 0
  return () => `fresh ${++n}`
}

describe('a newer run', () => {
  test('takes the place of what lies where it does, and is added elsewhere', () => {
    const list = [region('a', 0), { ...region('b', 300), name: 'total', charset: '0123456789' }]
    const next = merged(list, [content('B', 310), content('C', 900, { name: 'tax' })], serial())
    expect(next.map((r) => [r.key, r.read, r.name, r.box.x1])).toEqual([
      ['a', 'read of a', '', 0],
      ['b', 'B', 'total', 310],
      ['fresh 1', 'C', 'tax', 900],
    ])
    expect(next[1].charset).toBe('0123456789')
    expect(list).toHaveLength(2) // as it was
  })
  test('brings its names', () => {
    expect(merged([{ ...region('a', 0), name: 'old' }], [content('A', 0, { name: 'new' })], serial())[0].name).toBe('new')
  })
  test('leaves alone what it only touches', () => {
    expect(merged([region('a', 0)], [content('A', 40)], serial()).map((r) => r.read)).toEqual(['read of a', 'A'])
  })
})

describe('a kept list', () => {
  const kept: KeptRegion[] = [
    { ...region('read', 0), content: 'one' },
    { ...region('deleted', 100), content: 'gone' },
    { ...region('interrupted', 200), content: null, from: 'two' },
    { ...region('new', 300), content: null },
    { ...region('moved, its text deleted', 400), content: null, from: 'gone' },
  ]
  test('says what it needs, once', () => {
    expect(needed([...kept, kept[0]])).toEqual(['one', 'gone', 'two'])
  })
  test('comes back without what was deleted; what was not read to the end knows what it had', () => {
    const back = restored(kept, (id) => id !== 'gone', serial())
    expect(back.map(({ region, content, from }) => [region.key, region.read, content, from])).toEqual([
      ['read', 'one', 'one', null],
      ['interrupted', 'fresh 1', null, 'two'],
      ['new', 'fresh 2', null, null],
      ['moved, its text deleted', 'fresh 3', null, null],
    ])
    expect(back[0].region).not.toHaveProperty('content')
  })
  test('of an older page has no characters', () => {
    const { charset: _, ...old } = kept[0]
    expect(restored([old as KeptRegion], () => true, serial())[0].region.charset).toBe('')
  })
})

describe('a correction', () => {
  const old = content('old', 0, { text: 'by hand', revision: 2 })
  test('goes along to a new reading', () => {
    expect(correction(old, content('now', 0))).toBe('by hand')
  })
  test('does not where nothing was corrected, nothing differs, or it is the same content', () => {
    expect(correction(content('old', 0), content('now', 0))).toBeNull()
    expect(correction(old, content('now', 0, { text: 'by hand' }))).toBeNull()
    expect(correction(old, content('old', 0, { text: 'theirs', revision: 3 }))).toBeNull()
  })
  test('that is being typed counts from the new revision', () => {
    expect(retyped({ text: 'typing' }, content('now', 0, { revision: 2 }))).toEqual({ text: 'typing', revision: 2 })
  })
})
