// How regions are read unless it is said otherwise: as this user chose last, in whatever browser.
import { auto, setSettings, settings, type Asked } from './api'
import { language } from './i18n.svelte'
import { app, complain } from './state.svelte'

// What the service does not keep: layout and engine are those of a kind of page, and of this browser.
const place = () => `how:${app.user?.id}`
const usual: Asked = { lang: ['eng'], psm: 'auto', oem: 3, rotate: 'auto', effort: '' }

/** languages: those that are installed. */
export async function howToRead(languages: string[]): Promise<Asked> {
  const how = { ...usual, lang: language() === 'ko' && languages.includes('kor') ? ['kor', 'eng'] : usual.lang }
  try {
    const { psm, oem } = JSON.parse(localStorage.getItem(place()) ?? '{}')
    Object.assign(how, psm && { psm }, oem !== undefined && { oem })
  } catch {
    /* then nothing was chosen */
  }
  const kept = await settings() // without them nothing is read, and none are kept, in other languages than this user's
  const lang = kept.lang.filter((l) => l === auto || languages.includes(l))
  return { ...how, ...(lang.length && { lang }), rotate: kept.rotate || how.rotate, effort: kept.effort || how.effort }
}

const told = () => `webhook:${app.user?.id}`
/** The webhook that is told of what this user has read in the background from this browser; 0: none. */
export const webhook = () => Number(localStorage.getItem(told()))
export const setWebhook = (id: number) => (id ? localStorage.setItem(told(), String(id)) : localStorage.removeItem(told()))

let last = Promise.resolve()
/** Keeps a choice, behind those that were made before. */
export function rememberHow({ lang, psm, oem, rotate, effort }: Asked) {
  localStorage.setItem(place(), JSON.stringify({ psm, oem }))
  last = last.then(async () => {
    try {
      const { source } = await settings() // which is not chosen here
      await setSettings({ lang, rotate, effort, source })
    } catch (e) {
      complain(e)
    }
  })
}
