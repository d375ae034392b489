import shell, { koreanReason, particles } from './korean'
import type account from './account.korean'
import type admin from './admin.korean'
import type edit from './library/edit.korean'
import type sure from './library/sure.korean'
import type limits from './limits.korean'
import type dialogs from './page/dialogs.korean'
import type view from './page/korean'

// Texts are written in English where they are used; korean.ts and its like have their Korean forms. {name} stands for a value.
export type Text =
  | keyof typeof shell
  | keyof typeof account
  | keyof typeof admin
  | keyof typeof edit
  | keyof typeof sure
  | keyof typeof limits
  | keyof typeof view
  | keyof typeof dialogs
const korean: Partial<Record<Text, string>> = { ...shell }

/** Adds the texts of a part that is loaded later. */
export function learn(more: Partial<Record<Text, string>>) {
  Object.assign(korean, more)
}

const stored = localStorage.getItem('language')
const settings = $state({ language: stored ?? (navigator.language.startsWith('ko') ? 'ko' : 'en') })

export function language(): string {
  return settings.language
}
export function setLanguage(l: string) {
  settings.language = l
  localStorage.setItem('language', l)
  document.documentElement.lang = l
}
document.documentElement.lang = settings.language

export function t(text: Text, values: Record<string, string | number> = {}): string {
  const form = settings.language === 'ko' ? (korean[text] ?? text) : text
  const whole = form.replace(/\{(\w+)\}/g, (_, name) => values[name]?.toLocaleString(settings.language) ?? '')
  return form === whole ? whole : particles(whole)
}

/** The service's reason in the language of the page, where it is not the service's own; with the numbers and formats of its own text. */
export function reasonFor(code: string, detail: string): string | undefined {
  return settings.language === 'ko' ? koreanReason(code, detail) : undefined
}
export function count(n: number, one: Text, many: Text): string {
  return n === 1 ? t(one) : t(many, { n })
}

export function when(time: string): string {
  return new Intl.DateTimeFormat(settings.language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time))
}
/** The date of a time; of today the time of the day. */
export function day(time: string): string {
  const at = new Date(time)
  const today = at.toDateString() === new Date().toDateString()
  return new Intl.DateTimeFormat(settings.language, today ? { timeStyle: 'short' } : { dateStyle: 'medium' }).format(at)
}
