import { expect, test } from 'vitest'
import type { Word } from '../api'
import { exchanged, others, pieces } from './words'

const word = (text: string, engine = 'a', ...candidates: string[]) =>
  ({ text, engine, confidence: 0.9, candidates: candidates.map((text) => ({ engine: 'b', text, confidence: 0.4 })) }) as Word
const content = { text: 'lnvoice  14\nTotal', words: [word('lnvoice', 'a', 'Invoice'), word('14'), word('Total')] }

test('a text is cut into words and what is between them', () => {
  expect(pieces(content).map((p) => p.word)).toEqual([0, -1, 1, -1, 2])
  expect(
    pieces(content)
      .map((p) => p.text)
      .join(''),
  ).toBe(content.text)
})
test('where words and text do not agree no word has a place', () => {
  expect(pieces({ ...content, words: content.words.slice(1) }).every((p) => p.word < 0)).toBe(true)
})
test('one word gives way to another, and the white space stays', () => {
  expect(exchanged(content, 0, 'Invoice')).toBe('Invoice  14\nTotal')
  expect(exchanged(content, 2, 'To tal')).toBe('lnvoice  14\nTo tal')
})
test('other readings are those that differ, of words that an engine read', () => {
  expect(others(content.words[0]).map((c) => c.text)).toEqual(['Invoice'])
  expect(others(word('same', 'a', 'same', ' '))).toEqual([])
  expect(others(word('written', '', 'older'))).toEqual([])
  expect(others(undefined)).toEqual([])
})
