import { expect, test } from 'vitest'
import shell, { koreanReason } from './korean'
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
  const unused = Object.keys(korean).filter((text) => !source.includes(`'${text}'`))
  expect(unused).toEqual([])
})
test('no text has two Korean forms', () => {
  expect(Object.keys(shell).filter((text) => text in view)).toEqual([])
})

test('a Korean reason keeps the numbers and formats of the English one', () => {
  const said: [string, string, string[]][] = [
    ['file_too_large', 'An image file may have at most 2 MB.', ['2 MB']],
    ['unsupported_image', 'Unsupported file. Supported: JPEG, PNG, JPEG 2000 and PNM.', ['JPEG, PNG, JPEG 2000, PNM']],
    [
      'too_many_pixels',
      'The image has 90000 × 80000 pixels; at most 100000000 are read here, and 1048576 on a side.',
      ['90000 × 80000', '100000000', '1048576'],
    ],
    ['too_many_images', 'There may be at most 1,000 images of one user.', ['1,000']],
  ]
  for (const [code, detail, facts] of said) for (const fact of facts) expect(koreanReason(code, detail)).toContain(fact)
  expect(koreanReason('unsupported_image', 'The image cannot be decoded.')).toBe('이미지를 열 수 없습니다. 파일이 손상되었을 수 있습니다.')
  expect(koreanReason('too_many_pixels', 'Too many pixels.')).toBe('이미지의 픽셀 수가 너무 많습니다.')
  expect(koreanReason('not known', 'Something.')).toBeUndefined()
})
