// The work on one page image: the regions of its newest version, as the server has them, and those that are being read for it. All that is done
// is done at the server, and undone there; what a step is undone by is kept for the tab, so that a reload does not lose it.
import * as api from '../api'
import type { Asked, Box, Change, Content, Image, Run } from '../api'
import { asOthers, asRegion, correction, covers, mirrored, retyped, rotatedBy, type Own, type Region } from './carry'
import { orderOf } from './clipboard'
import { moved, sameBox, turned } from './geometry'
import { howToRead, rememberHow } from '../how'
import { count, t } from '../i18n.svelte'
import { replace } from '../library/library.svelte'
import { app, complain, reasonOf, tell } from '../state.svelte'
import { History, type Step } from './history.svelte'
import type { Happened } from './others.svelte'
import { drop, keep, Queue, unsaved, Unread, type Sent, type Unanswered, type Waiting } from './unsaved.svelte'

/** Regions that are being read, told once it takes a while. */
export type Reading = { done: number; all: number; slow: boolean; cancel: () => void }

export const doubtful = 0.75 // a word below this confidence is one to look at
export const grave = 0.5 // and below this one it is likely wrong
/** Whether a word is one to look at: nobody has said that it is right. */
export const inDoubt = (c: Content, word: number) => c.words[word].confidence < doubtful && !c.words[word].confirmed && !c.confirmed
const atOnce = 25 // regions of a request, so that text comes by and by; more where there would be more than twenty requests
export const mostInVersion = 2000 // that the service takes in one request
const keptFor = 23 * 3600_000 // milliseconds for which the service surely knows a request that is sent again
const together = 700 // milliseconds in which confirmations of one text become one revision

export class Work {
  image = $state.raw<Image | null>(null)
  runs = $state.raw<Run[]>([]) // newest first
  older = $state(false) // whether there are more of them at the server
  languages = $state.raw<string[]>(['eng'])
  #draft = $state.raw<Region[]>([])
  version = $state(0) // that the draft shows; 0: nothing was read yet
  offered = $state.raw<Run | null>(null) // made elsewhere: newer and without all that the draft has, or overtaken by it
  how = $state.raw<Asked>({ lang: ['eng'], psm: 'auto', oem: 3, rotate: 'auto', effort: '' })
  reading = $state<Reading[]>([])
  history: History
  #queue: Queue
  #unread: Unread
  #contents = $state.raw<Record<string, Content>>({})
  #serial = 0
  #oldest = 0 // version down to which the runs are here without a gap

  constructor(readonly id: number) {
    this.history = new History(`steps:${app.user?.id}:${id}`)
    this.#queue = new Queue(id)
    this.#unread = new Unread(id)
  }
  /** Called when another page is shown. What is being read is read to its end. */
  leave = () => this.#unread.leave(Promise.allSettled(this.#underWay))
  /** Called when the tab is closed, or shows what is no page of ours. */
  hide() {
    this.#flush().catch(complain)
    this.#unread.leave(Promise.resolve())
  }

