// What is read in the background. It goes on at the server, whoever looks.
import {
  addJob,
  cancelJob,
  failedItems,
  Failure,
  follow,
  image,
  jobs as ask,
  languages,
  retryJob,
  type Job,
  type JobItem,
  type Order,
} from '../api'
import { howToRead, setWebhook, webhook } from '../how'
import { count, t } from '../i18n.svelte'
import { renew } from '../library/library.svelte'
import { wasRead } from '../page/leaves.svelte'
import type { ServerEvent } from '../sse'
import { complain, tell } from '../state.svelte'

/** An item that failed, with the name of its image. */
export type Failed = JobItem & { name: string }
export type Shown = { job: Job; failed: Failed[]; event: string } // event: id of the last one that came

let shown = $state<Shown[]>([]) // newest first
let put = $state.raw<Set<string>>(new Set()) // away by somebody who has seen them
let signedIn = new AbortController() // until somebody else is, or nobody
let streams: AbortController | null = null // while something is at work and the page is in sight
let followed = '' // id of the job whose stream is open

const atWork = (j: Job) => j.state === 'queued' || j.state === 'running'
export const jobs = () => shown.filter((s) => !put.has(s.job.id))
export const running = () => shown.filter((s) => atWork(s.job)).length
export { atWork }

/** Looks after the jobs of who signed in; nobody's where there is none. */
export async function look(user: number) {
  signedIn.abort()
  const { signal } = (signedIn = new AbortController())
  pause()
  shown = []
  if (!user) return
  try {
    const list = await ask()
    if (signal.aborted) return
    const recent = (j: Job) => atWork(j) || (j.failed > 0 && Date.now() - Date.parse(j.created_datetime) < 86_400_000)
    for (const j of list.filter(recent).reverse()) show(j)
  } catch (e) {
    complain(e)
  }
}
function show(j: Job) {
  shown = [{ job: j, failed: [], event: '' }, ...shown.filter((s) => s.job.id !== j.id)]
  if (atWork(j)) watch()
  else if (j.failed) name(j.id)
}
const at = (id: string) => shown.find((s) => s.job.id === id)

/**
 * Follows what is at work, one job after the other, the oldest first: a browser has few connections to a host, and each stream holds one. How
 * far the others are is asked from time to time.
 */
async function watch() {
  if (streams || document.hidden) return
  const control = (streams = new AbortController())
  for (let s; !control.signal.aborted && (s = shown.findLast((s) => atWork(s.job)));) {
    followed = s.job.id
    const timer = setInterval(others, 5000)
    await toEnd(followed, control.signal)
    clearInterval(timer)
  }
  if (streams === control) streams = null
}
function pause() {
  streams?.abort()
  streams = null
}
document.addEventListener('visibilitychange', () => (document.hidden ? pause() : watch()))

/** Sees how far jobs are that are not followed. */
async function others() {
  const control = streams
  if (!control || running() < 2) return
  const list = await ask().catch(() => [])
  for (const j of streams === control ? list : []) {
    const s = at(j.id)
    if (!s || j.id === followed || !atWork(s.job)) continue
    s.job = j
    if (!atWork(j)) toEnd(j.id, control.signal) // which tells what has become of its items, and is over at once
  }
}
/** Follows a job to its end. */
async function toEnd(id: string, signal: AbortSignal) {
  try {
    const it = (e: ServerEvent) => {
      if (e.event === 'item') {
        const item: JobItem = JSON.parse(e.data)
        if (item.version) wasRead(item.image_id)
      }
      const s = at(id)
      if (s) s.event = e.id
      if (e.event !== 'progress' && e.event !== 'end') return false
      if (s) s.job = JSON.parse(e.data)
      return e.event === 'end'
    }
    await follow(`/job/${id}/events`, signal, it, at(id)?.event)
  } catch (e) {
    complain(e)
    shown = shown.filter((s) => s.job.id !== id)
  }
  const s = at(id)
  if (signal.aborted || !s) return
  if (s.job.failed) await name(id)
  if (s.job.state !== 'cancelled') tell(count(s.job.done, '1 page was read.', '{n} pages were read.'))
  renew()
  dispatchEvent(new Event('glyphbox-read'))
}
/** Finds out what failed. */
async function name(id: string) {
  try {
    const items = await failedItems(id)
    const named = await Promise.all(
      items.map(async (i): Promise<Failed> => ({ ...i, name: (await image(i.image_id).catch(() => null))?.name ?? String(i.image_id) })),
    )
    const s = at(id)
    if (s) s.failed = named
  } catch (e) {
    complain(e)
  }
}

/** Reads images in the background, regions of each or whole pages. */
export async function read(ids: number[], regions: Order[] = []) {
  try {
    show(await addJob(ids, await howToRead(await languages()), regions, webhook()))
    tell(count(ids.length, '1 page is being read in the background.', '{n} pages are being read in the background.'))
  } catch (e) {
    if (!webhook() || !(e instanceof Failure && e.fields.some((f) => f.field === 'webhook'))) return complain(e)
    setWebhook(0) // it was deleted
    await read(ids, regions)
  }
}
export async function cancel(id: string) {
  await cancelJob(id).then(others, complain)
}
export async function retry(id: string) {
  try {
    const j = await retryJob(id)
    show(j)
    tell(t('The failed pages are being read again.'))
  } catch (e) {
    complain(e)
  }
}
// What an item fails with that would fail again.
const never = ['decoder_missing', 'image_not_found', 'invalid_input', 'owner_only', 'pdf_encrypted', 'too_many_pixels', 'unsupported_image']
/** Whether some of what failed may be read by another try. */
export const worthwhile = (job: Job, failed: Failed[]) =>
  job.failed > failed.length || failed.some((f) => !never.includes(f.error?.code ?? ''))
/** Takes a job that has ended out of sight. */
export function putAway(id: string) {
  put = new Set([...put, id])
}
