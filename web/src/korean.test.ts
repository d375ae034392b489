import { expect, test } from 'vitest'
import shell from './korean'
import view from './page/korean'

// That a text which is used has a Korean form is what the type Text says.
const korean: Record<string, string> = { ...shell, ...view }
const files: Record<string, string> = import.meta.glob(
  ['./**/*.svelte', './**/*.ts', '!./**/korean.ts', '!./**/*.test.ts', '!./**/*.gen.ts'],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
)
const source = Object.values(files).join('\n')

test('a Korean form has the blanks of its text', () => {
  const blanks = (s: string) => (s.match(/\{\w+\}/g) ?? []).sort()
  for (const [text, form] of Object.entries(korean)) expect(blanks(form), text).toEqual(blanks(text))
})
test('there is no Korean form of a text that is not used', () => {
  const fromService = ['ok', 'away']
  const unused = Object.keys(korean).filter((text) => !source.includes(`'${text}'`) && !fromService.includes(text))
  expect(unused).toEqual([])
})
test('no text has two Korean forms', () => {
  expect(Object.keys(shell).filter((text) => text in view)).toEqual([])
})
