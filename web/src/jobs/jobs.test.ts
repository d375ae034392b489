import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Job } from '../api'

// A service with jobs, whose streams end when a test says so.
type Stream = { id: string; tell: (event: string, data: object) => void }
const page = vi.hoisted(() => {
  const events = new EventTarget()
  return Object.assign(events, {
    hidden: false,
    list: [] as Job[],
    streams: [] as Stream[],
    told: [] as string[],
    read: [] as number[],
    look: (hidden: boolean) => {
      page.hidden = hidden
      events.dispatchEvent(new Event('visibilitychange'))
    },
  })
})
vi.hoisted(() => {
  vi.stubGlobal('document', page)
  vi.stubGlobal('dispatchEvent', () => true)
})
vi.mock('../api', () => ({
  Failure: class {},
  jobs: async () => page.list,
  failedItems: async () => [],
  follow: (path: string, signal: AbortSignal, it: (e: { event: string; data: string }) => boolean | void) =>
    new Promise<void>((end) => {
      const over = () => {
        page.streams = page.streams.filter((s) => s !== stream)
        end()
      }
      const stream: Stream = {
        id: path.split('/')[2],
        tell: (event, data) => it({ event, data: JSON.stringify(data) }) && over(),
      }
      page.streams.push(stream)
      signal.addEventListener('abort', over)
    }),
}))
vi.mock('../how', () => ({}))
vi.mock('../i18n.svelte', () => ({ count: (n: number) => `${n} read`, t: (s: string) => s }))
vi.mock('../library/library.svelte', () => ({ renew: () => {} }))
vi.mock('../page/leaves.svelte', () => ({ wasRead: (image: number) => page.read.push(image) }))
vi.mock('../state.svelte', () => ({ complain: () => {}, tell: (s: string) => page.told.push(s) }))

const { jobs, look, running } = await import('./jobs.svelte')
const job = (n: number, more: Partial<Job> = {}) =>
  ({ id: `j${n}`, state: 'queued', total: n, done: 0, failed: 0, created_datetime: '2026-11-28T09:00:00Z', ...more }) as Job
const done = (n: number) => job(n, { state: 'done', done: n } as Partial<Job>)
const followed = () => page.streams.map((s) => s.id)
const settled = () => vi.advanceTimersByTimeAsync(0)

beforeEach(async () => {
  vi.useFakeTimers()
  await look(0)
  Object.assign(page, { hidden: false, list: [3, 2, 1].map((n) => job(n)), streams: [], told: [], read: [] })
})

describe('several jobs', () => {
  test('are followed one after the other, the oldest first', async () => {
    await look(1)
    expect(followed()).toEqual(['j1'])
    page.streams[0].tell('item', { image_id: 7, version: 1 })
    page.streams[0].tell('end', done(1))
    await settled()
    expect(followed()).toEqual(['j2'])
    expect([page.read, page.told]).toEqual([[7], ['1 read']])
  })
  test('are asked about while another is followed', async () => {
    await look(1)
    page.list = [done(3), job(2, { done: 1, state: 'running' } as Partial<Job>), job(1)]
    await vi.advanceTimersByTimeAsync(5000)
    expect(jobs().map((s) => s.job.done)).toEqual([3, 1, 0])
    expect(followed()).toEqual(['j1', 'j3']) // what became of the items of the one that ended is told, and no more
    page.streams[1].tell('end', done(3))
    await vi.advanceTimersByTimeAsync(5000)
    expect(followed()).toEqual(['j1'])
    expect([page.told, running()]).toEqual([['3 read'], 2])
  })
  test('are not followed while nobody looks', async () => {
    await look(1)
    page.look(true)
    await settled()
    expect(followed()).toEqual([])
    page.look(false)
    expect(followed()).toEqual(['j1'])
  })
  test('are nobody’s who signs in next', async () => {
    await look(1)
    page.list = []
    await look(2)
    expect([followed(), jobs()]).toEqual([[], []])
  })
})
