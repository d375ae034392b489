import { expect, test } from 'vitest'
import { actionOf, table, type Entry } from './keys'

const press = (key: string, held: { ctrlKey?: boolean; metaKey?: boolean; shiftKey?: boolean; altKey?: boolean; code?: string } = {}) =>
  actionOf({ key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held })

test('keys are for one thing each', () => {
  const chords = table
    .flatMap((group) => group.rows as readonly Entry[])
    .flatMap((row) => (row.chords ?? []).map((c) => JSON.stringify([c.key, !!c.mod, !!c.shift, !!c.alt])))
  expect(new Set(chords).size).toBe(chords.length)
})
test('keys are found with what is held', () => {
  expect(press('z', { ctrlKey: true })).toBe('undo')
  expect(press('z', { metaKey: true })).toBe('undo')
  expect(press('Z', { ctrlKey: true, shiftKey: true })).toBe('redo')
  expect(press('z')).toBe('zoomRegion')
  expect(press('q')).toBeNull()
  expect(press('ArrowUp')).toBe('move')
  expect(press('ArrowUp', { altKey: true })).toBeNull()
  expect(press('ArrowUp', { shiftKey: true, ctrlKey: true })).toBe('resize')
  expect(press('ArrowUp', { shiftKey: true })).toBe('move')
  expect(press('c', { ctrlKey: true })).toBe('copyRegions')
  expect(press('x', { ctrlKey: true })).toBeNull() // that is the browser's
})
test('signs count however they are typed, brackets by their place', () => {
  expect(press('?', { shiftKey: true })).toBe('help')
  expect(press('+', { shiftKey: true })).toBe('zoomIn')
  expect(press('.', { shiftKey: true })).toBe('nextDoubt') // as on French keyboards
  expect(press('ü', { code: 'BracketLeft' })).toBe('previous')
  expect(press('}', { code: 'BracketRight', shiftKey: true })).toBe('addNext')
})
test('letters count where the keyboard types Hangul', () => {
  expect(press('ㅜ', { code: 'KeyN' })).toBe('new')
  expect(press('Process', { code: 'KeyZ', ctrlKey: true })).toBe('undo')
  expect(press('y', { code: 'KeyZ', ctrlKey: true })).toBe('redo') // a German keyboard
})