  get draft(): Region[] {
    return this.#draft
  }
  /** What of the list has yet to be read is kept, so that it is not lost with the tab. */
  set draft(list: Region[]) {
    this.#draft = list
    const unread = list.filter((r) => r.state !== 'read' && !(r.content && this.#anew))
    const rotation = this.image?.rotation ?? 0
    this.#unread.mirror(unread.map((region) => ({ region, rotation, revision: this.#contents[region.content]?.revision ?? 0 })))
  }
  #anew = 0 // lists that are being read as new versions

  content = (r: Region): Content | null => (r.state === 'read' ? (this.#contents[r.content] ?? null) : null)
  /** What a region shows: its content or, while it is read again, the one before. */
  shown = (r: Region): Content | null => this.#contents[r.content] ?? null
  contentOf = (id: string): Content | undefined => this.#contents[id]
  reason = (r: Region): string => (r.state === 'failed' ? r.reason : '')
  /** Whether a region has no text since it could not be read. */
  failed = (r: Region): boolean => r.state === 'failed' || !!this.content(r)?.error
  busy = (r: Region): boolean => r.state === 'reading'
  fresh = () => `${this.#unread.tab}-${++this.#serial}`

  learn(list: Content[]) {
    for (const c of list) this.#rank(c.id)
    this.#contents = { ...this.#contents, ...Object.fromEntries(list.map((c) => [c.id, c])) }
  }
  /** Changes regions of the list in place. */
  #set(keys: Set<string>, to: Partial<Region> | ((r: Region) => Partial<Region>)) {
    this.draft = this.draft.map((r) => (keys.has(r.key) ? { ...r, ...(typeof to === 'function' ? to(r) : to) } : r))
  }

  /** Loads the page; version is one that is wanted besides the newest. */
  async load(version: number) {
    const known = api.languages()
    const [image, { runs, older }, languages, how] = await Promise.all([
      api.image(this.id),
      api.runs(this.id),
      known,
      known.then(howToRead),
    ])
    this.languages = languages
    this.how = how
    this.runs = runs
    this.older = older
    this.#oldest = runs.at(-1)?.version ?? 0
    this.learn(runs.flatMap((r) => r.contents))
    if (version) await this.fetchVersion(version)
    this.#take(runs[0])
    this.image = image
    const left = this.#queue.left()
    if (left.length) this.#track(this.#inTurn(() => this.#goOn(left)))
    this.takeUp()
  }
  /** Reads what tabs that are gone have left unread, also those that go from now on. */
  takeUp() {
    this.#unread.left((left) => this.#track(this.#resume(...left)))
  }
  async #resume(waiting: Waiting[], sent: Sent[]) {
    const now = this.image!.rotation
    const reads = (r: Region): Region => (r.state === 'reading' || r.away ? { ...r, state: 'reading', reason: '', away: false } : r)
    const list = waiting.map(({ region: r, rotation, revision }) => {
      const region = reads({ ...r, box: this.#turnedBy(now - rotation, r.box), rotate: rotatedBy(now - rotation, r.rotate) })
      const c = this.#contents[r.content]
      // A region that has a text is read again if that is as it was. If it says what it is to say, only the answer was lost.
      const same = !r.content || (c?.revision === revision && this.draft.some((d) => d.content === c.id))
      const done = !same && c && sameBox(c.roi, region.box) && (!r.lang || r.lang.join() === c.lang.join())
      return { region, same, lost: !same && !done }
    })
    const again = list.flatMap((w) => (w.same ? w.region : []))
    const by = new Map(again.map((r) => [r.content, r]))
    this.draft = [...this.draft.map((r) => (r.content && by.get(r.content)) || r), ...again.filter((r) => !r.content)]
    this.#dropped(list.filter((w) => w.lost).length)
    const keys = new Set(again.filter((r) => r.state === 'reading').map((r) => r.key))
    for (const s of sent) {
      const ofIt = waiting.filter((w) => s.list.some((r) => r.key === w.region.key))
      const givenUp = ofIt.some(({ region: r }) => r.state === 'failed' && !r.away)
      const wanted = s.unwanted.length || s.list.some((r) => keys.has(r.key)) || (!s.into && !givenUp)
      if (!wanted || !this.#stillFits(s)) this.#unread.answered(s)
      else if (s.into) await this.#askAgain(s)
      else await this.#openAgain(s)
    }
    const left = this.draft.filter((r) => keys.has(r.key) && r.state === 'reading')
    if (left.length) await this.#readOnceMore(new Set(left.map((r) => r.key)))
  }
  /** Goes on with reading a new version, whose regions are not to be changed meanwhile. */
  async #openAgain(s: Sent) {
    if (s.from) await this.fetchVersion(s.from).catch(complain)
    const old = new Set(s.list.flatMap((r) => r.content || []))
    this.#anew++
    this.#set(new Set(this.draft.filter((r) => old.has(r.content)).map((r) => r.key)), { state: 'reading' })
    try {
      await this.#askAgain(s)
    } finally {
      this.#anew--
      const left = this.draft.filter((r) => r.state === 'reading' && old.has(r.content))
      this.#set(new Set(left.map((r) => r.key)), { state: 'read' })
    }
  }
  #turnedBy(degrees: number, b: Box): Box {
    let { width, height } = this.image!
    const times = (((degrees / 90) % 4) + 4) % 4
    if (times % 2) [width, height] = [height, width] // of the page as it was
    for (let n = 0; n < times; n++) {
      b = turned(b, { width, height })
      ;[width, height] = [height, width]
    }
    return b
  }
  /** Shows a version as the one that is worked on. Regions that are being read stay. */
  #take(run: Run | undefined) {
    this.version = run?.version ?? 0
    this.draft = mirrored(this.draft, run)
    this.offered = null
  }
  setHow(to: Partial<Asked>) {
    this.how = { ...this.how, ...to }
    rememberHow(this.how)
  }

  /** Turns the page by 90° clockwise so many times, with all that is on it. */
  async turn(times: number) {
    await this.#flush()
    this.#turning = true
    try {
      await this.#turned(await api.changeImage(this.id, { rotation: (this.image!.rotation + 90 * times) % 360 }))
    } finally {
      this.#turning = false
      const told = this.#told
      this.#told = null
      if (told !== null) this.stands(told).catch(complain)
    }
  }
  #turning = false // by this tab
  #told: number | null = null // what was told meanwhile
  /** Takes up how far the page is turned, where somebody else turned it; returns whether somebody did. */
  async stands(rotation: number): Promise<boolean> {
    const elsewhere = () => !!this.image && this.image.rotation !== rotation
    if (this.#turning) {
      this.#told = rotation
      return false
    }
    if (!elsewhere()) return false
    await Promise.allSettled(this.#underWay)
    await this.#flush()
    return this.#inTurn(async () => {
      if (!elsewhere()) return false
      await this.#turned(await api.image(this.id))
      return true
    })
  }
  /** Shows the page as it is turned by now, with all that is on it. */
  async #turned(image: Image) {
    const before = this.image!
    const { runs, older } = await api.runs(this.id)
    this.#contents = {}
    this.learn(runs.flatMap((r) => r.contents))
    this.runs = runs
    this.older = older
    this.#oldest = runs.at(-1)?.version ?? 0
    api.forgetThumbnail(this.id)
    replace(image)
    this.image = image
    const degrees = image.rotation - before.rotation
    const turn = (b: Box) => this.#turnedBy(degrees, b)
    this.draft = this.draft.map((r) => ({ ...r, rotate: rotatedBy(degrees, r.rotate), box: r.content ? r.box : turn(r.box) }))
    this.#take(runs[0])
    this.history.turn(turn)
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
  /** Takes up what was done elsewhere meanwhile: in another tab or by somebody else. */
  catchUp = () => this.#inTurn(this.#refresh)
  #refresh = async () => this.#sync((await api.runs(this.id)).runs)
  /** Takes up what happened, but for what this tab did itself and has under way. */
  hear = async (news: Happened[]) => {
    await Promise.allSettled(this.#underWay)
    await this.#flush()
    await this.#inTurn(async () => {
      if (news.some((e) => e.version === 0)) this.#made.clear()
      if (!news.map((e) => this.#knows(e)).includes(false)) return
      const typed = this.draft.filter((r) => r.content && unsaved(r.content))
      const before = this.version
      await this.#refresh()
      if (before && this.version !== before) tell(t('Version {n} was made meanwhile and is shown now.', { n: this.version }))
      for (const { content } of typed.filter((r) => !this.draft.some((d) => d.content === r.content)))
        tell(t('A region with unsaved text was deleted elsewhere.'), {
          label: t('Restore'),
          run: () => this.bringBack(content).catch(complain),
        })
    })
  }
  #made = new Set<number>() // versions that this tab made and has not heard of yet
  #knows({ content_id, version, revision, deleted }: Happened): boolean {
    if (!content_id) return this.#made.delete(version)
    const there = this.draft.some((r) => r.content === content_id)
    return deleted ? !there : there && this.#contents[content_id].revision >= revision!
  }
  #sync(runs: Run[]) {
    const newest = runs[0]
    if (!newest) return
    this.learn(runs.flatMap((r) => r.contents))
    this.#add(...runs)
    if (newest.version === this.version) this.draft = mirrored(this.draft, newest)
    else if (!this.draft.some((r) => unsaved(r.content)) && covers(newest, this.draft, this.contentOf)) this.#take(newest)
    else {
      this.offered = newest
      const now = runs.find((r) => r.version === this.version)
      if (now) this.draft = mirrored(this.draft, now)
    }
  }
  /** Works on the version that is offered. */
  accept() {
    if (this.offered) this.#take(this.offered)
  }
  async more() {
    const { runs, older } = await api.runs(this.id, this.#oldest)
    this.#oldest = runs.at(-1)?.version ?? this.#oldest
    this.learn(runs.flatMap((r) => r.contents))
    this.#add(...runs)
    this.older = older
  }

  // What changes contents at the server is done one after the other.
  #turn: Promise<unknown> = Promise.resolve()
  saving = $state(0) // things that the server has yet to hear of or to answer
  #inTurn<T>(what: () => Promise<T>): Promise<T> {
    this.saving++
    const done = this.#turn.then(what).finally(() => this.saving--)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Keeps a change until the server has answered it. */
  #intend = (content: string, to: Change | null) => this.#queue.put({ content, to, revision: this.#contents[content]?.revision ?? 0 })
  /** Has the server make a change, now or once it can be reached. It fails with status 412 where others changed the content meanwhile. */
  async #send(u: Unanswered, revision: number | null = null, again = false): Promise<Content | null> {
    const { content, to } = u
    const restores = to?.deleted === false
    let next: Content | null = null
    try {
      for (let sent = again; ; sent = true) {
        try {
          if (sent && !restores) {
            const now = await api.content(content)
            if (to && says(now, to)) return (next = now) // it was only the answer that was lost
            if (now.revision !== u.revision) throw new api.Failure(412, 'changed_meanwhile', '')
          }
          if (!to) await api.deleteContent(content)
          else next = await api.change(content, sent && !restores ? u.revision : revision, to)
          return next
        } catch (e) {
          if (!(e instanceof api.Failure)) throw e
          if (sent && e.status === 404 && !to) return null
          if (e.status !== 0) throw e
          complain(e)
          await new Promise((back) => addEventListener('glyphbox-back', back, { once: true }))
        }
      }
    } finally {
      this.#queue.done(u, next?.revision ?? 0)
    }
  }
  /** Makes changes that the page was left with. Those of contents that others changed since are told and not made. */
  async #goOn(left: Unanswered[]) {
    let lost = 0
    for (const u of left) {
      const before = this.#contents[u.content]
      try {
        const next = await this.#send(u, null, true)
        if (!next) this.#gone(new Set([u.content]))
        else if (u.to!.deleted === false) await this.#restored(next)
        else this.#own(next)
        if (!next) this.#did({ kind: 'present', ids: [u.content], present: true })
        else if (before && u.to!.deleted === undefined)
          this.#did({ kind: 'set', to: { [u.content]: valuesOf(before, u.to!) }, seen: { [u.content]: next.revision } })
      } catch (e) {
        if (e instanceof api.Failure && (e.status === 412 || e.status === 404)) lost++
        else complain(e)
      }
    }
    this.#dropped(lost)
  }
  #dropped(lost: number) {
    if (lost)
      tell(
        count(
          lost,
          '1 unsaved change was dropped: the region was changed elsewhere.',
          '{n} unsaved changes were dropped: the regions were changed elsewhere.',
        ),
      )
  }

  /** Undo and redo return the content that they changed; null where it was the list. What is being read is waited for. */
  undo = () => this.#travel('past')
  redo = () => this.#travel('future')
  async #travel(from: 'past' | 'future'): Promise<string | null> {
    await Promise.all(this.#underWay)
    await this.#flush()
    return this.#inTurn(async () => {
      const step = this.history[from].at(-1)
      if (!step) return null
      try {
        const back = await this.#reverse(step)
        this.history.passed(from, back)
        return back.kind === 'set' ? (Object.keys(back.to)[0] ?? null) : null
      } catch (e) {
        this.history.lose(from)
        if (e instanceof api.Failure && (e.status === 412 || e.status === 404)) {
          await this.#refresh()
          tell(t('This text was changed elsewhere.'))
        } else complain(e)
        return null
      }
    })
  }
  /** Does at the server what a step says, and returns the step that takes it back. */
  async #reverse(step: Step): Promise<Step> {
    if (step.kind === 'present') {
      if (step.present) {
        this.#shown(step.ids.flatMap((id) => this.#contents[id] ?? [])) // seen at once
        const back = step.ids.map((id) => this.#intend(id, { deleted: false }))
        this.#shown((await this.#each(back, (u) => this.#send(u))).flatMap((c) => c ?? []))
      } else {
        const away = step.ids.map((id) => this.#intend(id, null))
        this.#gone(new Set(step.ids))
        await this.#each(away, (u) => this.#send(u))
      }
      return { ...step, present: !step.present }
    }
    const back: Step = { kind: 'set', to: {} }
    for (const [id, to] of Object.entries(step.to)) {
      const now = this.#contents[id]
      if (step.seen?.[id] !== undefined && step.seen[id] !== now?.revision) {
        const there = await api.content(id)
        if (there.revision !== step.seen[id]) throw new api.Failure(412, 'changed_meanwhile', '')
      }
      const was = now ? valuesOf(now, to) : {}
      if (now) this.changed(optimistic(now, to)) // seen at once; the server's answer takes its place
      try {
        const next = (await this.#send(this.#intend(id, to), now?.revision ?? null))!
        this.changed(next)
        back.to[id] = was
        back.seen = { ...back.seen, [id]: next.revision }
      } catch (e) {
        if (now) this.changed(now)
        throw e
      }
    }
    return back
  }
  async #each<F, T>(list: F[], what: (one: F) => Promise<T>): Promise<T[]> {
    const done: T[] = []
    for (let n = 0; n < list.length; n += 6) done.push(...(await Promise.all(list.slice(n, n + 6).map(what))))
    return done
  }
  #did(step: Step) {
    this.history.did(step)
  }

  /** Saves a corrected text. It fails with status 412 where the content has another revision by now. */
  async correct(id: string, revision: number, text: string, also: Change = {}) {
    await this.#flush()
    await this.#inTurn(async () => {
      const before = this.#contents[id]
      const next = await api.change(id, Math.max(revision, this.#ours[id] ?? 0), { text, ...also })
      drop(id)
      this.#own(next)
      if (before && before.text !== text)
        this.#did({ kind: 'set', to: { [id]: valuesOf(before, { text, ...also }) }, seen: { [id]: next.revision } })
    })
  }
  /** Revisions that this tab made since a text was begun to be typed, which are not somebody else's. */
  #ours: Record<string, number> = {}
  #own(c: Content) {
    this.#ours[c.id] = c.revision
    this.changed(c)
  }

  // Confirmations wait a little for more of them.
  #waiting = new Map<string, { words: Map<number, boolean>; confirmed?: boolean; before: Content; kept: Unanswered }>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Says that words of a content are right, or all of it, or that they are not. */
  confirm(id: string, words: number[], on: boolean, whole = false) {
    const now = this.#contents[id]
    if (!now) return
    if (this.#waiting.size === 0) this.saving++
    const w = this.#waiting.get(id) ?? { words: new Map<number, boolean>(), before: now, kept: this.#intend(id, {}) }
    for (const n of words) w.words.set(n, on)
    if (whole) w.confirmed = on
    this.#waiting.set(id, w)
    w.kept.to = changeOf(w)
    this.#queue.rewrite(w.kept)
    this.changed(optimistic(now, w.kept.to))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#flush().catch(complain), together)
  }
  #flush(): Promise<void> {
    clearTimeout(this.#timer)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    if (waiting.length === 0) return Promise.resolve()
    this.saving--
    return this.#inTurn(async () => {
      const step: Step = { kind: 'set', to: {}, seen: {} }
      for (const [id, w] of waiting) {
        const to = changeOf(w)
        try {
          const next = (await this.#send(w.kept))!
          this.#own(next)
          step.to[id] = valuesOf(w.before, to)
          step.seen![id] = next.revision
        } catch (e) {
          this.changed(w.before)
          complain(e)
        }
      }
      if (Object.keys(step.to).length) this.#did(step)
    })
  }

  /** Says that contents are in the languages that they were read in, so that no others are offered. */
  async languagesFit(ids: string[]) {
    const fit = ids.map((id) => this.#intend(id, { suggested_lang: [] }))
    for (const id of ids) this.changed({ ...this.#contents[id], suggested_lang: [], missing_lang: [] }) // seen at once
    await this.#flush()
    await this.#inTurn(async () => {
      try {
        for (const c of await this.#each(fit, (u) => this.#send(u))) this.#own(c!)
      } catch (e) {
        complain(e)
        await this.#refresh()
      }
    })
  }

  async rename(key: string, name: string) {
    const r = this.draft.find((r) => r.key === key)
    if (!r || r.name === name) return
    const before = r.name
    this.#set(new Set([key]), { name })
    if (!r.content) return
    const renamed = this.#intend(r.content, { name })
    await this.#flush()
    await this.#inTurn(async () => {
      try {
        const next = (await this.#send(renamed))!
        this.#own(next)
        this.#did({ kind: 'set', to: { [r.content]: { name: before } }, seen: { [r.content]: next.revision } })
      } catch (e) {
        this.#set(new Set([key]), { name: before })
        complain(e)
      }
    })
  }
  /** Marks contents as deleted; what is returned brings them back. */
  remove(keys: Set<string>): () => void {
    const removed = this.draft.filter((r) => keys.has(r.key))
    const ids = removed.flatMap((r) => r.content || [])
    this.draft = this.draft.filter((r) => !keys.has(r.key))
    const unread = removed.filter((r) => !r.content)
    for (const r of unread) this.#unread.unwanted(r.key, true)
    const step: Step = { kind: 'present', ids, present: true }
    const away = ids.map((id) => this.#intend(id, null))
    this.#track(
      ids.length === 0
        ? Promise.resolve()
        : this.#flush().then(() =>
            this.#inTurn(async () => {
              try {
                await this.#each(away, (u) => this.#send(u))
                this.#gone(new Set(ids))
                this.#did(step)
              } catch (e) {
                complain(e)
                await this.#refresh()
              }
            }),
          ),
    )
    return async () => {
      this.draft = [...this.draft, ...unread]
      const again = unread.filter((r) => r.state === 'reading' && !this.#unread.unwanted(r.key, false))
      if (again.length) this.#track(this.#readOnceMore(new Set(again.map((r) => r.key))))
      if (ids.length === 0) return
      await this.settled()
      if (this.history.past.at(-1) === step) await this.undo()
      else await this.#inTurn(async () => this.#did(await this.#reverse(step))).catch(complain)
    }
  }
  /** What was deleted of all versions, once the server knows of all of it: 20 at a time. */
  deleted = (page: number) => this.#inTurn(() => api.deleted(this.id, page))
  /** Restores what was deleted of any version. */
  bringBack(id: string) {
    const back = this.#intend(id, { deleted: false })
    return this.#inTurn(async () => this.#restored((await this.#send(back))!))
  }
  async #restored(c: Content) {
    if (c.version === this.version) {
      this.#shown([c])
      this.#did({ kind: 'present', ids: [c.id], present: false })
    } else {
      const run = await api.version(this.id, c.version)
      this.learn(run.contents)
      this.#add(run)
    }
  }
  /** Waits until the server has all that was done. */
  async settled() {
    await Promise.all(this.#underWay)
    await this.#flush()
    await this.#turn
  }
  #gone(ids: Set<string>) {
    this.runs = this.runs.map((r) =>
      r.contents.some((c) => ids.has(c.id)) ? { ...r, contents: r.contents.filter((c) => !ids.has(c.id)) } : r,
    )
    this.draft = this.draft.filter((r) => !r.content || !ids.has(r.content))
  }
  /** Shows contents of the version again, each where it was. */
  #shown(list: Content[]) {
    if (list.some((c) => !(c.id in this.#ranks))) this.catchUp().catch(complain) // only the server knows where they were
    this.learn(list)
    const run = this.runs.find((r) => r.version === this.version)
    if (!run) return
    const missing = list.filter((c) => c.version === this.version && !run.contents.some((x) => x.id === c.id))
    const next = { ...run, contents: [...run.contents, ...missing].sort((a, b) => this.#rank(a.id) - this.#rank(b.id)) }
    this.runs = this.runs.map((r) => (r.version === next.version ? next : r))
    this.draft = mirrored(this.draft, next)
  }
  // The order in which contents were seen is that of the version.
  #ranks: Record<string, number> = {}
  #rank = (id: string) => (this.#ranks[id] ??= Object.keys(this.#ranks).length)

  add(regions: (Partial<Own> & { box: Box; name?: string })[]): Region[] {
    const made = regions.map((r): Region => ({
      ...asOthers,
      name: '',
      ...r,
      key: this.fresh(),
      content: '',
      state: 'reading',
      reason: '',
      away: false,
      final: false,
    }))
    this.draft = [...this.draft, ...made]
    this.#track(this.#readApart(made))
    return made
  }
  duplicate(keys: Set<string>): Region[] {
    const page = this.image!
    return this.add(
      this.draft
        .filter((r) => keys.has(r.key))
        .map((r) => {
          const { lang, psm, rotate, effort, charset, name } = r
          const height = r.box.y2 - r.box.y1
          const below = moved(r.box, 0, height, page)
          return { lang, psm, rotate, effort, charset, name, box: sameBox(below, r.box) ? moved(r.box, 0, -height, page) : below }
        }),
    )
  }
  /** Reads regions again, with what is changed of them. A text that a person wrote stays where only its box changes. */
  again(changes: Map<string, Partial<Region>>) {
    const all = this.draft.filter((r) => changes.has(r.key))
    const kept = all.filter((r) => {
      const c = this.shown(r)
      const only = Object.keys(changes.get(r.key)!).join() === 'box'
      return only && c && (c.edited_by || c.confirmed)
    })
    this.#set(new Set(changes.keys()), (r) => changes.get(r.key)!)
    this.#track(this.#move(kept))
    const keys = new Set(all.filter((r) => !kept.includes(r)).map((r) => r.key))
    if (keys.size === 0) return
    this.#set(keys, { state: 'reading' })
    this.#track(this.#readOnceMore(keys))
  }
  /** Reads regions, but for those that were read before the answer was lost. */
  async #readOnceMore(keys: Set<string>) {
    const list = () => this.draft.filter((r) => keys.has(r.key) && r.state === 'reading')
    for (const s of this.#unread.unanswered(keys)) {
      if (this.#stillFits(s)) await this.#askAgain(s)
      else this.#unread.answered(s)
    }
    if (list().length === 0) return
    try {
      await this.catchUp()
      const read = this.draft.filter((r) => r.content && !keys.has(r.key))
      this.draft = this.draft.filter((r) => r.content || !keys.has(r.key) || !read.some((x) => sameBox(x.box, r.box)))
    } catch (e) {
      this.#failed(list(), e)
      return
    }
    await this.#readApart(list())
  }
  /**
   * Whether a request can be sent again as it was. Where there is a newer version by now that it did not make, that has its regions or
   * they are read into it.
   */
  #stillFits = (s: Sent) =>
    (s.newest === (this.runs[0]?.version ?? 0) || this.#isOf(s)) &&
    s.rotation === this.image!.rotation &&
    Date.now() - s.at < keptFor &&
    (!s.into || s.list.every((r) => !r.content || this.#contents[r.content]?.revision === s.revisions[r.content]))
  /** Whether the newest version is the one that a request was to make. */
  #isOf(s: Sent): boolean {
    const run = this.runs[0]
    if (s.into || run?.user.id !== app.user?.id || run.contents.length !== s.list.length) return false
    return run.contents.every((c, n) => sameBox(c.roi, s.list[n].box))
  }
  /** Sends a request again of which no answer came; false where that fails. What has changed in its regions since is still to be read. */
  #askAgain = (s: Sent): Promise<boolean> => (s.into ? this.#askedAgain(s) : this.#opens(this.#askedAgain(s)))
  async #askedAgain(s: Sent): Promise<boolean> {
    const control = new AbortController()
    const progress = this.#progress(s.list.length, control)
    const was = new Map(this.draft.map((r) => [r.key, r]))
    let made = 0
    try {
      if (s.into) await this.#readInto(s.list, control.signal, s)
      else made = (await this.#open(s, control.signal, true)).version
    } catch (e) {
      if (control.signal.aborted || (e instanceof api.Failure && e.status === 0)) this.#failed(s.list, e)
      else this.#unread.answered(s)
      if (!s.into) this.#over(s, e)
      return false
    } finally {
      this.#finished(progress)
    }
    for (const r of s.list) {
      const now = was.get(r.key)
      const changed = now && JSON.stringify(orderOf(now)) !== JSON.stringify(orderOf({ ...r, name: now.name }))
      if (changed) this.#set(new Set([r.key]), ({ content, name }) => ({ ...now, content, name, state: 'reading' }))
    }
    await this.catchUp() // others may have made a newer version since
    if (made && this.offered?.version === made) this.accept()
    return true
  }
  async #move(list: Region[]) {
    if (list.length === 0) return
    const moves = this.draft.filter((r) => list.some((k) => k.key === r.key)).map((r) => this.#intend(r.content, { roi: r.box }))
    await this.#flush()
    await this.#inTurn(async () => {
      const step: Step = { kind: 'set', to: {}, seen: {} }
      for (const move of moves) {
        const id = move.content
        const before = this.#contents[id]
        try {
          const next = (await this.#send(move))!
          this.#own(next)
          step.to[id] = { roi: before.roi }
          step.seen![id] = next.revision
        } catch (e) {
          this.#set(new Set(this.draft.filter((r) => r.content === id).map((r) => r.key)), { box: before.roi })
          complain(e)
        }
      }
      if (Object.keys(step.to).length) this.#did(step)
    })
  }
  #underWay = new Set<Promise<unknown>>()
  #track<T>(p: Promise<T>): Promise<T> {
    this.#underWay.add(p)
    p.finally(() => this.#underWay.delete(p)).catch(complain)
    return p
  }

  /** Reads all regions into a new version and returns its number; 0 where it failed. Texts that a person wrote go along. */
  readAll = () => this.#track(this.#readAll())
  async #readAll(): Promise<number> {
    await this.#flush()
    const list = this.draft
    this.#anew++
    this.#set(new Set(list.map((r) => r.key)), { state: 'reading' })
    const control = new AbortController()
    const progress = this.#progress(list.length, control)
    const sent = this.#sending(this.draft, 0)
    try {
      return (await this.#opens(this.#open(sent, control.signal))).version
    } catch (e) {
      this.#over(sent, e)
      this.#failed(list, e)
      return 0
    } finally {
      this.#anew--
      this.draft = this.draft // what failed is kept from now on
      this.#finished(progress)
    }
  }
  /** What was called off is not gone on with. */
  #over(sent: Sent, e: unknown) {
    if (e instanceof DOMException) this.#unread.answered(sent)
  }
  /** Makes a new version with the regions and texts of an older one. */
  restore = (run: Run) => this.#track(this.#restore(run))
  async #restore(run: Run): Promise<boolean> {
    await this.#flush()
    const list = run.contents.map((c) => ({ ...asRegion(c, this.fresh(), run), state: 'reading' as const }))
    this.learn(run.contents)
    const before = this.draft
    this.#anew++
    this.draft = list
    const control = new AbortController()
    const progress = this.#progress(list.length, control)
    const sent = this.#sending(list, 0, 'all', run.version)
    try {
      await this.#opens(this.#openOnceThere(sent, control.signal))
      return true
    } catch (e) {
      this.#unread.answered(sent)
      this.draft = before
      complain(e)
      return false
    } finally {
      this.#anew--
      this.#finished(progress)
    }
  }
  /** Reads a new version, as soon as the service is there. */
  async #openOnceThere(sent: Sent, signal: AbortSignal) {
    for (let again = false; ; again = true) {
      try {
        return await this.#open(sent, signal, again)
      } catch (e) {
        if (!(e instanceof api.Failure && e.status === 0)) throw e
        complain(e)
        await new Promise((go) => {
          for (const event of ['glyphbox-back', 'abort']) (event === 'abort' ? signal : window).addEventListener(event, go, { once: true })
        })
        signal.throwIfAborted()
      }
    }
  }
  /** Reads what could not be read since the service was away. */
  back() {
    const keys = new Set(this.draft.filter((r) => r.state === 'failed' && r.away).map((r) => r.key))
    if (keys.size === 0) return
    this.#set(keys, { state: 'reading' })
    this.#track(this.#readOnceMore(keys))
  }

  async #readApart(list: Region[]) {
    const control = new AbortController()
    const progress = this.#progress(list.length, control)
    const batch = list.length <= atOnce ? list.length : Math.min(mostInVersion, Math.max(atOnce, Math.ceil(list.length / 20)))
    const made: string[] = []
    for (let n = 0; n < list.length; n += batch) {
      const part = list.slice(n, n + batch).filter((r) => this.draft.some((d) => d.key === r.key))
      if (part.length === 0) continue
      if (this.reading.some((p) => p === progress) && !control.signal.aborted) made.push(...(await this.#read(part, control)))
      else this.#failed(part, new DOMException('', 'AbortError'))
      progress.done = Math.min(n + batch, list.length)
    }
    this.#finished(progress)
    if (made.length) this.#did({ kind: 'present', ids: made, present: false })
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
  #failed(list: Region[], e: unknown) {
    const cancelled = e instanceof DOMException
    const reason = cancelled ? t('Cancelled') : reasonOf(e)
    const away = e instanceof api.Failure && e.status === 0
    const final = e instanceof api.Failure && e.final && e.code !== 'invalid_input' // other settings may mend that
    // What has a text keeps it.
    this.#set(new Set(list.map((r) => r.key)), (r) =>
      r.content && cancelled ? { state: 'read' } : { state: 'failed', reason, away, final },
    )
    if (away) complain(e)
    if (e instanceof api.Failure && e.status === 404) this.gone()
  }
  /** Called when the image turns out to be there no more. */
  gone = () => {}

  /** Whether what is read can be added to the version that is shown: it is the newest and one's own. */
  get #mine(): boolean {
    const run = this.runs.find((r) => r.version === this.version)
    return !!run && run.version === this.runs[0].version && run.user.id === app.user?.id
  }
  #opening: Promise<unknown> | null = null
  /** A new version is made, which what is read from now on waits for, so that it is read into that. */
  #opens<T>(run: Promise<T>): Promise<T> {
    const opening = run.then(
      () => {},
      () => {},
    )
    this.#opening = opening
    opening.then(() => this.#opening === opening && (this.#opening = null))
    return run
  }

  /** Reads regions into the version that is shown, or into a new one with all that it has; returns the ids of contents that are new. */
  async #read(list: Region[], control: AbortController): Promise<string[]> {
    try {
      for (let attempt = 1; ; attempt++) {
        while (this.#opening) await this.#opening
        if (!this.#mine) {
          const all = this.draft.filter((r) => r.state !== 'failed' && (r.content || list.some((x) => x.key === r.key)))
          const run = await this.#opens(this.#open(this.#sending(all, 0), control.signal))
          const keys = new Set(list.filter((r) => !r.content).map((r) => r.key))
          return this.draft.flatMap((r) => (keys.has(r.key) && run.contents.some((c) => c.id === r.content) ? [r.content] : []))
        }
        try {
          return await this.#readInto(list, control.signal)
        } catch (e) {
          if (!(e instanceof api.Failure) || attempt === 4) throw e
          if (e.code !== 'version_not_newest' && e.status !== 403) throw e
          await this.catchUp()
        }
      }
    } catch (e) {
      this.#failed(list, e)
      return []
    }
  }
  async #readInto(list: Region[], signal: AbortSignal, before?: Sent): Promise<string[]> {
    await this.#flush()
    const sent = before ?? this.#sending(list, this.version)
    const { into: version } = sent
    const got = await this.#ask(sent, signal)
    if (got.length < list.length) {
      await this.#someGone(list)
      return []
    }
    const step: Step = { kind: 'set', to: {}, seen: {} }
    list.forEach((r, n) => {
      const before = r.content ? this.#contents[r.content] : undefined
      if (!before || before.revision >= got[n].revision) return
      step.to[before.id] = { text: before.text, roi: before.roi }
      step.seen![before.id] = got[n].revision
      const typed = unsaved(before.id)
      if (typed) keep(before.id, retyped(typed, got[n]))
    })
    this.learn(got)
    const run = this.runs.find((r) => r.version === version)
    if (run) {
      const contents = [
        ...run.contents.map((c) => got.find((x) => x.id === c.id) ?? c),
        ...got.filter((c) => !run.contents.some((x) => x.id === c.id)),
      ]
      this.runs = this.runs.map((r) => (r.version === version ? { ...r, contents } : r))
    }
    await this.#arrived(sent, got)
    if (Object.keys(step.to).length) this.#did(step)
    return list.flatMap((r, n) => (r.content || sent.unwanted.includes(r.key) ? [] : [got[n].id]))
  }
  #sending(list: Region[], into: number, texts: Sent['texts'] = 'corrected', from = this.version): Sent {
    const revisions = Object.fromEntries(list.flatMap(({ content: c }) => (c ? [[c, this.#contents[c]?.revision ?? 0]] : [])))
    const newest = this.runs[0]?.version ?? 0
    return this.#unread.sending({ list, into, from, texts, revisions, how: this.how, rotation: this.image!.rotation, newest })
  }
  /** Has regions read. What is asked again by a request of which no answer came is made once. */
  async #ask(s: Sent, signal: AbortSignal): Promise<Content[]> {
    const order = s.list.map((r) => orderOf(r, (s.into && r.content) || undefined))
    try {
      const got = await this.#patiently(() => api.recognize(this.id, s.how, order, s.once, signal, s.into), signal)
      if (s.into) this.#unread.answered(s)
      return got
    } catch (e) {
      if (e instanceof api.Failure && e.status !== 0 && e.status < 500) this.#unread.answered(s)
      throw e
    }
  }
  /** Of what a request made, others deleted something before its answer came. */
  async #someGone(list: Region[]) {
    this.draft = this.draft.filter((r) => r.content || !list.some((x) => x.key === r.key))
    await this.catchUp()
  }
  /** Puts contents into the list. Names that were given meanwhile are theirs, and what was deleted meanwhile is deleted. */
  async #arrived({ list, unwanted }: Sent, got: Content[]) {
    const by = new Map(list.map((r, n) => [r.key, got[n]]))
    const named = new Map(list.flatMap((r) => this.draft.flatMap((d) => (d.key === r.key && d.name !== r.name ? [[r.key, d.name]] : []))))
    this.draft = this.draft
      .filter((r) => by.has(r.key) || !got.some((c) => c.id === r.content)) // what came by another way meanwhile
      .map((r) => {
        const c = by.get(r.key)
        return c ? { ...r, content: c.id, name: named.get(r.key) ?? c.name, box: c.roi, state: 'read' as const } : r
      })
    const away = unwanted.flatMap((key) => by.get(key)?.id ?? [])
    const changes = [...named].map(([key, name]) => this.#intend(by.get(key)!.id, { name }))
    changes.push(...away.map((id) => this.#intend(id, null)))
    if (changes.length === 0) return
    this.#gone(new Set(away))
    await this.#inTurn(() => this.#each(changes, (u) => this.#send(u).then((c) => c && this.#own(c), complain)))
  }
  /**
   * Reads regions as a new version, and writes into it what was written before: what persons wrote, or all texts. again: whether it was
   * asked for before; then what was written since stays.
   */
  async #open(sent: Sent, signal: AbortSignal, again = false): Promise<Run> {
    const { how, list, texts } = sent
    const before = list.map((r) => this.#contents[r.content])
    const got = await this.#ask(sent, signal)
    if (got.length < list.length) {
      this.#unread.answered(sent)
      await this.#someGone(list)
      return this.runs[0]
    }
    this.#made.add(got[0].version)
    this.learn(got)
    const contents: Content[] = []
    for (const [n, now] of got.entries()) {
      const old = before[n]
      const text = old && (texts === 'all' ? (old.text === now.text ? null : old.text) : correction(old, now))
      const change: Change = { ...(text !== null && text !== undefined && { text }), ...(old?.confirmed && { confirmed: true }) }
      if (!old || Object.keys(change).length === 0) contents.push(now)
      else if (again && now.revision > 1) {
        if (unsaved(now.id)?.text === now.text) drop(now.id)
        contents.push(now)
      } else {
        if (text) keep(now.id, { text, revision: now.revision }) // until it is saved
        const next = await api.change(now.id, now.revision, change).catch((e) => {
          complain(e)
          return now
        })
        if (next !== now) drop(now.id)
        contents.push(next)
      }
      const typed = old && old.id !== now.id ? unsaved(old.id) : undefined
      if (typed) {
        drop(old.id)
        keep(now.id, retyped(typed, contents[n]))
      }
    }
    this.#unread.answered(sent)
    this.learn(contents)
    const run: Run = {
      version: got[0].version,
      created_datetime: new Date().toISOString(),
      user: { id: app.user!.id, name: app.user!.name },
      lang: how.lang,
      psm: how.psm === 'auto' ? null : Number(how.psm),
      oem: how.oem,
      engine: got[0].engine,
      contents,
    }
    if (!again) {
      this.#add(run)
      this.version = run.version
      this.offered = null
    }
    await this.#arrived(sent, contents)
    if (run.version > sent.newest + 1) await this.#offerBetween(sent.newest, run.version)
    return run
  }

  /** Offers what was read into a version between two others, as by a job, and is not in the later one. */
  async #offerBetween(before: number, after: number) {
    await this.catchUp().catch(complain)
    const run = this.runs.find((r) => before < r.version && r.version < after && r.contents.length)
    if (run && this.version === after) this.offered = run
  }

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

  /** Takes up a newer revision of a content. */
  changed(c: Content) {
    this.#contents = { ...this.#contents, [c.id]: c }
    this.runs = this.runs.map((r) => (r.version === c.version ? { ...r, contents: r.contents.map((x) => (x.id === c.id ? c : x)) } : r))
    this.draft = this.draft.map((r) => (r.content === c.id ? { ...r, box: r.state === 'reading' ? r.box : c.roi, name: c.name } : r))
  }
  /** Deletes a content at the server, with its corrections. */
  async forget(c: Content) {
    await api.deleteContent(c.id, true).catch((e) => {
      if (!(e instanceof api.Failure && e.status === 404)) throw e
    })
    drop(c.id)
    this.#gone(new Set([c.id]))
    this.history.forget(c.id)
  }
}

const changeOf = (w: { words: Map<number, boolean>; confirmed?: boolean }): Change => ({
  ...(w.words.size && { words: [...w.words].map(([index, confirmed]) => ({ index, confirmed })) }),
  ...(w.confirmed !== undefined && { confirmed: w.confirmed }),
})
/** What a content has of all that a change would change. */
export function valuesOf(c: Content, to: Change): Change {
  return {
    ...(to.text !== undefined && { text: c.text }),
    ...(to.roi && { roi: c.roi }),
    ...(to.name !== undefined && { name: c.name }),
    ...(to.confirmed !== undefined && { confirmed: c.confirmed }),
    ...(to.words && to.text === undefined && { words: to.words.map(({ index }) => ({ index, confirmed: !!c.words[index]?.confirmed })) }),
  }
}
/** A content as it will be. */
function optimistic(c: Content, to: Change): Content {
  const words = to.words
    ? c.words.map((w, n) => ({ ...w, confirmed: to.words!.find((m) => m.index === n)?.confirmed ?? w.confirmed }))
    : c.words
  return {
    ...c,
    words,
    ...(to.text !== undefined && { text: to.text }),
    ...(to.roi && { roi: to.roi }),
    ...(to.name !== undefined && { name: to.name }),
    ...(to.confirmed !== undefined && { confirmed: to.confirmed }),
    ...(to.suggested_lang && { suggested_lang: to.suggested_lang }),
  }
}
/** Whether a content has what a change would change. */
const says = (c: Content, to: Change) => JSON.stringify(optimistic(c, to)) === JSON.stringify(c)
