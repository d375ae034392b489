import { expect, test } from 'vitest'
import { EventParser } from './sse'

const stream = 'id: 7\nevent: item\ndata: {"a":1}\n\n: a heartbeat\n\ndata: two\ndata: lines\n\nid: 8\r\nevent: end\r\ndata: {}\r\n\r\n'
const told = [
  { id: '7', event: 'item', data: '{"a":1}' },
  { id: '7', event: 'message', data: 'two\nlines' },
  { id: '8', event: 'end', data: '{}' },
]

test('events are read from a stream, wherever it is cut', () => {
  expect(new EventParser().feed(stream)).toEqual(told)
  for (let n = 1; n < stream.length; n++) {
    const p = new EventParser()
    expect([...p.feed(stream.slice(0, n)), ...p.feed(stream.slice(n))], `cut at ${n}`).toEqual(told)
  }
  const p = new EventParser()
  expect([...stream].flatMap((c) => p.feed(c))).toEqual(told)
})
