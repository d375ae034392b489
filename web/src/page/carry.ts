// Regions as the page has them, and what of them comes through when contents change or are read again.
import { auto, type Box, type Content, type Effort, type Rotate, type Run } from '../api'
import { sameBox } from './geometry'

/** How one region is read; null: as new ones are. */
export type Own = { lang: string[] | null; psm: string | null; rotate: Rotate | null; effort: Effort | null; charset: string }
/**
 * A region of the list. content: the id of its content at the server; empty until there is one. While it is read again, box and name are what they
 * will be. reason: why it could not be read; away: since the service could not be reached; final: it would fail
 * again.
 */
export type Region = Own & {
  key: string
  box: Box
  name: string
  content: string
  state: 'read' | 'reading' | 'failed'
  reason: string
  away: boolean
  final: boolean
}

export const asOthers: Own = { lang: null, psm: null, rotate: null, effort: null, charset: '' }

export const asRegion = (c: Content, key: string, run: Pick<Run, 'lang' | 'psm'>): Region => ({
  ...ownOf(c, run),
  key,
  box: c.roi,
  name: c.name,
  content: c.id,
  state: 'read',
  reason: '',
  away: false,
  final: false,
})

/** How a content was to be read where that was its own; of one that an older release read, as far as it shows. */
function ownOf(c: Content, run: Pick<Run, 'lang' | 'psm'>): Own {
  if (c.asked) {
    const { lang, psm, rotate, effort, charset } = c.asked
    return { lang: lang ?? null, psm: psm ? String(psm) : null, rotate: rotate ?? null, effort: effort ?? null, charset: charset ?? '' }
  }
  return {
    ...asOthers,
    lang: run.lang.includes(auto) || c.lang.join() === run.lang.join() ? null : c.lang,
    psm: run.psm === null || c.psm === run.psm ? null : String(c.psm ?? 'auto'),
  }
}

/** How far the text of a region is to be turned once the page was turned clockwise by so many degrees. */
export const rotatedBy = (degrees: number, rotate: Rotate | null) =>
  rotate && rotate !== 'auto' ? (String((Number(rotate) + degrees + 360) % 360) as Rotate) : rotate

/** The regions of a run, in its order, each with what this page knows of it; then those that have yet to be read. */
export function mirrored(list: Region[], run: Pick<Run, 'lang' | 'psm' | 'contents'> | undefined): Region[] {
  const known = new Map(list.filter((r) => r.content).map((r) => [r.content, r]))
  const there = (run?.contents ?? []).map((c) => {
    const r = known.get(c.id)
    if (!r) return asRegion(c, c.id, run!)
    if (r.state === 'reading') return r
    return { ...r, ...(r.state === 'read' && c.asked && ownOf(c, run!)), box: c.roi, name: c.name, state: 'read' as const, reason: '' }
  })
  return [...there, ...list.filter((r) => !r.content)]
}

/** Whether a run has all that was read of the list: its regions where they are, with the texts that persons wrote. */
export const covers = (run: Pick<Run, 'contents'>, list: Region[], content: (id: string) => Content | undefined): boolean =>
  list.every((r) => {
    const old = content(r.content)
    return !old || run.contents.some((c) => sameBox(c.roi, r.box) && !correction(old, c))
  })

/** The corrected text that a new reading takes over from the one before it; null where there is none. */
export const correction = (old: Content, now: Content): string | null =>
  old.id !== now.id && old.edited_by && old.text !== now.text ? old.text : null

/** A text that is being typed over an old reading, typed over the new one. */
export const retyped = (typed: { text: string }, now: Content) => ({ text: typed.text, revision: now.revision })
