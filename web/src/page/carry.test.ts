import { describe, expect, test } from 'vitest'
import type { Content } from '../api'
import { asOthers, correction, covers, mirrored, retyped, rotatedBy, type Region } from './carry'

const box = (x: number) => ({ x1: x, y1: 0, x2: x + 100, y2: 20 })
const content = (id: string, x: number, more: Partial<Content> = {}) =>
  ({ id, roi: box(x), name: '', text: 'read', lang: ['eng'], psm: null, rotation: 0, revision: 1, edited_by: null, ...more }) as Content
const run = (...contents: Content[]) => ({ lang: ['eng'], psm: null, contents })
const region = (key: string, more: Partial<Region> = {}): Region => ({
  ...asOthers,
  key,
  box: box(0),
  name: '',
  content: '',
  state: 'read',
  reason: '',
  away: false,
  final: false,
  ...more,
})

describe('the list', () => {
  test('has the contents in their order, and knows its own regions again', () => {
    const list = [region('a', { content: 'A', charset: '0123456789' }), region('b', { content: 'B' })]
    const next = mirrored(list, run(content('C', 300), content('A', 5, { name: 'total' })))
    expect(next.map((r) => [r.key, r.content, r.box.x1, r.name, r.charset])).toEqual([
      ['C', 'C', 300, '', ''],
      ['a', 'A', 5, 'total', '0123456789'],
    ])
  })
  test('keeps what is being read as it will be, and what could not be read', () => {
    const list = [region('moved', { content: 'A', box: box(70), state: 'reading' }), region('failed', { state: 'failed', reason: 'No.' })]
    const next = mirrored(list, run(content('A', 5)))
    expect(next.map((r) => [r.key, r.box.x1, r.state])).toEqual([
      ['moved', 70, 'reading'],
      ['failed', 0, 'failed'],
    ])
  })
  test('knows how a region was read that was not read as its run', () => {
    const old = run(content('A', 0, { lang: ['kor'], psm: 7, rotation: 180 }), content('B', 0, { psm: 6 }))
    const [r, other] = mirrored([], { ...old, psm: 6 })
    expect([r.lang, r.psm, r.rotate]).toEqual([['kor'], '7', null]) // how far its text is turned may have been found out
    expect([other.lang, other.psm, other.rotate]).toEqual([null, null, null])
  })
  test('knows of each region what it was asked for, also where another tab asked', () => {
    const asked = { lang: ['kor'], psm: 7, rotate: '90', effort: 'fast', charset: '0-9' } as const
    const own = { lang: ['kor'], psm: '7', rotate: '90', effort: 'fast', charset: '0-9' }
    const read = run(
      content('A', 0, { asked: { ...asked, lang: ['kor'] } }),
      content('B', 0, { lang: ['kor'], psm: 7, rotation: 180, asked: {} }),
      content('C', 0, { asked: { rotate: 'auto' } }),
      content('D', 0, { asked: {} }),
    )
    const list = [
      region('c', { content: 'C', rotate: '180', effort: 'fast' }),
      region('d', { content: 'D', state: 'failed', rotate: '180' }), // what it is to be read with once more
    ]
    const [a, b, c, d] = mirrored(list, read)
    expect(a).toMatchObject(own)
    expect(b).toMatchObject(asOthers) // as the request was, whatever that found
    expect(c).toMatchObject({ ...asOthers, rotate: 'auto' })
    expect(d).toMatchObject({ ...asOthers, rotate: '180' })
  })
  test('does not take what the engine chose by itself for a choice', () => {
    const [r] = mirrored([], { ...run(content('A', 0, { psm: 7 })), psm: null })
    expect(r.psm).toBeNull()
  })
  test('turns what was asked for with the page', () => {
    expect([90, -90, -270, 0].map((degrees) => rotatedBy(degrees, '270'))).toEqual(['0', '180', '0', '270'])
    expect([rotatedBy(90, 'auto'), rotatedBy(90, null)]).toEqual(['auto', null])
  })
  test('forgets why a region could not be read once it has a content', () => {
    const [r] = mirrored([region('a', { content: 'A', state: 'failed', reason: 'No.' })], run(content('A', 0)))
    expect([r.state, r.reason]).toEqual(['read', ''])
  })
})

const edited = { edited_by: { id: 1, name: 'ann' } }

describe('a version that was made meanwhile', () => {
  const before: Record<string, Content> = { A: content('A', 0), B: content('B', 300, { text: 'written', ...edited }) }
  const list = [region('a', { content: 'A' }), region('b', { content: 'B', box: box(300) }), region('failed', { state: 'failed' })]
  const replaces = (...contents: Content[]) => covers(run(...contents), list, (id) => before[id])
  test('takes the place of the list where it has all of it', () => {
    expect(replaces(content('D', 300, { text: 'written' }), content('C', 0, { text: 'read anew' }))).toBe(true)
  })
  test('does not where a region, or what a person wrote, is not in it', () => {
    expect(replaces(content('C', 0), content('D', 500, { text: 'written' }), content('E', 700))).toBe(false)
    expect(replaces(content('C', 0), content('D', 300))).toBe(false)
  })
})

describe('a new reading', () => {
  test('takes a text over that a person wrote, and no other', () => {
    expect(correction(content('A', 0, { text: 'written', revision: 2, ...edited }), content('B', 0))).toBe('written')
    expect(correction(content('A', 0, { text: 'named', revision: 2 }), content('B', 0))).toBeNull()
    expect(correction(content('A', 0, { text: 'read', revision: 2, ...edited }), content('B', 0))).toBeNull()
  })
  test('has what is being typed over its own revision', () => {
    expect(retyped({ text: 'typed' }, content('B', 0, { revision: 3 }))).toEqual({ text: 'typed', revision: 3 })
  })
})
