// What is shown of a page image, what is selected, and what is done with it: the parts of the view share one Editor.
import { tick, untrack } from 'svelte'
import * as api from '../api'
import type { Box, Content } from '../api'
import { download } from '../exports'
import { count, t, type Text } from '../i18n.svelte'
import { neighbour } from '../library/library.svelte'
import { rememberPage } from '../library/place'
import { mine } from '../library/selection.svelte'
import { app, complain, copy, go, reasonOf, tell } from '../state.svelte'
import { asRegion, type Own, type Region } from './carry'
import { read } from '../jobs/jobs.svelte'
import { copiedFor, copyRegions, orderOf } from './clipboard'
import { aligned, distributed, overlap, sameBox, type Edge } from './geometry'
import type { Action } from './keys'
import { languageNames } from './languages'
import { leavesOf } from './leaves.svelte'
import { Others } from './others.svelte'
import type PageNumber from './PageNumber.svelte'
import type RegionList from './RegionList.svelte'
import type Viewer from './Viewer.svelte'
import type { Mark } from './Viewer.svelte'
import { inDoubt, mostInVersion, Work } from './work.svelte'
import { unsaved } from './unsaved.svelte'
import { exchanged, others } from './words'

export type Dialog =
  | { kind: 'help' }
  | { kind: 'compare' }
  | { kind: 'crop'; url: string }
  | { kind: 'history'; of: Content; list: Content[] }
  | { kind: 'how'; keys: string[]; own: Own }
  | { kind: 'deleted' }
  | { kind: 'forget'; content: Content }

export class Editor {
  readonly work: Work
  readonly others: Others
  phase = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading')
  problem = $state('') // why it failed
  dialog = $state.raw<Dialog | null>(null)
  selected = $state.raw<Set<string>>(new Set()) // keys of regions
  editing = $state('') // key of the region
  suggestions = $state.raw<Box[]>([])
  searching = $state.raw<AbortController | null>(null)
  lit = $state<string | null>(null) // the word that is outlined: key#word
  tool = $state<'draw' | 'hand'>('draw')
  source = $state('') // the page's image, for parts of it
  said = $state('') // for those who hear the page
  viewer = $state<Viewer | undefined>()
  list = $state<RegionList | undefined>()
  pageNumber = $state<PageNumber | undefined>()

