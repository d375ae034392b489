// What was read, saved as files.
import { ask, json } from './api'
import { count } from './i18n.svelte'
import { tell } from './state.svelte'

/** Saves the newest version of pages as a file, or one version of one page. */
export async function download(id: number, format: string, pages: string, version = 0) {
  const q = new URLSearchParams({ format, pages })
  if (version) q.set('version', String(version))
  await saved(await ask(`/image/${id}/export?${q}`), `page.${format}`)
}
/** Saves the newest versions of several images as an archive or as one file. */
export async function downloadAll(image_ids: number[], format: string, as: 'zip' | 'one') {
  await saved(await ask('/export', json('POST', { image_ids, format, as })), `pages.${as === 'zip' ? 'zip' : format}`)
}
async function saved(r: Response, name: string) {
  const named = /filename\*=UTF-8''([^;]+)/.exec(r.headers.get('Content-Disposition') ?? '')
  const a = document.createElement('a')
  a.href = URL.createObjectURL(await r.blob())
  a.download = named ? decodeURIComponent(named[1]) : name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000)
  const unread = Number(r.headers.get('Export-Unread'))
  if (unread) tell(count(unread, '1 exported page has not been read yet.', '{n} exported pages have not been read yet.'))
}
