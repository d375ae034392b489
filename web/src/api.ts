// What the page asks of the service. The access token lives in this module only; the refresh token in a cookie that no script can read.
import type { components } from './api.gen'
import { EventParser, type ServerEvent } from './sse'

type Schemas = components['schemas']
export type User = Schemas['User']
export type Image = Schemas['Image']
export type Content = Schemas['Content']
export type Run = Schemas['Run']
export type Box = Schemas['Box']
export type Word = Schemas['Word']
export type Key = Schemas['Key']
export type NewKey = Schemas['NewKey']
export type Login = Schemas['Login']
export type Service = Schemas['Service']
export type Job = Schemas['Job']
export type Hit = Schemas['Hit']
export type Settings = Schemas['Settings']
export type JobItem = Schemas['JobItem']
type Problem = Schemas['Problem']
type Grant = Schemas['Grant']

/** Why a request failed. status 0: the service was not reached. after: seconds until it may be worth another try; 0: not known. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly fields: { field: string; detail: string }[] = [],
    readonly after = 0,
  ) {
    super(detail)
  }
  /** Whether the same request would fail again. */
  get final(): boolean {
    return [400, 403, 404, 413, 415, 422].includes(this.status)
  }
  /** The server's reason, with the fields at fault where it says no more than that there are some. */
  get reason(): string {
    return this.code === 'invalid_input' ? this.fields.map((f) => `${f.field}: ${f.detail}`).join('; ') : this.message
  }
}

const base = 'api/v1' // relative to the path that the service is shown below
const asPage = { 'X-Glyphbox-Session': 'cookie' }
let token = ''
let lapses = 0
let holder = '' // who signed in first since the page was loaded; nobody else's token is taken
let refreshing: Promise<boolean> | null = null
let ended: (why: Failure | null) => void = () => {}
// Requests that wait until the session that is over is followed by another of the same user, and whether each changes something.
let waiting: Map<() => void, boolean> | null = null

/** Calls f when the session turns out to be over, with the reason where it is more than that. */
export function onSessionEnd(f: typeof ended) {
  ended = f
}

/** Goes on with a session, unless it is somebody else's. */
function keep(g: Grant): boolean {
  const { sub } = JSON.parse(atob(g.access_token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')))
  holder ||= sub
  if (holder !== sub) return false
  token = g.access_token
  lapses = Date.now() + (g.expires_in - 30) * 1000
  const on = waiting?.keys() ?? []
  waiting = null
  for (const f of on) f()
  return true
}
/** Whether a change waits for its user to sign in again. */
export const unsent = () => [...(waiting?.values() ?? [])].some(Boolean)
function end(why: Failure | null) {
  waiting ??= new Map()
  ended(why)
}

const unreachable = () => new Failure(0, 'unreachable', 'unreachable')
/** Why a request failed. What a proxy answers for the service, without a reason of ours, says that it was not reached. */
const why = (status: number, text: string, p: Partial<Problem> | null, after = 0) =>
  !p?.code && status > 501 ? unreachable() : new Failure(status, p?.code ?? 'unknown', p?.detail ?? text, p?.errors ?? [], after)
const failure = async (r: Response) =>
  why(r.status, r.statusText, await r.json().catch(() => null), Number(r.headers.get('Retry-After') ?? 0))

/** Whether a failure ends the session, as that of somebody who was blocked. */
const ends = (f: Failure) => f.code === 'account_blocked' || f.code === 'account_inactive'

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw unreachable()
  }
}

/** Gets a new access token by the cookie; false where the user has no session. A refresh token works once, so tabs take turns. */
export function resume(): Promise<boolean> {
  const attempt = async () => {
    const r = await reach(base + '/user/token', { method: 'POST', headers: { ...asPage, 'Content-Type': 'application/json' }, body: '{}' })
    if (r.ok) return keep(await r.json())
    if (r.status === 401) return false
    const f = await failure(r)
    if (!ends(f)) throw f
    end(f)
    return false
  }
  refreshing ??= (navigator.locks ? navigator.locks.request('glyphbox-session', attempt) : attempt()).finally(() => {
    refreshing = null
  })
  return refreshing
}

