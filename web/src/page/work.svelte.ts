// The work on one page image: a list of regions that this browser keeps, and what was read for each of them. Reading makes a version at the
// server and changes nothing of older ones, so a step is undone by going back to the list before, or by saving the text before.
import * as api from '../api'
import type { Asked, Box, Content, Image, Order, Run } from '../api'
import { asOthers, correction, merged, needed, restored, retyped, type KeptRegion, type Own, type Region } from './carry'
import { moved, sameBox, turned } from './geometry'
import { language, t } from '../i18n.svelte'
import { replace } from '../library/library.svelte'
import { app, complain, reasonOf, tell } from '../state.svelte'
import { drop, keep, unsaved } from './unsaved.svelte'

/** What a step is undone by: the list before it, or the text that a content had. */
type Step = { list: Region[] } | { content: string; text: string }
type Outcome = { content: string } | { reason: string; away: boolean } | null // null: it is being read
type Kept = { seen: number; how?: Partial<Asked>; regions: KeptRegion[] }

/** Regions that are being read, told once it takes a while. */
export type Reading = { done: number; all: number; slow: boolean; cancel: () => void }

export const doubtful = 0.75 // a word below this confidence is one to look at
export const grave = 0.5 // and below this one it is likely wrong
const atOnce = 25 // regions of a request, so that text comes by and by; more where there would be more than twenty requests
export const mostInVersion = 2000 // that the service takes

export class Work {
  image = $state.raw<Image | null>(null)
  runs = $state.raw<Run[]>([]) // newest first
  older = $state(false) // whether there are more of them at the server
  languages = $state.raw<string[]>(['eng'])
  draft = $state.raw<Region[]>([])
  past = $state.raw<Step[]>([])
  future = $state.raw<Step[]>([])
  how = $state.raw<Asked>({ lang: ['eng'], psm: 'auto', oem: 3, rotate: 'auto', effort: '' })
  reading = $state<Reading[]>([])
  #contents = $state.raw<Record<string, Content>>({})
  #outcomes = $state.raw<Record<string, Outcome>>({})
  #from: Record<string, string> = {} // what a read takes the place of: the content whose correction it takes over
  #place: string
  #serial = 0
  #oldest = 0 // version down to which the runs are here without a gap

  constructor(readonly id: number) {
    this.#place = `page:${app.user?.id}:${id}`
  }