  // The address says which version is shown, 0 for the list in work, and may name a region.
  readonly #address: () => URL
  readonly version = $derived.by(() => Number(this.#address().searchParams.get('v') ?? 0))
  readonly shownRun = $derived.by(() => this.work.runs.find((r) => r.version === this.version))
  readonly regions: Region[] = $derived.by(() => (this.version ? this.#ofRun() : this.work.draft))
  readonly editable = $derived.by(() => !this.version)
  readonly turnable = $derived.by(() => !!this.work.image && mine(this.work.image))
  readonly one = $derived.by(() => (this.selected.size === 1 ? this.regions.find((r) => this.selected.has(r.key)) : undefined))
  /** Regions with a text that was typed and is not saved, but for the one that is being edited. */
  readonly kept = $derived.by(() =>
    this.regions.filter((r) => {
      const c = this.work.shown(r)
      return c && unsaved(c.id) && r.key !== this.editing
    }),
  )
  readonly doubts = $derived.by(() =>
    this.regions.flatMap((r) =>
      (this.work.content(r)?.words ?? []).flatMap((w, n) =>
        inDoubt(this.work.content(r)!, n) ? [{ key: r.key, n, id: `${r.key}#${n}`, box: w, text: w.text, confidence: w.confidence }] : [],
      ),
    ),
  )
  /** Regions that look written in other languages than they were read in: those of the most common ones. */
  readonly otherLanguage = $derived.by(() => {
    const by = new Map<string, { lang: string[]; installed: boolean; keys: string[] }>()
    if (this.editable)
      for (const r of this.regions) {
        const c = this.work.content(r)
        const installed = !!c?.suggested_lang.length
        const lang = (installed ? c.suggested_lang : c?.missing_lang) ?? []
        if (!c || c.confirmed || lang.length === 0) continue
        const same = by.get(lang.join()) ?? { lang, installed, keys: [] }
        same.keys.push(r.key)
        by.set(lang.join(), same)
      }
    return [...by.values()].sort((a, b) => b.keys.length - a.keys.length)[0]
  })
  readInOther() {
    const { lang, keys } = this.otherLanguage!
    this.work.again(new Map(keys.map((k) => [k, { lang }])))
    this.viewer?.focus()
    const now = this.work.how.lang
    if (now.includes(api.auto) || lang.every((l) => now.includes(l))) return
    const names = languageNames(lang)
    tell(t('New regions are still read in {lang}.', { lang: languageNames(now) }), {
      label: t('Use {lang}', { lang: names }),
      run: () => this.work.setHow({ lang }),
    })
  }
  /** The languages are right. */
  keepLanguage() {
    const { keys } = this.otherLanguage!
    this.work.languagesFit(this.regions.filter((r) => keys.includes(r.key)).map((r) => r.content))
    this.viewer?.focus()
  }
  readonly marks = $derived.by((): Mark[] => {
    const litKey = this.lit?.slice(0, this.lit.lastIndexOf('#'))
    return this.regions
      .filter((r) => this.selected.has(r.key) || r.key === litKey)
      .flatMap((r) =>
        (this.work.content(r)?.words ?? []).map((w, n) => {
          const id = `${r.key}#${n}`
          return { id, box: w, doubtful: inDoubt(this.work.content(r)!, n), lit: this.lit === id }
        }),
      )
  })
  readonly shapes = $derived.by(() =>
    this.regions.map((r, n) => {
      const text = this.work.content(r)?.text
      const label = text ? t('Region {n}, {text}', { n: n + 1, text: text.slice(0, 80) }) : t('Region {n}', { n: n + 1 })
      return { key: r.key, n: n + 1, name: r.name, box: r.box, busy: this.work.busy(r), failed: this.work.failed(r), label }
    }),
  )

  constructor(id: number, address: () => URL) {
    this.#address = address
    this.work = new Work(id)
    this.others = new Others(id, this.work.hear, (rotation) => this.#stands(rotation))
    this.work.gone = () => {
      this.phase = 'missing'
    }
    let before = this.version
    $effect(() => {
      // another version is another list
      if (this.version === before) return
      before = this.version
      if (!this.regions.some((r) => this.selected.has(r.key))) this.selected = new Set()
      this.suggestions = []
    })
    $effect(() => {
      // What was drawn last is told when it is read.
      const one = this.one
      if (!one || one.key !== this.#heard || this.work.busy(one)) return
      this.#heard = ''
      const text = this.work.content(one)?.text || this.work.reason(one) || t('No text found here.')
      this.said = t('Region {n}, {text}', { n: this.numberOf(one.key), text })
    })
    $effect(() => {
      // The address follows what is selected, also where that has another content by now, or is there no more.
      const id = this.one ? this.work.content(this.one)?.id : ''
      if (this.#arrived && id !== undefined) untrack(() => id !== (this.#address().searchParams.get('r') ?? '') && this.#name())
    })
    $effect(() => () => {
      this.others.leave()
      this.work.leave()
    })
    this.load()
  }
  #arrived = $state(false) // at what the address named
  #heard = '' // key of the region that is to be told

  get id() {
    return this.work.id
  }
  numberOf = (key: string) => this.regions.findIndex((r) => r.key === key) + 1
  #ofRun = () => this.shownRun?.contents.map((c) => asRegion(c, c.id, this.shownRun!)) ?? []
  rename = (r: Region, name: string) => this.work.rename(r.key, name)

  async load() {
    this.phase = 'loading'
    try {
      await this.others.watch()
      await this.#load()
      this.phase = 'ready'
      const { document, id } = this.work.image!
      if (document) rememberPage(document, id)
      await this.#arrive()
      this.#arrived = true
    } catch (e) {
      if (this.#missing(e)) return
      this.phase = 'failed'
      this.problem = reasonOf(e)
      complain(e)
    }
  }
  /** Loads the page with the version that the address names, or without, where there is none such. */
  async #load() {
    const named = this.#address().searchParams.get('v')
    try {
      if (named !== null && !(/^\d{1,9}$/.test(named) && this.version > 0)) throw new api.Failure(404, 'not_found', '')
      await this.work.load(this.version)
    } catch (e) {
      if (named === null || !(e instanceof api.Failure && e.status === 404)) throw e
      await this.work.load(0)
      const newest = this.work.version
      tell(newest ? t('There is no version {n}. The newest is {newest}.', { n: named, newest }) : t('This page has not been read yet.'))
      go(`/image/${this.id}`, true)
    }
  }
  #missing(e: unknown): boolean {
    const missing = e instanceof api.Failure && e.status === 404
    if (missing) this.phase = 'missing'
    return missing
  }
  /** Shows what the address names: a region of the list or, where that has none such any more, of the version that has it. */
  async #arrive() {
    const wanted = this.#address().searchParams.get('r')
    let at = wanted ? this.regions.find((r) => this.work.content(r)?.id === wanted) : undefined
    if (wanted && !at) {
      const orNone = (e: unknown) => {
        if (!(e instanceof api.Failure && (e.status === 404 || e.status === 403))) throw e
        return null
      }
      const c = await api.content(wanted).catch(orNone)
      if (c) await this.work.fetchVersion(c.version).catch(orNone)
      if (!c || !this.work.runs.some((r) => r.contents.some((x) => x.id === c.id))) tell(t('The region in this link no longer exists.'))
      else {
        go(`/image/${this.id}?v=${c.version}&r=${c.id}`, true)
        await tick()
        at = this.regions.find((r) => r.key === wanted)
      }
    }
    if (at) {
      this.selected = new Set([at.key])
      await tick()
      this.viewer?.reveal(at.box)
      this.#show(at.key)
    } else if (this.kept.length) this.#show(this.kept[0].key)
  }
  /** The tab is closed, or shows what is no page of ours. */
  hide() {
    this.others.leave()
    this.work.hide()
  }
  /** Somebody may have been at it while the page was out of sight. */
  async seenAgain() {
    if (document.visibilityState === 'hidden') return this.others.leave()
    if (this.phase !== 'ready') return
    try {
      await this.others.watch()
      await this.work.hear([{ version: 0 }])
      this.work.takeUp()
    } catch (e) {
      if (!this.#missing(e)) complain(e)
    }
  }
  /** Brings a region of the list into sight. */
  async #show(key: string) {
    await tick()
    this.list?.show(key)
  }
  /** The address names what is seen. */
  #name() {
    const url = new URL(location.origin + `/image/${this.id}`)
    if (this.version) url.searchParams.set('v', String(this.version))
    const c = this.one && this.work.content(this.one)
    if (c) url.searchParams.set('r', c.id)
    go(url.pathname + url.search, true)
  }

  select(keys: string[], more = false) {
    const next = new Set(more ? this.selected : [])
    for (const k of keys)
      if (more && next.has(k)) next.delete(k)
      else next.add(k)
    this.selected = next
    if (keys.length === 1) this.#show(keys[0])
    this.#name()
  }
  /** Selects the next region in the list, or the one before, alone or with those that are. */
  step(by: 1 | -1, more: boolean) {
    const { regions } = this
    if (regions.length === 0) return
    const last = this.numberOf([...this.selected].at(-1) ?? '') - 1
    const r = regions[last < 0 ? (by > 0 ? 0 : regions.length - 1) : (last + by + regions.length) % regions.length]
    this.selected = more ? new Set([...[...this.selected].filter((k) => k !== r.key), r.key]) : new Set([r.key])
    this.said = t('Region {n}, {text}', { n: this.numberOf(r.key), text: this.work.shown(r)?.text ?? '' })
    this.viewer?.reveal(r.box)
    this.#show(r.key)
    this.#name()
  }
  /** Whether the version that is shown may be changed: who read it may, the owner of the page, and administrators. */
  readonly changeable = $derived.by(() => {
    const shown = this.version || this.work.version
    const run = this.work.runs.find((r) => r.version === shown)
    return this.turnable || !run || run.user.id === app.user?.id
  })
  /** Whether there can be something deleted that may be restored: the own page, or a version of one's own, which may be an older one. */
  readonly restores = $derived.by(() =>
    this.turnable ? this.work.runs.length > 0 : this.work.older || this.work.runs.some((r) => r.user.id === app.user?.id),
  )
  /** Whether it may, which is told if not. */
  #changeable(): boolean {
    if (this.changeable) return true
    tell(
      t(
        'Only the person who ran this version, the page’s owner and administrators can change it. “Read all again” makes a version of your own.',
      ),
    )
    return false
  }
  edit(r: Region, on: boolean) {
    if (on && !this.#changeable()) return
    if (on) this.walk = null
    this.editing = on ? r.key : ''
    if (on && !this.selected.has(r.key)) this.select([r.key])
    if (!on) this.viewer?.focus()
  }
  #lastDoubt = ''
  doubt(by: 1 | -1) {
    const { doubts } = this
    if (doubts.length === 0) {
      if (!this.regions.some((r) => this.work.failed(r))) tell(t('No doubtful words'))
      return
    }
    const at = doubts.findIndex((d) => d.id === this.#lastDoubt)
    this.#stand(doubts[at < 0 ? (by > 0 ? 0 : doubts.length - 1) : (at + by + doubts.length) % doubts.length])
  }
  #stand(d: Editor['doubts'][number]) {
    this.#lastDoubt = d.id
    this.select([d.key])
    this.lit = d.id
    if (this.walk) this.viewer?.follow(d.box)
    else this.viewer?.reveal(d.box)
    const also = others(d.box).map((c) => t('Other reading: {text}', { text: c.text }))
    this.said = [d.text, t('Confidence {n}%', { n: Math.round(d.confidence * 100) }), ...also].join(', ')
  }

  // Proofreading: from one doubtful word to the next, each said to be right or written anew. at: the word it stands on: key#word.
  walk = $state.raw<{ at: string; done: number; busy: boolean } | null>(null)
  readonly progress = $derived.by(() => {
    const { walk, doubts } = this
    if (!walk) return null
    const here = doubts.findIndex((d) => d.id === walk.at)
    const all = walk.done + doubts.length
    return { n: Math.min(walk.done + Math.max(0, here) + 1, all), all }
  })
  startWalk() {
    if (this.version || this.doubts.length === 0) {
      this.doubt(1)
      return
    }
    if (!this.#changeable()) return
    this.editing = ''
    const from = this.doubts.find((d) => d.id === this.lit) ?? this.doubts.find((d) => this.selected.has(d.key)) ?? this.doubts[0]
    this.walk = { at: from.id, done: 0, busy: false }
    this.#stand(from)
  }
  endWalk() {
    this.walk = null
    this.lit = null
    this.viewer?.focus()
  }
  /** Leaves the word as it is for now, and goes on or back. */
  skip(by: 1 | -1) {
    const { walk, doubts } = this
    if (!walk || doubts.length === 0) return
    const here = doubts.findIndex((d) => d.id === walk.at)
    const d = doubts[(Math.max(0, here) + by + doubts.length) % doubts.length]
    this.walk = { ...walk, at: d.id }
    this.#stand(d)
  }
  /** The word is right as it is read, or as it is given; on to the next one. */
  async right(text: string) {
    const { walk, doubts } = this
    const here = doubts.findIndex((d) => d.id === walk?.at)
    const d = doubts[here]
    const r = d && this.regions.find((r) => r.key === d.key)
    const c = r && this.work.content(r)
    if (!walk || !c || walk.busy) return
    if (text === d.text) this.work.confirm(c.id, [d.n], true)
    else {
      this.walk = { ...walk, busy: true }
      try {
        await this.work.correct(c.id, c.revision, exchanged(c, d.n, text))
      } catch (e) {
        this.walk = { ...walk, busy: false }
        return this.#notCorrected(c, e)
      }
    }
    if (!this.walk) return
    const left = this.doubts
    if (left.length === 0) {
      tell(t('All doubtful words are checked.'))
      this.endWalk()
      return
    }
    const next = left[here] ?? left[0]
    this.walk = { at: next.id, done: walk.done + 1, busy: false }
    this.#stand(next)
  }
  /** Says that all of a region is right, or that it is not sure. */
  confirm(r: Region, on: boolean) {
    const c = this.work.content(r)
    if (c && this.#changeable()) this.work.confirm(c.id, [], on, true)
  }
  confirmAll() {
    if (!this.#changeable()) return
    this.walk = null
    for (const r of this.regions) {
      const c = this.work.content(r)
      if (c && !c.error && !c.confirmed) this.work.confirm(c.id, [], true, true)
    }
    this.viewer?.focus()
  }
  /** Takes what another engine read of the word that is outlined. */
  takeOther() {
    const at = this.lit?.lastIndexOf('#') ?? -1
    const r = this.regions.find((r) => r.key === this.lit?.slice(0, at))
    const word = Number(this.lit?.slice(at + 1))
    const other = r && others(this.work.content(r)?.words[word])[0]
    if (!other) return
    if (this.walk) this.right(other.text)
    else this.exchange(r, word, other.text)
  }
  /** Corrects one word of a region. A text that is being typed is left alone. */
  async exchange(r: Region, word: number, text: string) {
    const c = this.work.content(r)
    if (!c || unsaved(c.id) || !this.#changeable()) return
    this.viewer?.focus()
    this.lit = null
    try {
      await this.work.correct(c.id, c.revision, exchanged(c, word, text))
      this.said = t('Region {n}, {text}', { n: this.numberOf(r.key), text })
    } catch (e) {
      await this.#notCorrected(c, e)
    }
  }
  async #notCorrected(c: Content, e: unknown) {
    if (!(e instanceof api.Failure && e.status === 412)) return complain(e)
    this.work.changed(await api.content(c.id).catch(() => c))
    tell(t('This text was changed elsewhere.'))
  }

  add(regions: Parameters<Work['add']>[0]) {
    if (this.version) go(`/image/${this.id}`)
    const made = this.work.add(regions)
    this.selected = new Set(made.map((r) => r.key))
    this.#heard = made.length === 1 ? made[0].key : ''
    this.#show(made[0].key)
  }
  addWholePage() {
    const { width, height } = this.work.image!
    this.add([{ box: { x1: 0, y1: 0, x2: width, y2: height } }])
  }
  /** Opens the next page of the document, or the one before; beyond its ends the next image of the library. */
  async leaf(by: 1 | -1) {
    const { page, pages, document } = this.work.image!
    if (document && page + by >= 1 && page + by <= pages) {
      await this.openPage(page + by)
      return
    }
    try {
      const next = await neighbour(this.id, by)
      if (next) go(`/image/${next.id}`)
      else tell(by > 0 ? t('This is the last page.') : t('This is the first page.'))
    } catch (e) {
      complain(e)
    }
  }
  /** Opens a page of the document. */
  async openPage(n: number) {
    const page = await leavesOf(this.work.image!.document).page(n)
    if (page) go(`/image/${page.id}`)
  }
  /** Reads pages of the document in the background: whole ones, or the regions of this one on each of them. */
  async readPages(which: 'all' | 'next' | 'others' | 'odd', regions: boolean) {
    const { document, page, pages } = this.work.image!
    const leaves = leavesOf(document)
    try {
      await leaves.look(1, pages)
      const wanted = [...leaves.pages.values()].filter((i) =>
        which === 'all' ? true : i.page !== page && (which === 'others' || (which === 'next' ? i.page === page + 1 : i.page % 2 === 1)),
      )
      const ids = wanted.sort((a, b) => a.page - b.page).map((i) => i.id)
      const chosen = this.selected.size > 1 ? this.#chosen() : this.regions
      if (ids.length) await read(ids, regions ? chosen.map((r) => orderOf(r)) : [])
    } catch (e) {
      complain(e)
    }
  }
  #chosen = () => this.regions.filter((r) => this.selected.has(r.key))
  align(edge: Edge) {
    this.#place(aligned(new Map(this.#chosen().map((r) => [r.key, r.box])), edge))
  }
  distribute(along: 'x' | 'y') {
    this.#place(distributed(new Map(this.#chosen().map((r) => [r.key, r.box])), along))
  }
  #place(boxes: Map<string, Box>) {
    const changed = [...boxes].filter(([key, box]) => !sameBox(box, this.regions.find((r) => r.key === key)!.box))
    if (changed.length) this.move(new Map(changed))
    this.viewer?.focus()
  }
  /** Copies the selected regions; false where a text is selected, which the browser copies. */
  copyRegions(): boolean {
    if (getSelection()?.isCollapsed === false) return false
    const list = this.#chosen()
    if (list.length === 0) return false
    copyRegions(list, this.work.image!)
    tell(count(list.length, '1 region copied', '{n} regions copied'))
    return true
  }
  pasteRegions() {
    const list = copiedFor(
      this.work.image!,
      this.work.draft.map((r) => r.box),
    )
    if (list.length) this.add(list)
  }
  move = (boxes: Map<string, Box>) => this.work.again(new Map([...boxes].map(([k, box]) => [k, { box }])))
  /** Works on with a version that is shown. */
  async goOnFrom() {
    const run = this.shownRun
    if (!run) return
    go(`/image/${this.id}`)
    if (await this.work.restore(run)) tell(t('Saved as version {n}.', { n: this.work.version }))
  }
  async travel(step: 'undo' | 'redo') {
    if (this.version) return
    this.walk = null
    const content = await this.work[step]()
    this.selected = new Set([...this.selected].filter((k) => this.work.draft.some((r) => r.key === k)))
    const changed = this.work.draft.find((r) => r.content === content)
    if (!content || !changed) return
    this.select([changed.key])
    this.viewer?.reveal(changed.box)
  }
  remove(keys = this.selected) {
    if (this.version || keys.size === 0) return
    if (this.regions.some((r) => r.content && keys.has(r.key)) && !this.#changeable()) return
    const [first] = keys
    const said = keys.size > 1 ? t('{n} deleted', { n: keys.size }) : t('Region {n} deleted', { n: this.numberOf(first) })
    const back = this.work.remove(keys)
    tell(said, { label: t('Undo'), run: back })
    this.selected = new Set()
    this.viewer?.focus()
  }
  duplicate(keys: Set<string>) {
    if (!this.version && keys.size) this.selected = new Set(this.work.duplicate(keys).map((r) => r.key))
  }
  /** The regions that an action at one of them is for: all that are selected, where it is among them. */
  #with = (r: Region) => (this.selected.has(r.key) ? this.selected : new Set([r.key]))
  removeWith = (r: Region) => this.remove(this.#with(r))
  askHow(r: Region) {
    const { lang, psm, rotate, effort, charset } = r
    this.dialog = { kind: 'how', keys: [...this.#with(r)], own: { lang, psm, rotate, effort, charset } }
  }
  again = (r: Region) => this.work.again(new Map([[r.key, {}]]))

  turning = $state(false)
  /** Turns the page clockwise by 90°, so many times. */
  async turn(times = 1) {
    if (this.turning || this.work.reading.length) return
    this.turning = true
    try {
      await this.work.turn(times)
      this.#turned()
      tell(t('Page turned'), { label: t('Undo'), run: () => this.turn(4 - times) })
    } catch (e) {
      complain(e)
    }
    this.turning = false
  }

  #turned() {
    leavesOf(this.work.image!.document).put(this.work.image!)
    this.suggestions = []
  }
  async #stands(rotation: number) {
    try {
      if (!(await this.work.stands(rotation))) return
      this.#turned()
      tell(t('The page was turned elsewhere.'))
    } catch (e) {
      complain(e)
    }
  }

  async readAll() {
    if (this.#tooMany()) return
    this.walk = null
    const v = await this.work.readAll()
    if (v) tell(t('Saved as version {n}.', { n: v }))
    else tell(t('Some regions could not be read.'))
  }
  #tooMany(): boolean {
    if (this.work.draft.length <= mostInVersion) return false
    tell(t('A version can have at most {n} regions. Delete some first.', { n: mostInVersion }))
    return true
  }
  /** Saves what is seen as a file. */
  async save(format: string) {
    try {
      await this.work.settled()
      await download(this.id, format, this.version ? String(this.work.image!.page) : 'all', this.version)
    } catch (e) {
      complain(e)
    }
  }
  copyTexts(of: Region[]) {
    const texts = of.map((r) => this.work.content(r)?.text ?? '').filter(Boolean)
    copy(texts.join('\n')).catch(complain)
  }

  async crop(c: Content, charset: string) {
    try {
      this.dialog = { kind: 'crop', url: await api.picture(api.cropPath(this.id, c, charset)) }
    } catch (e) {
      complain(e)
    }
  }
  async history(of: Content) {
    try {
      this.dialog = { kind: 'history', of, list: (await api.revisions(of.id)).reverse() }
    } catch (e) {
      complain(e)
    }
  }
  /** Saves the text of an earlier revision as the newest. */
  async takeBack(text: string, newest: Content) {
    this.dialog = null
    await this.work.correct(newest.id, newest.revision, text).catch(complain)
  }
  async forget(c: Content) {
    this.dialog = null
    try {
      await this.work.forget(c)
      this.selected = new Set()
      this.#name()
      tell(t('Deleted from version {n}.', { n: c.version }))
    } catch (e) {
      complain(e)
    }
  }
  /** Saves what was typed; what cannot be saved stays as it is, and its own editor tells why. */
  async saveKept() {
    for (const r of this.kept) {
      const c = this.work.shown(r)!
      const u = unsaved(c.id)!
      try {
        await this.work.correct(c.id, u.revision, u.text)
      } catch (e) {
        if (!(e instanceof api.Failure && e.status === 412)) {
          complain(e)
          return
        }
        this.editing = r.key
        this.#show(r.key)
        tell(t('This text was changed elsewhere. Save here to compare.'))
        return
      }
    }
  }

  async suggest(level: 'block' | 'line') {
    this.searching?.abort()
    const control = (this.searching = new AbortController())
    try {
      const found = await api.layout(this.id, level, control.signal)
      this.suggestions = found.filter((b) => !this.work.draft.some((r) => overlap(r.box, b) > 0.5))
      if (this.suggestions.length === 0) tell(found.length ? t('Everything found is already here.') : t('No text found on this page.'))
    } catch (e) {
      complain(e)
      this.#missing(e)
    }
    if (this.searching === control) this.searching = null
  }
  cancelSearch() {
    this.searching?.abort()
    this.searching = null
    this.viewer?.focus()
  }
  take(n: number) {
    const box = this.suggestions[n]
    this.suggestions = this.suggestions.filter((_, i) => i !== n)
    this.add([{ box }])
    this.viewer?.focus()
  }
  takeAll() {
    const all = this.suggestions
    this.suggestions = []
    this.add(all.map((box) => ({ box })))
    this.viewer?.focus()
  }
  dismiss() {
    this.suggestions = []
    this.viewer?.focus()
  }

  /** What keys do, wherever the focus is but in a field; the viewer has done its own before. One that returns false leaves the key to the browser. */
  readonly actions: Partial<Record<Action, () => unknown>> = {
    undo: () => this.travel('undo'),
    redo: () => this.travel('redo'),
    duplicate: () => this.duplicate(this.selected),
    copyRegions: () => this.copyRegions(),
    pasteRegions: () => this.pasteRegions(),
    zoomRegion: () => this.viewer?.zoomTo(this.#chosen().map((r) => r.box)),
    proofread: () => this.startWalk(),
    nextDoubt: () => this.doubt(1),
    previousDoubt: () => this.doubt(-1),
    escape: () => {
      this.lit = null
      this.select([])
    },
    takeOther: () => this.takeOther(),
    next: () => this.step(1, false),
    previous: () => this.step(-1, false),
    addNext: () => this.step(1, true),
    addPrevious: () => this.step(-1, true),
    name: () => this.one && this.list?.name(this.one.key),
    nextPage: () => this.leaf(1),
    previousPage: () => this.leaf(-1),
    goToPage: () => this.pageNumber?.ask(),
    help: () => (this.dialog = { kind: 'help' }),
    new: () => this.viewer?.startGhost(),
    copy: () => {
      if (getSelection()?.isCollapsed === false) return // what is selected of a text is copied by the browser's own keys
      this.copyTexts(this.selected.size ? this.regions.filter((r) => this.selected.has(r.key)) : this.regions)
    },
  }
}

export const formats: [string, Text][] = [
  ['txt', 'Plain text'],
  ['pdf', 'Searchable PDF'],
  ['hocr', 'hOCR'],
  ['alto', 'ALTO'],
  ['json', 'JSON'],
  ['tsv', 'Table (TSV)'],
  ['csv', 'Regions as CSV'],
  ['xlsx', 'Regions as Excel'],
]