/** The access token, made new where it is about to lapse. Once the session is over it is waited for, with what is to be done by it. */
async function access(changes: boolean, signal?: AbortSignal | null): Promise<string> {
  for (;;) {
    if (waiting)
      await new Promise<void>((go, no) => {
        waiting!.set(go, changes)
        signal?.addEventListener('abort', () => {
          waiting?.delete(go)
          no(signal.reason)
        })
      })
    if (Date.now() <= lapses) return token
    if (!(await resume()) && !waiting) end(null)
  }
}

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  for (let again = true; ; again = false) {
    const headers = new Headers(init.headers)
    headers.set('Authorization', 'Bearer ' + (await access(!!init.method, init.signal)))
    const r = await reach(base + path, { ...init, headers })
    if (r.ok) return r
    const f = await failure(r)
    if (ends(f)) end(f)
    else if (r.status !== 401 || !again) throw f
    lapses = 0
  }
}

export function json(method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, { signal })).json()
}
export async function send<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
  const r = await ask(path, json(method, body, headers))
  return (r.status === 204 ? undefined : await r.json()) as T
}

/** Asks for what needs no session. */
async function reached(path: string, init: RequestInit): Promise<Response> {
  const r = await reach(base + path, init)
  if (!r.ok) throw await failure(r)
  return r
}
/** Signs in; false where it is somebody else than before, whose session the page goes on with when it is loaded anew. */
export async function signIn(username: string, password: string): Promise<boolean> {
  const r = await reached('/user/login', { method: 'POST', headers: asPage, body: new URLSearchParams({ username, password }) })
  return keep(await r.json())
}
export async function signUp(name: string, email: string, password1: string, password2: string) {
  await reached('/user', json('POST', { name, email, password1, password2 }))
}
export async function signOut() {
  await ask('/user/logout', { method: 'POST', headers: asPage })
  lapses = 0
}

export const signUpOpen = async () => ((await (await reached('/user/signup', {})).json()) as Schemas['SignUp']).open

export const me = () => get<User>('/user/me')
export const changePassword = (current_password: string, password1: string, password2: string) =>
  send<User>('PUT', '/user/password', { current_password, password1, password2 })
export const settings = () => get<Settings>('/user/settings')
export const setSettings = (to: Settings) => send<Settings>('PUT', '/user/settings', to)
export const changeProfile = (name: string, email: string) => send<User>('PUT', '/user', { name, email })
/** Ends the account. */
export async function resign(images: 'delete' | 'keep') {
  await ask('/user?images=' + images, { method: 'DELETE', headers: asPage })
  lapses = 0
}
export async function logins(page: number) {
  const r = await ask(`/user/logins?size=20&page=${page}`)
  return { logins: (await r.json()) as Login[], total: Number(r.headers.get('X-Total-Count')) }
}
export const keys = () => get<Key[]>('/user/key')
export const addKey = (name: string, expires: string | null) => send<NewKey>('POST', '/user/key', { name, expires })
export const deleteKey = (id: string) => send<void>('DELETE', '/user/key/' + id)

export async function users(keyword: string, page: number, signal?: AbortSignal) {
  const r = await ask('/admin/user?' + new URLSearchParams({ keyword, size: '50', page: String(page) }), { signal })
  return { users: (await r.json()) as User[], total: Number(r.headers.get('X-Total-Count')) }
}
export const setRole = (id: number, role: string | null) => send<User>('PUT', `/admin/user/${id}/role`, { role })
export const block = (id: number, detail: string) => send<User>('PUT', `/admin/user/${id}/state/blocked`, { detail })
export const unblock = (id: number) => send<void>('DELETE', `/admin/user/${id}/state/blocked`)
export const service = () => get<Service>('/admin/service')

export type Sort = 'newest' | 'oldest' | 'name'
export type Owner = 'me' | 'others' | 'all'
/** Which images, and in which order. owner: '' for all that one may see. */
export type Listed = { keyword: string; sort: Sort; owner: '' | Owner; tag: string }
/** One page of the list. A page has 100 images. */
export async function images({ keyword, sort, owner, tag }: Listed, page: number, signal?: AbortSignal) {
  const q = new URLSearchParams({ keyword, sort, size: '100', page: String(page), ...(owner && { owner }), ...(tag && { tag }) })
  const r = await ask('/image?' + q, { signal })
  return { images: (await r.json()) as Image[], total: Number(r.headers.get('X-Total-Count')) }
}
/** A hundred pages of a document, in order. */
export const pagesOf = (document: number, block: number) => get<Image[]>(`/image?document=${document}&size=100&page=${block}`)
export const image = (id: number) => get<Image>(`/image/${id}/meta`)
export const changeImage = (id: number, change: { name?: string; visibility?: string; rotation?: number; tags?: string[] }) =>
  send<Image>('PUT', `/image/${id}`, change)
