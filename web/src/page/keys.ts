// What keys do on the page, in one table: those that listen to keys look them up here, and the list of keys is made of it.
import type { Text } from '../i18n.svelte'

type Chord = { key: string; mod?: boolean; shift?: boolean; alt?: boolean }
/** does: what a key press is for; none where it is done by the mouse or in a text field. shown: the keys as the list has them. */
export type Entry = { does?: string; chords?: Chord[]; shown: string[]; text: Text }

/** A key by what it types or, as BracketLeft, by its place on the keyboard. */
const on = (key: string, ...held: ('mod' | 'shift' | 'alt')[]): Chord => ({ key, ...Object.fromEntries(held.map((h) => [h, true])) })
const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']

export const table = [
  {
    title: 'Regions',
    rows: [
      { does: 'new', chords: [on('n')], shown: ['N'], text: 'New region, then arrow keys to place it' },
      {
        does: 'enter',
        chords: [on('Enter'), on('Enter', 'shift')],
        shown: ['Enter'],
        text: 'Read the new region, or edit the selected one',
      },
      { does: 'previous', chords: [on('BracketLeft')], shown: ['['], text: 'Select the previous region' },
      { does: 'next', chords: [on('BracketRight')], shown: [']'], text: 'Select the next region' },
      {
        does: 'addPrevious',
        chords: [on('BracketLeft', 'shift')],
        shown: ['Shift', '['],
        text: 'Add the previous region to the selection',
      },
      { does: 'addNext', chords: [on('BracketRight', 'shift')], shown: ['Shift', ']'], text: 'Add the next region to the selection' },
      { does: 'selectAll', chords: [on('a', 'mod')], shown: ['Ctrl', 'A'], text: 'Select all' },
      { does: 'move', chords: arrows.flatMap((a) => [on(a), on(a, 'shift')]), shown: ['Arrows'], text: 'Move the selected region' },
      {
        does: 'resize',
        chords: arrows.flatMap((a) => [on(a, 'mod'), on(a, 'mod', 'shift')]),
        shown: ['Ctrl', 'Arrows'],
        text: 'Resize the selected region',
      },
      { shown: ['Shift', 'Arrows'], text: 'By 10 pixels instead of 1, also with Ctrl' },
      { does: 'name', chords: [on('F2')], shown: ['F2'], text: 'Name the selected region' },
      { does: 'duplicate', chords: [on('d', 'mod')], shown: ['Ctrl', 'D'], text: 'Duplicate' },
      { does: 'copyRegions', chords: [on('c', 'mod')], shown: ['Ctrl', 'C'], text: 'Copy the selected regions, for this page or others' },
      { does: 'pasteRegions', chords: [on('v', 'mod')], shown: ['Ctrl', 'V'], text: 'Paste regions and read them' },
      { does: 'remove', chords: [on('Delete'), on('Backspace')], shown: ['Del'], text: 'Delete the selected regions' },
      { does: 'undo', chords: [on('z', 'mod')], shown: ['Ctrl', 'Z'], text: 'Undo' },
      { does: 'redo', chords: [on('y', 'mod'), on('z', 'mod', 'shift')], shown: ['Ctrl', 'Y'], text: 'Redo' },
      { does: 'escape', chords: [on('Escape')], shown: ['Esc'], text: 'Clear the selection, or cancel' },
      { shown: ['Shift', 'Click'], text: 'Add to the selection' },
      { shown: ['Shift', 'Drag'], text: 'Select the regions it touches' },
    ],
  },
  {
    title: 'Text',
    rows: [
      { does: 'proofread', chords: [on('p')], shown: ['P'], text: 'Proofread the doubtful words one by one' },
      { shown: ['Enter'], text: 'While proofreading: accept the word and go on' },
      { shown: ['↓'], text: 'While proofreading: another reading' },
      { shown: ['Alt', '↓'], text: 'While proofreading: skip the word' },
      { does: 'nextDoubt', chords: [on('.')], shown: ['.'], text: 'Next doubtful word' },
      { does: 'previousDoubt', chords: [on(',')], shown: [','], text: 'Previous doubtful word' },
      { does: 'takeOther', chords: [on('t')], shown: ['T'], text: 'Use the other reading of the highlighted word' },
      { shown: ['Ctrl', 'Enter'], text: 'Save the correction' },
      { does: 'copy', chords: [on('c')], shown: ['C'], text: 'Copy the text of the selected regions, or of all' },
    ],
  },
  {
    title: 'Page',
    rows: [
      { does: 'zoomIn', chords: [on('+'), on('=')], shown: ['+'], text: 'Zoom in' },
      { does: 'zoomOut', chords: [on('-')], shown: ['−'], text: 'Zoom out' },
      { does: 'fit', chords: [on('0')], shown: ['0'], text: 'Fit to window' },
      { does: 'actualSize', chords: [on('1')], shown: ['1'], text: 'Actual size' },
      { does: 'zoomRegion', chords: [on('z')], shown: ['Z'], text: 'Zoom to the selected regions' },
      { does: 'nextPage', chords: [on('PageDown')], shown: ['PgDn'], text: 'Next page' },
      { does: 'previousPage', chords: [on('PageUp')], shown: ['PgUp'], text: 'Previous page' },
      { does: 'goToPage', chords: [on('g')], shown: ['G'], text: 'Go to a page of the document by its number' },
      { shown: ['Arrows'], text: 'Move the page if nothing is selected' },
      { does: 'hold', chords: [on(' ')], shown: ['Space'], text: 'Hold and drag to move the page' },
      { shown: ['Ctrl', 'Wheel'], text: 'Zoom at the pointer' },
      { does: 'help', chords: [on('?')], shown: ['?'], text: 'Keyboard shortcuts' },
    ],
  },
] as const satisfies { title: Text; rows: readonly Entry[] }[]

type Rows = (typeof table)[number]['rows'][number]
export type Action = Extract<Rows, { does: string }>['does']

type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

/** Whether that key was pressed. A letter counts by its place where the keyboard types others, as Hangul. */
function pressed(key: string, e: Pressed): boolean {
  if (/^[a-z]$/.test(key)) return e.key.toLowerCase() === key || (!/^[a-z]$/i.test(e.key) && e.code === 'Key' + key.toUpperCase())
  return e.key === key || e.code === key
}

/** What a key press is for; null where it is for nothing. */
export function actionOf(e: Pressed): Action | null {
  const mod = e.ctrlKey || e.metaKey
  for (const row of table.flatMap((group) => group.rows as readonly Entry[]))
    for (const c of row.chords ?? []) {
      const sign = c.key.length === 1 && !/[a-z]/.test(c.key) // may need Shift to be typed, depending on the keyboard
      if (pressed(c.key, e) && !!c.mod === mod && !!c.alt === e.altKey && (sign || !!c.shift === e.shiftKey)) return row.does as Action
    }
  return null
}
