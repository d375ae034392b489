/** A stretch of words: in both texts, in the second only, or in the first only. */
export type Part = { kind: 'same' | 'added' | 'taken'; words: string[] }

/** What has to be done to the first list of words to get the second: the fewest changes, or all of the middle where both are very long. */
export function diff(a: string[], b: string[]): Part[] {
  const parts: Part[] = []
  const put = (kind: Part['kind'], words: string[]) => {
    if (words.length === 0) return
    if (parts.at(-1)?.kind === kind) parts.at(-1)!.words.push(...words)
    else parts.push({ kind, words: [...words] })
  }
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const x = a.slice(start, a.length - end)
  const y = b.slice(start, b.length - end)
  put('same', a.slice(0, start))
  if (x.length * y.length > 4e6) {
    put('taken', x)
    put('added', y)
  } else {
    // common[i][j] is the length of the longest common run of x from i on and y from j on.
    const w = y.length + 1
    const common = new Uint32Array((x.length + 1) * w)
    for (let i = x.length - 1; i >= 0; i--)
      for (let j = y.length - 1; j >= 0; j--)
        common[i * w + j] = x[i] === y[j] ? common[(i + 1) * w + j + 1] + 1 : Math.max(common[(i + 1) * w + j], common[i * w + j + 1])
    let i = 0
    let j = 0
    while (i < x.length || j < y.length) {
      if (i < x.length && j < y.length && x[i] === y[j]) {
        put('same', [x[i]])
        i++
        j++
      } else if (i < x.length && (j === y.length || common[(i + 1) * w + j] >= common[i * w + j + 1])) put('taken', [x[i++]])
      else put('added', [y[j++]])
    }
  }
  put('same', a.slice(a.length - end))
  return parts
}

/** Words and line breaks, each a token. */
export const tokens = (text: string): string[] => text.match(/[^\s]+|\n/g) ?? []

/** Pairs of boxed things of two lists that lie at the same place, in the order of the second; what has no partner stands alone. */
export function pairs<T>(a: T[], b: T[], alike: (x: T, y: T) => number): { old?: T; now?: T }[] {
  const left = new Set(a)
  const found = b.map((now) => {
    let old: T | undefined
    for (const x of left) if (alike(x, now) > Math.max(0.3, old === undefined ? 0 : alike(old, now))) old = x
    if (old !== undefined) left.delete(old)
    return { old, now }
  })
  return [...found, ...[...left].map((old) => ({ old }))]
}