/** Shares a document with users by name, and with nobody else by name; returns their names. */
export const share = async (id: number, users: string[]) => (await send<{ users: string[] }>('PUT', `/image/${id}/share`, { users })).users
export const tags = (owner: string) => get<{ name: string; documents: number }[]>('/tag?size=100' + (owner && '&owner=' + owner))
/** It goes on where the page is left meanwhile. */
export const deleteImage = (id: number) => ask(`/image/${id}`, { method: 'DELETE', keepalive: true })

/** A key that nothing else has. */
export const freshKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-')
type Sent = { file: File; password: string; once: string; part: number; control: AbortController }
/** Sends one file, with the password that opens it where there is one, and tells in part how much of it has gone, 0–1. */
export async function upload(it: Sent): Promise<Image> {
  for (let again = true; ; again = false) {
    const x = await post(it, await access(true, it.control.signal))
    if (x.status === 201) return x.response as Image
    if (x.status === 401 && again) {
      lapses = 0
      continue
    }
    throw why(x.status, x.statusText, x.response)
  }
}
// fetch does not tell how much has gone.
function post(it: Sent, bearer: string): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest()
    x.open('POST', base + '/image')
    x.setRequestHeader('Authorization', 'Bearer ' + bearer)
    x.setRequestHeader('Idempotency-Key', it.once)
    x.responseType = 'json'
    x.upload.onprogress = (e) => {
      if (e.lengthComputable) it.part = e.loaded / e.total
    }
    x.onload = () => resolve(x)
    x.onerror = () => reject(unreachable())
    x.onabort = () => reject(new DOMException('', 'AbortError'))
    it.control.signal.addEventListener('abort', () => x.abort())
    const form = new FormData()
    if (it.password) form.append('password', it.password)
    form.append('file', it.file)
    x.send(form)
  })
}

export type Rotate = 'auto' | '0' | '90' | '180' | '270'
export type Effort = Schemas['RegionForm']['effort'] & string
/** effort: '' as the service is set up. */
export type Asked = { lang: string[]; psm: string; oem: number; rotate: Rotate; effort: Effort | '' }
export type Order = Schemas['RegionForm']

/** Has the service find out the language of each line. */
export const auto = 'auto'
export const languages = () => get<string[]>('/ocr/lang')
/** Where text may be, as boxes that can be ordered to be read. */
export async function layout(id: number, level: 'block' | 'line', signal?: AbortSignal): Promise<Box[]> {
  const found = await get<Schemas['Suggestion'][]>(`/image/${id}/layout?level=${level}`, signal)
  return found.map(({ x1, y1, x2, y2 }) => ({ x1, y1, x2, y2 }))
}
/** The newest runs, or those below a version, and whether there are older ones. */
export async function runs(id: number, before?: number) {
  const r = await ask(`/image/${id}/ocr` + (before ? `?before=${before}` : ''))
  return { runs: (await r.json()) as Run[], older: r.headers.has('Link') }
}
export const version = async (id: number, v: number) => (await get<Run[]>(`/image/${id}/ocr?version=${v}`))[0]
/** Reads regions as a new version or, with into, as a part of that one. Within a day the same with the same key takes effect once. */
export async function recognize(
  id: number,
  how: Asked,
  regions: Order[],
  once: string,
  signal?: AbortSignal,
  into = 0,
): Promise<Content[]> {
  const q = new URLSearchParams(how.lang.map((l) => ['lang', l]))
  q.set('psm', how.psm)
  q.set('oem', String(how.oem))
  q.set('rotate', how.rotate)
  if (how.effort) q.set('effort', how.effort)
  if (into) q.set('into', String(into))
  return (await ask(`/image/${id}/ocr?${q}`, { ...json('POST', regions, { 'Idempotency-Key': once }), signal })).json()
}
export const content = (id: string) => get<Content>('/ocr/' + id)
/** What of a content is to be otherwise. */
export type Change = Omit<Schemas['CorrectionForm'], 'detail'>
/** Changes a content; with a revision only if it has that. It goes on where the page is left meanwhile. */
export async function change(id: string, revision: number | null, to: Change): Promise<Content> {
  const init = json('PUT', to, revision === null ? {} : { 'If-Match': `"${revision}"` })
  return (await ask('/ocr/' + id, { ...init, keepalive: String(init.body).length < 15_000 })).json()
}
/** Marks a content as deleted, or removes it for good. */
export const deleteContent = (id: string, purge = false) =>
  ask(`/ocr/${id}${purge ? '?purge=true' : ''}`, { method: 'DELETE', keepalive: true })
