import { expect, test } from 'vitest'
import { marked } from './sought.svelte'

test('what was found is marked, counted in code points', () => {
  const plain = (parts: { text: string; found: boolean }[]) => parts.map((p) => (p.found ? `[${p.text}]` : p.text)).join('')
  expect(plain(marked('Total 1,234.50', [[6, 14]]))).toBe('Total [1,234.50]')
  expect(plain(marked('𝒜 합계 금액', [[2, 4]]))).toBe('𝒜 [합계] 금액')
  expect(
    plain(
      marked('a b', [
        [0, 1],
        [2, 3],
      ]),
    ),
  ).toBe('[a] [b]')
  expect(plain(marked('none', []))).toBe('none')
})
