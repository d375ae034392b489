// What is on its way to the service. It goes on while other parts of the page are shown.
import { Failure, freshKey, upload, type Image } from '../api'
import { add as show } from './library.svelte'
import { t } from '../i18n.svelte'
import { app, complain, reasonOf } from '../state.svelte'

export type Upload = {
  key: number
  file: File
  state: 'waiting' | 'sending' | 'done' | 'failed'
  part: number // of it that has gone, 0–1
  reason: string
  final: boolean // the same file would be refused again
  tries: number
  locked: boolean // it takes a password
  password: string
  once: string // the same until it is answered
  image?: Image
  control: AbortController
}

let queue = $state<Upload[]>([])
let count = 0
let working = false

export const uploads = () => queue
const longest = 200 // characters of a name
/** Why a file is not even sent. */
function refusal({ size, name }: File): string {
  if (size === 0) return t('The file is empty.')
  return [...name].length > longest ? t('A file name can have at most {n} characters.', { n: longest }) : ''
}
const open = (u: Upload) => u.state === 'waiting' || u.state === 'sending'

/** Puts files into the queue. They go one after another, so that the first one is there soon and their order stays. */
export function enqueue(files: Iterable<File>) {
  if (!queue.some((u) => u.state !== 'done')) queue = []
  for (const file of files) {
    const reason = refusal(file)
    queue.push({
      key: ++count,
      file,
      state: reason ? 'failed' : 'waiting',
      part: 0,
      reason,
      final: !!reason,
      tries: 0,
      locked: false,
      password: '',
      once: freshKey(),
      control: new AbortController(),
    })
  }
  work()
}

async function work() {
  if (working) return
  working = true
  addEventListener('beforeunload', warn)
  for (let u; !app.offline && (u = queue.find((u) => u.state === 'waiting'));) {
    u.state = 'sending'
    u.part = 0
    try {
      u.image = await upload(u)
      u.state = 'done'
      show(u.image)
    } catch (e) {
      if (u.control.signal.aborted) continue
      const away = e instanceof Failure && e.status === 0 && ++u.tries < 3
      u.state = away ? 'waiting' : 'failed'
      if (!(e instanceof Failure && e.status === 0)) u.once = freshKey()
      u.locked = e instanceof Failure && e.code === 'pdf_encrypted'
      u.final = e instanceof Failure && e.final
      u.reason = away ? '' : reasonOf(e)
      if (e instanceof Failure && e.status === 0) complain(e)
    }
  }
  working = false
  if (!queue.some(open)) removeEventListener('beforeunload', warn)
}
const warn = (e: Event) => e.preventDefault()

// What waits goes on after the service was away.
addEventListener('glyphbox-back', work)

export function retry(list: Upload[]) {
  for (const u of list) Object.assign(u, { state: 'waiting', tries: 0, reason: '', final: false, control: new AbortController() })
  work()
}
/** Sends a file again with the password that opens it. */
export function unlock(u: Upload, password: string) {
  u.password = password
  retry([u])
}
/** Takes uploads out of the queue, whether they are under way or not. */
export function cancel(list: Upload[]) {
  const keys = new Set(list.map((u) => u.key))
  for (const u of list) u.control.abort()
  queue = queue.filter((u) => !keys.has(u.key))
}
