import { expect, test } from 'vitest'
import account from './account.korean'
import admin from './admin.korean'
import shell, { koreanReason, particles } from './korean'
import limits from './limits.korean'
import edit from './library/edit.korean'
import sure from './library/sure.korean'
import dialogs from './page/dialogs.korean'
import view from './page/korean'

// That a text which is used has a Korean form is what the type Text says.
const parts = [shell, account, admin, limits, edit, sure, view, dialogs]
const korean: Record<string, string> = Object.assign({}, ...parts)
const files: Record<string, string> = import.meta.glob(
  ['./**/*.svelte', './**/*.ts', '!./**/*korean.ts', '!./**/*.test.ts', '!./**/*.gen.ts'],
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
  expect(parts.flatMap((part) => Object.keys(part)).length).toBe(Object.keys(korean).length)
})

test('a particle goes with the sound before it', () => {
  for (const [both, one] of [
    ['“회의록”이(가) 있는', '“회의록”이 있는'],
    ['“보고서”이(가) 있는', '“보고서”가 있는'],
    ['버전 10은(는)', '버전 10은'],
    ['버전 2은(는)', '버전 2는'],
    ['한국어(으)로', '한국어로'],
    ['독일말(으)로', '독일말로'],
    ['중국어(간체)(으)로', '중국어(간체)로'],
    ['한글(가감)을(를)', '한글(가감)을'],
    ['“abc”이(가)', '“abc”이(가)'],
    [' 이(가)', ' 이(가)'],
  ])
    expect(particles(both)).toBe(one)
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
    [
      'too_many_bytes',
      'The files of one user may have at most 5000 bytes in all, and have 4000. These are more than the 1000 that are left.',
      ['5000바이트', '4000바이트'],
    ],
    [
      'too_many_items',
      'A user may have at most 100 queued items, and 98 are queued. Read fewer at once, or wait until some have been read.',
      ['100개까지', '현재 98개'],
    ],
    [
      'too_many_items_a_day',
      'A user may add at most 100 items within 24 hours, and 98 were added. Read fewer at once, or try again later.',
      ['100개까지', '현재 98개'],
    ],
  ]
  for (const [code, detail, facts] of said) for (const fact of facts) expect(koreanReason(code, detail)).toContain(fact)
  for (const [detail, reason] of [
    ['The PDF file is damaged.', 'PDF 파일을 열 수 없습니다. 손상되었거나 지원하지 않는 종류입니다.'],
    ['This variant of TIFF is not supported: tiles.', 'TIFF 파일을 열 수 없습니다. 손상되었거나 지원하지 않는 종류입니다.'],
    ['This is a Word document. Save it as PDF first.', '지원하지 않는 파일 형식입니다. PDF로 저장한 뒤 다시 올려 주세요.'],
  ])
    expect(koreanReason('unsupported_image', detail)).toBe(reason)
  expect(koreanReason('unsupported_image', 'The image cannot be decoded.')).toBe('이미지를 열 수 없습니다. 파일이 손상되었을 수 있습니다.')
  expect(koreanReason('too_many_pixels', 'Too many pixels.')).toBe('이미지의 픽셀 수가 너무 많습니다.')
  expect(koreanReason('not known', 'Something.')).toBeUndefined()
})
