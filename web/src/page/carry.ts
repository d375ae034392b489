// How regions and what was corrected in them come through: a reload, versions made elsewhere, and being read again.
import type { Box, Content, Effort, Rotate } from '../api'
import { overlap, sameBox } from './geometry'

/** How one region is read; null: as new ones are. */
export type Own = { lang: string[] | null; psm: string | null; rotate: Rotate | null; effort: Effort | null; charset: string }
/** A region of the list. read names the reading that its text comes from: that of a content, or one that is under way. */
export type Region = Own & { key: string; box: Box; name: string; read: string }

export const asOthers: Own = { lang: null, psm: null, rotate: null, effort: null, charset: '' }

/** A region as the browser keeps it: with its content or, where it was not read to the end, with the one that it had before. */
export type KeptRegion = Region & { content: string | null; from?: string }

export const asRegion = (c: Content, key: string): Region => ({ ...asOthers, key, box: c.roi, name: c.name, read: c.id })

/** The regions of a list, with those of a newer run: what was read at the same place takes the place of what was there. */
export function merged(list: Region[], run: Content[], fresh: () => string): Region[] {
  const next = [...list]
  for (const c of run) {
    const n = next.findIndex((r) => sameBox(r.box, c.roi) || overlap(r.box, c.roi) > 0.7)
    if (n >= 0) next[n] = { ...next[n], box: c.roi, name: c.name || next[n].name, read: c.id }
    else next.push(asRegion(c, fresh()))
  }
  return next
}

/** The contents that a kept list needs. */
export const needed = (kept: KeptRegion[]): string[] =>
  [...new Set(kept.flatMap((r) => [r.content, r.from]).filter((id) => !!id))] as string[]

/** One region of a kept list, had back. content: null where it has yet to be read; from: the content that it had before, if there was one. */
export type Restored = { region: Region; content: string | null; from: string | null }

/** A kept list, had back. A region whose content was deleted meanwhile is left out. */
export function restored(kept: KeptRegion[], exists: (content: string) => boolean, fresh: () => string): Restored[] {
  return kept.flatMap(({ content, from, ...r }) => {
    if (content && !exists(content)) return []
    const region = { ...asOthers, ...r, read: content ?? fresh() }
    return [{ region, content, from: !content && from && exists(from) ? from : null }]
  })
}

/** The corrected text that a new reading takes over from the one before it; null where there is none. */
export const correction = (old: Content, now: Content): string | null =>
  old.id !== now.id && old.revision > 1 && old.text !== now.text ? old.text : null

/** A text that is being typed over an old reading, typed over the new one. */
export const retyped = (typed: { text: string }, now: Content) => ({ text: typed.text, revision: now.revision })
