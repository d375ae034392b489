// What languages are called in the language of the page.
import { auto } from '../api'
import { language, t } from '../i18n.svelte'

// Models of Tesseract that are not called by the code of a language, as they are called elsewhere.
const scripts: Record<string, string> = {
  Arabic: 'Arab',
  Cyrillic: 'Cyrl',
  Devanagari: 'Deva',
  Greek: 'Grek',
  Hangul: 'Hang',
  HanS: 'Hans',
  HanT: 'Hant',
  Hebrew: 'Hebr',
  Japanese: 'Jpan',
  Latin: 'Latn',
  Thai: 'Thai',
}
const variants: Record<string, string> = { chi_sim: 'zh-Hans', chi_tra: 'zh-Hant' }

const names: Record<string, Intl.DisplayNames> = {} // by language of the page and what they name
const named = (type: 'language' | 'script', code: string) =>
  (names[language() + type] ??= new Intl.DisplayNames([language()], { type, fallback: 'none' })).of(code)

export function languageName(code: string): string {
  if (code === auto) return t('Detect automatically')
  const model = code.replace(/^script\//, '')
  if (scripts[model]) return named('script', scripts[model]) ?? code
  return (code.length === 3 || variants[code] ? named('language', variants[code] ?? code) : undefined) ?? code
}
export const languageNames = (codes: string[]) =>
  new Intl.ListFormat(language(), { style: 'narrow', type: 'unit' }).format(codes.map(languageName))
