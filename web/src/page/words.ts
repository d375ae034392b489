// A text word by word: which of its words have a place on the page, and what else was read of them.
import type { Content, Word } from '../api'

type Candidate = Word['candidates'][number]
/** A piece of a text: a word, by its number among the words of the content, or -1 for what is between words or has no place on the page. */
export type Piece = { text: string; word: number }

export function pieces(c: Pick<Content, 'text' | 'words'>): Piece[] {
  const parts = c.text.split(/(\s+)/).filter(Boolean)
  const known = parts.filter((p) => p.trim()).length === c.words.length
  let i = 0
  return parts.map((text) => ({ text, word: text.trim() && known ? i++ : -1 }))
}

/** Other readings of a word. A word that a person wrote has none. */
export const others = (w: Word | undefined): Candidate[] =>
  w?.engine ? w.candidates.filter((c) => c.text.trim() && c.text !== w.text) : []

/** The text with another word at that place. */
export const exchanged = (c: Pick<Content, 'text' | 'words'>, word: number, text: string): string =>
  pieces(c)
    .map((p) => (p.word === word ? text : p.text))
    .join('')

/** The language of a text, for the browser. */
export const languageOf = (c: Content) => ({ kor: 'ko', eng: 'en' })[c.lang[0]]

export const percent = (share: number) => Math.round(share * 100)