/** Texts of an image that were deleted and can be restored, the last one first. */
export async function deleted(id: number, page: number) {
  const r = await ask(`/image/${id}/ocr/deleted?size=20&page=${page}`)
  return { contents: (await r.json()) as Content[], total: Number(r.headers.get('X-Total-Count')) }
}
export const revisions = (id: string) => get<Content[]>(`/ocr/${id}/revisions`)

/**
 * Follows a stream of events until it is over or called off, through what breaks it: it is asked for again from where it was. it is called with
 * each event, and returns whether that was the last one. last: the id of the last event that is known.
 */
export async function follow(path: string, signal: AbortSignal, it: (e: ServerEvent) => boolean | void, last = '') {
  for (let pause = 500; !signal.aborted; pause = Math.min(pause * 2, 15_000)) {
    try {
      const r = await ask(path, { signal, headers: { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) } })
      const parser = new EventParser()
      const text = r.body!.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await text.read()
        if (done) break
        pause = 500
        for (const e of parser.feed(value)) {
          last = e.id
          if (it(e)) return
        }
      }
    } catch (e) {
      if (signal.aborted) return
      if (e instanceof Failure && e.status !== 0 && e.status < 500 && e.status !== 429) throw e
    }
    await new Promise((ok) => setTimeout(ok, pause))
  }
}

/** Looks for words in all texts that one may see, and in names; before: the id of the last hit that is here. */
export const search = (q: string, limit: number, before: number, signal?: AbortSignal) =>
  get<Hit[]>('/search?' + new URLSearchParams({ q, limit: String(limit), ...(before && { before: String(before) }) }), signal)
/** Reads images in the background: regions of each or, without any, whole pages. */
export const addJob = (image_ids: number[], how: Asked, regions: Order[], webhook: number) =>
  send<Job>('POST', '/job', {
    image_ids,
    regions,
    lang: how.lang,
    psm: how.psm === 'auto' ? 'auto' : Number(how.psm),
    oem: how.oem,
    rotate: how.rotate,
    ...(how.effort && { effort: how.effort }),
    ...(webhook && { webhook }),
  })
export const jobs = () => get<Job[]>('/job?size=20')
export const job = (id: string) => get<Job>('/job/' + id)
export const failedItems = (id: string) => get<JobItem[]>(`/job/${id}/item?state=failed&size=20`)
export const retryJob = (id: string) => send<Job>('POST', `/job/${id}/retry`)
export const cancelJob = (id: string) => send<unknown>('DELETE', '/job/' + id)

/** An image as an address that the page can show; the caller frees it by URL.revokeObjectURL. */
export async function picture(path: string, signal?: AbortSignal): Promise<string> {
  return URL.createObjectURL(await (await ask(path, { signal })).blob())
}
/** A rendition of a part of an image, or of all of it. */
export const viewPath = (id: number, width: number, b?: Box) =>
  `/image/${id}/view?width=${width}` + (b ? `&x1=${b.x1}&y1=${b.y1}&x2=${b.x2}&y2=${b.y2}` : '')
export function cropPath(id: number, c: Content, charset: string) {
  const q = new URLSearchParams(c.lang.map((l) => ['lang', l]))
  for (const k of ['x1', 'y1', 'x2', 'y2'] as const) q.set(k, String(c.roi[k]))
  if (c.psm) q.set('psm', String(c.psm))
  q.set('rotate', String(c.rotation))
  if (charset) q.set('charset', charset)
  return `/image/${id}/crop?${q}`
}

// Thumbnails are kept, the oldest ones go first.
const thumbs = new Map<number, string>()
/** A thumbnail that is here already. */
export const keptThumbnail = (id: number) => thumbs.get(id)
export async function thumbnail(id: number, signal: AbortSignal): Promise<string> {
  const url = await picture(`/image/${id}/thumbnail`, signal)
  thumbs.set(id, url)
  if (thumbs.size > 600) {
    const [oldest, address] = thumbs.entries().next().value!
    thumbs.delete(oldest)
    URL.revokeObjectURL(address)
  }
  return url
}
export function forgetThumbnail(id: number) {
  const address = thumbs.get(id)
  thumbs.delete(id)
  if (address) URL.revokeObjectURL(address)
}
export function forgetThumbnails() {
  for (const address of thumbs.values()) URL.revokeObjectURL(address)
  thumbs.clear()
}
