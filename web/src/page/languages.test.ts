import { afterEach, expect, test, vi } from 'vitest'
import { languageName } from './languages'

const page = vi.hoisted(() => ({ language: 'en' }))
vi.mock('../i18n.svelte', () => ({ language: () => page.language, t: (text: string) => text }))
vi.mock('../api', () => ({ auto: 'auto' }))
afterEach(() => {
  page.language = 'en'
})

test('models are called as languages and scripts are', () => {
  expect(['kor', 'Hangul', 'script/Hangul', 'chi_sim', 'osd2'].map(languageName)).toEqual([
    'Korean',
    'Hangul',
    'Hangul',
    'Simplified Chinese',
    'osd2',
  ])
  page.language = 'ko'
  expect(['kor', 'Hangul', 'HanT', 'chi_tra'].map(languageName)).toEqual(['한국어', '한글', '번체', '중국어(번체)'])
})
