// How regions are read unless it is said otherwise: as this user chose last.
import type { Asked } from './api'
import { language } from './i18n.svelte'
import { app } from './state.svelte'

const place = () => `how:${app.user?.id}`
const usual: Asked = { lang: ['eng'], psm: 'auto', oem: 3, rotate: 'auto', effort: '' }

/** languages: those that are installed. */
export function howToRead(languages: string[]): Asked {
  try {
    const kept = JSON.parse(localStorage.getItem(place()) ?? 'null')
    if (kept) return { ...usual, ...kept }
  } catch {
    /* then nothing was chosen */
  }
  return language() === 'ko' && languages.includes('kor') ? { ...usual, lang: ['kor', 'eng'] } : usual
}
export const rememberHow = (how: Asked) => localStorage.setItem(place(), JSON.stringify(how))
