// How this browser lays out the page view.
const place = 'page layout'
const kept = (): Partial<{ panel: number; compact: boolean }> => {
  try {
    return JSON.parse(localStorage.getItem(place) ?? '{}')
  } catch {
    return {}
  }
}
export const narrowest = 300 // pixels of the panel
const usual = 400

/** panel: pixels that the text beside the page image takes; compact: whether its list has a line for each region. */
export const layout = $state({ panel: usual, compact: false, ...kept() })

const keep = () => localStorage.setItem(place, JSON.stringify(layout))
export function widen(to: number) {
  layout.panel = Math.round(Math.min(Math.max(to, narrowest), broadest()))
  keep()
}
/** The page image keeps some room. */
export const broadest = () => Math.max(narrowest, innerWidth - 360)
export function setCompact(on: boolean) {
  layout.compact = on
  keep()
}