  content(r: Region): Content | null {
    const o = this.#outcomes[r.read]
    return o && 'content' in o ? (this.#contents[o.content] ?? null) : null
  }
  /** What a region shows: its content or, while it is read again, the one before. */
  shown(r: Region): Content | null {
    return this.content(r) ?? (this.busy(r) ? (this.#contents[this.#from[r.read]] ?? null) : null)
  }
  reason(r: Region): string {
    const o = this.#outcomes[r.read]
    return o && 'reason' in o ? o.reason : ''
  }
  /** Whether a region has no text since it could not be read. */
  failed(r: Region): boolean {
    return !!this.reason(r) || !!this.content(r)?.error
  }
  busy(r: Region): boolean {
    return this.#outcomes[r.read] === null
  }
  #settle(list: Region[], outcome: (n: number) => Outcome) {
    this.#outcomes = { ...this.#outcomes, ...Object.fromEntries(list.map((r, n) => [r.read, outcome(n)])) }
  }
  learn(list: Content[]) {
    this.#contents = { ...this.#contents, ...Object.fromEntries(list.map((c) => [c.id, c])) }
    this.#outcomes = { ...this.#outcomes, ...Object.fromEntries(list.map((c) => [c.id, { content: c.id }])) }
  }

  /** Loads the page and takes up the list that this browser kept; version is one that is wanted besides. */
  async load(version: number) {
    const [image, { runs, older }, languages] = await Promise.all([
      api.image(this.id),
      api.runs(this.id),
      api.languages().catch(() => ['eng']),
    ])
    this.languages = languages
    this.runs = runs
    this.older = older
    this.#oldest = runs.at(-1)?.version ?? 0
    this.learn(runs.flatMap((r) => r.contents))
    await this.#restore()
    if (version) await this.fetchVersion(version)
    this.image = image
  }
  /** Turns the page by 90° clockwise so many times, with all that is on it. */
  async turn(times: number) {
    const before = this.image!
    const image = await api.changeImage(this.id, { rotation: (before.rotation + 90 * times) % 360 })
    const { runs, older } = await api.runs(this.id)
    const read = runs.flatMap((r) => r.contents)
    const ids = this.draft.flatMap((r) => this.shown(r)?.id ?? []).filter((id) => !read.some((c) => c.id === id))
    this.learn([...read, ...(await this.#fetched(ids))])
    this.runs = runs
    this.older = older
    this.#oldest = runs.at(-1)?.version ?? 0
    api.forgetThumbnail(this.id)
    replace(image)
    this.image = image
    const box = (b: Box) => {
      let { width, height } = before
      for (let n = 0; n < times; n++) {
        b = turned(b, { width, height })
        ;[width, height] = [height, width]
      }
      return b
    }
    const all = (list: Region[]) => list.map((r) => ({ ...r, box: box(r.box) }))
    const steps = (list: Step[]) => list.map((s) => ('list' in s ? { list: all(s.list) } : s))
    this.draft = all(this.draft)
    this.past = steps(this.past)
    this.future = steps(this.future)
  }
  /** Contents from the server, a few at a time; those that are there no more are left out. */
  async #fetched(ids: string[]): Promise<Content[]> {
    const rest = [...ids]
    const list: Content[] = []
    while (rest.length) {
      const found = await Promise.all(
        rest.splice(0, 6).map((id) =>
          api.content(id).catch((e) => {
            if (e instanceof api.Failure && e.status === 404) return null
            throw e
          }),
        ),
      )
      list.push(...found.filter((c) => c !== null))
    }
    return list
  }
  /** Makes sure that a version is among the runs. */
  async fetchVersion(version: number) {
    if (this.runs.some((r) => r.version === version)) return
    const run = await api.version(this.id, version)
    this.learn(run.contents)
    this.#add(run)
  }
  #add(...runs: Run[]) {
    this.runs = [...this.runs.filter((r) => !runs.some((x) => x.version === r.version)), ...runs].sort((a, b) => b.version - a.version)
  }
  /** Takes up what was read elsewhere meanwhile: in another tab or by somebody else. */
  async catchUp() {
    const { runs } = await api.runs(this.id)
    const unseen = runs.filter((r) => r.version > (this.runs[0]?.version ?? 0))
    if (unseen.length === 0 || this.reading.length) return
    this.learn(unseen.flatMap((r) => r.contents))
    this.#add(...unseen)
    let list = this.draft
    for (const run of unseen.reverse()) list = merged(list, run.contents, this.fresh)
    this.draft = list
  }
  async more() {
    const { runs, older } = await api.runs(this.id, this.#oldest)
    this.#oldest = runs.at(-1)?.version ?? this.#oldest
    this.learn(runs.flatMap((r) => r.contents))
    this.#add(...runs)
    this.older = older
  }
  async #restore() {
    let kept: Kept | null = null
    try {
      kept = JSON.parse(localStorage.getItem(this.#place) ?? 'null')
    } catch {
      /* then there is none */
    }
    if (kept?.how) this.how = { ...this.how, ...kept.how }
    else if (language() === 'ko' && this.languages.includes('kor')) this.how = { ...this.how, lang: ['kor', 'eng'] }
    const seen = kept?.seen ?? 0
    while (this.older && this.#oldest > seen + 1) await this.more()

    this.learn(await this.#fetched(needed(kept?.regions ?? []).filter((id) => !this.#contents[id])))
    const back = restored(kept?.regions ?? [], (id) => id in this.#contents, this.fresh)
    for (const { region, from } of back) if (from) this.#from[region.read] = from
    const unread = back.flatMap(({ region, content }) => (content ? [] : [region]))
    this.#settle(unread, () => ({ reason: t('Not read yet.'), away: false }))
    let list = back.map(({ region }) => region)
    for (const run of this.runs.filter((r) => r.version > seen).reverse()) {
      const next = merged(list, run.contents, this.fresh)
      const taken: [string, Content][] = list.flatMap((r, n) =>
        next[n].read !== r.read && this.#from[r.read] ? [[r.read, this.content(next[n])!]] : [],
      )
      await this.#carry(taken)
      list = next
    }
    this.draft = list
  }
  /** Keeps the list in this browser. */
  save() {
    const regions = this.draft.map((r) => ({ ...r, content: this.content(r)?.id ?? null, from: this.#from[r.read] }))
    try {
      localStorage.setItem(this.#place, JSON.stringify({ seen: this.runs[0]?.version ?? 0, how: this.how, regions } satisfies Kept))
    } catch {
      /* no room: then only the versions have it */
    }
  }

  /** Changes the list; what it was can be had back. */
  put(next: Region[]) {
    this.#did({ list: this.draft })
    this.draft = next
  }
  #did(step: Step) {
    this.past = [...this.past.slice(-99), step]
    this.future = []
  }
  patch(changes: Map<string, Partial<Region>>) {
    this.put(this.draft.map((r) => ({ ...r, ...changes.get(r.key) })))
  }
  /** Undo and redo return the content whose text they changed; null where it was the list. One follows another, however fast they are asked for. */
  undo = () => (this.#turn = this.#turn.then(() => this.#travel('past', 'future')))
  redo = () => (this.#turn = this.#turn.then(() => this.#travel('future', 'past')))
  #turn: Promise<string | null> = Promise.resolve(null)
  async #travel(from: 'past' | 'future', to: 'past' | 'future'): Promise<string | null> {
    const step = this[from].at(-1)
    if (!step) return null
    const before = 'list' in step ? null : this.#contents[step.content]
    this[from] = this[from].slice(0, -1)
    this[to] = [...this[to], 'list' in step ? { list: this.draft } : { content: step.content, text: before!.text }]
    if ('list' in step) this.draft = step.list
    else {
      this.changed({ ...before!, text: step.text }) // seen at once; the server's answer takes its place
      try {
        this.changed(await api.correct(step.content, before!.revision, step.text))
      } catch (e) {
        this[to] = this[to].filter((s) => 'list' in s || s.content !== step.content)
        const now = await api.content(step.content).catch(() => before!)
        this.changed(now)
        if (e instanceof api.Failure && e.status === 412) tell(t('Someone else changed this text.'))
        else complain(e)
      }
      return step.content
    }
    return null
  }
  /** Saves a corrected text. It fails with status 412 where the content has another revision by now. */
  async correct(content: string, revision: number, text: string) {
    const before = this.#contents[content]?.text
    const next = await api.correct(content, revision, text)
    drop(content)
    this.changed(next)
    if (before !== undefined && before !== text) this.#did({ content, text: before })
  }
  /** Moves regions up or down in the list by one. */
  shift(keys: Set<string>, by: 1 | -1) {
    const next = [...this.draft]
    const order = [...next.keys()]
    for (const n of by < 0 ? order : order.reverse()) {
      const to = n + by
      if (!keys.has(next[n].key) || to < 0 || to >= next.length || keys.has(next[to].key)) continue
      ;[next[n], next[to]] = [next[to], next[n]]
    }
    if (next.some((r, n) => r !== this.draft[n])) this.put(next)
  }
  fresh = () => `${Date.now().toString(36)}-${++this.#serial}`

  add(regions: (Partial<Own> & { box: Box; name?: string })[]): Region[] {
    const made = regions.map((r): Region => ({ ...asOthers, name: '', ...r, key: this.fresh(), read: this.fresh() }))
    this.put([...this.draft, ...made])
    this.#readApart(made)
    return made
  }
  duplicate(keys: Set<string>): Region[] {
    const page = this.image!
    const copies = this.draft
      .filter((r) => keys.has(r.key))
      .map((r): Region => {
        const height = r.box.y2 - r.box.y1
        const below = moved(r.box, 0, height, page)
        return { ...r, key: this.fresh(), read: this.fresh(), box: sameBox(below, r.box) ? moved(r.box, 0, -height, page) : below }
      })
    this.put([...this.draft, ...copies])
    this.#readApart(copies)
    return copies
  }
  /** Reads regions again, changed or not. A corrected text goes along. */
  again(changes: Map<string, Partial<Region>>) {
    this.#renew(changes)
    this.#readApart(this.draft.filter((r) => changes.has(r.key)))
  }
  /** Reads all regions into one version and returns its number; 0 where it failed. */
  async readAll(): Promise<number> {
    this.#renew(new Map(this.draft.map((r) => [r.key, {}])))
    return (await this.#read(this.draft))?.[0].version ?? 0
  }
  /** The version that has just what is in the list, made where there is none. */
  async oneVersion(): Promise<number> {
    const now = this.draft.map((r) => this.content(r))
    const run = this.runs.find((r) => r.version === now[0]?.version)
    if (run && run.contents.length === now.length && now.every((c, n) => c?.id === run.contents[n].id)) return run.version
    return this.readAll()
  }
  /** Reads what could not be read since the service was away. */
  back() {
    const away = this.draft.filter((r) => {
      const o = this.#outcomes[r.read]
      return o && 'away' in o && o.away
    })
    if (away.length) this.#readApart(away)
  }

  #renew(changes: Map<string, Partial<Region>>) {
    this.patch(
      new Map(
        this.draft
          .filter((r) => changes.has(r.key))
          .map((r) => {
            const read = this.fresh()
            const from = this.content(r)?.id ?? this.#from[r.read]
            if (from) this.#from[read] = from
            return [r.key, { ...changes.get(r.key), read }]
          }),
      ),
    )
  }
  async #readApart(list: Region[]) {
    if (list.length <= atOnce) {
      await this.#read(list)
      return
    }
    const control = new AbortController()
    this.#settle(list, () => null)
    const progress = this.#progress(list.length, control)
    const batch = Math.min(mostInVersion, Math.max(atOnce, Math.ceil(list.length / 20)))
    for (let n = 0; n < list.length; n += batch) {
      await this.#read(list.slice(n, n + batch), control)
      progress.done = Math.min(n + batch, list.length)
    }
    this.#finished(progress)
  }
  #progress(all: number, control: AbortController): Reading {
    this.reading.push({ done: 0, all, slow: false, cancel: () => control.abort() })
    const progress = this.reading.at(-1)!
    setTimeout(() => {
      progress.slow = true
    }, 700)
    return progress
  }
  #finished(progress: Reading) {
    this.reading = this.reading.filter((p) => p !== progress)
  }

  /** Reads regions as one version. Each has its read from fresh(). */
  async #read(list: Region[], part?: AbortController): Promise<Content[] | null> {
    const control = part ?? new AbortController()
    this.#settle(list, () => null)
    const progress = part ? null : this.#progress(list.length, control)
    try {
      const how = this.how
      const number = (v: string | null) => (v === null || v === 'auto' ? (v ?? undefined) : Number(v))
      const order = list.map((r) => ({
        ...r.box,
        name: r.name || undefined,
        lang: r.lang ?? undefined,
        charset: r.charset || undefined,
        psm: number(r.psm) as Order['psm'],
        rotate: number(r.rotate) as Order['rotate'],
        effort: r.effort ?? undefined,
      }))
      const got = await this.#patiently(() => api.recognize(this.id, how, order, control.signal), control.signal)
      this.learn(got)
      const run: Run = {
        version: got[0].version,
        created_datetime: new Date().toISOString(),
        user: { id: app.user!.id, name: app.user!.name },
        lang: how.lang,
        psm: how.psm === 'auto' ? null : Number(how.psm),
        oem: how.oem,
        engine: got[0].engine,
        contents: got,
      }
      this.#add(run)
      await this.#carry(list.map((r, n) => [r.read, got[n]]))
      this.#settle(list, (n) => ({ content: got[n].id }))
      return got
    } catch (e) {
      const cancelled = e instanceof DOMException
      const reason = cancelled ? t('Cancelled') : reasonOf(e)
      const away = e instanceof api.Failure && e.status === 0
      this.#settle(list, () => ({ reason, away }))
      if (away) complain(e)
      if (e instanceof api.Failure && e.status === 404) this.gone()
      return null
    } finally {
      if (progress) this.#finished(progress)
    }
  }
  /** Called when the image turns out to be there no more. */
  gone = () => {}

  /** Asks again where the service is busy, as it says when. */
  async #patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask()
      } catch (e) {
        if (!(e instanceof api.Failure) || e.status !== 503 || !e.after || attempt === 5) throw e
        const seconds = Math.min(e.after, 15)
        await new Promise((ok) => {
          const timer = setTimeout(ok, seconds * 1000)
          signal.addEventListener('abort', () => {
            clearTimeout(timer)
            ok(null)
          })
        })
        signal.throwIfAborted()
      }
    }
  }

  /** Writes corrected texts into the new readings, each kept as one that is not saved until it is. What is being typed goes along as it is. */
  async #carry(readings: [read: string, now: Content][]) {
    const pairs = readings.flatMap(([read, now]) => {
      const old = this.#contents[this.#from[read]]
      return old ? [{ read, now, old, text: correction(old, now) }] : []
    })
    for (const { now, text } of pairs) if (text !== null) keep(now.id, { text, revision: now.revision })
    for (const { now, text } of pairs) {
      if (text === null) continue
      try {
        this.changed(await api.correct(now.id, now.revision, text))
        drop(now.id)
      } catch (e) {
        complain(e)
      }
    }
    for (const { read, now, old } of pairs) {
      const typed = unsaved(old.id)
      if (typed && old.id !== now.id) {
        drop(old.id)
        keep(now.id, retyped(typed, this.#contents[now.id]))
      }
      delete this.#from[read]
    }
  }
  /** Takes up a newer revision of a content. */
  changed(c: Content) {
    this.#contents = { ...this.#contents, [c.id]: c }
    this.runs = this.runs.map((r) => (r.version === c.version ? { ...r, contents: r.contents.map((x) => (x.id === c.id ? c : x)) } : r))
  }
  /** Deletes a content at the server, with its corrections. */
  async forget(c: Content) {
    await api.deleteContent(c.id).catch((e) => {
      if (!(e instanceof api.Failure && e.status === 404)) throw e
    })
    drop(c.id)
    this.runs = this.runs.map((r) => (r.version === c.version ? { ...r, contents: r.contents.filter((x) => x.id !== c.id) } : r))
    const left = this.draft.filter((r) => this.content(r)?.id !== c.id)
    if (left.length < this.draft.length) this.put(left)
    const reads = Object.entries(this.#outcomes).filter(([, o]) => o && 'content' in o && o.content === c.id)
    this.#outcomes = {
      ...this.#outcomes,
      ...Object.fromEntries(reads.map(([read]) => [read, { reason: t('The text was deleted.'), away: false }])),
    }
  }
}
