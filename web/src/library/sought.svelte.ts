// What a search in the texts has found, and where it stands on the page that is opened from it.
import type { Box } from '../api'

let opened = $state.raw<{ content: string; boxes: Box[] } | null>(null)

export const openFound = (content: string, boxes: Box[]) => (opened = { content, boxes })
/** Where on its page stands what was sought, as long as that content is looked at. */
export const foundIn = (content: string | undefined): Box[] => (opened && opened.content === content ? opened.boxes : [])

/** A text in pieces, of which those that were found are marked. ranges: in code points, in order. */
export function marked(text: string, ranges: number[][]): { text: string; found: boolean }[] {
  const points = [...text]
  const parts: { text: string; found: boolean }[] = []
  let at = 0
  const put = (to: number, found: boolean) => {
    if (to > at) parts.push({ text: points.slice(at, to).join(''), found })
    at = Math.max(at, to)
  }
  for (const [from, to] of ranges) {
    put(from, false)
    put(to, true)
  }
  put(points.length, false)
  return parts
}
