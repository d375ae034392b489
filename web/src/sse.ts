// Server-sent events, read from a stream: the browser's own reader for them cannot send a token.
export type ServerEvent = { id: string; event: string; data: string }

/** Makes events of pieces of a stream, wherever it was cut. */
export class EventParser {
  #rest = ''
  #id = ''
  #event = ''
  #data: string[] = []

  feed(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop()!
    return lines.flatMap((line) => this.#line(line) ?? [])
  }
  #line(line: string): ServerEvent | null {
    if (line === '') {
      const made = this.#data.length ? { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') } : null
      this.#event = ''
      this.#data = []
      return made
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line)!
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    else if (field === 'id') this.#id = value
    return null
  }
}
