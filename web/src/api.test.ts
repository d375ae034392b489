import { expect, test, vi } from 'vitest'
import * as api from './api'

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })
let asked: string[] = []
vi.stubGlobal('navigator', {})
vi.stubGlobal('fetch', async (path: string) => {
  asked.push(path)
  if (path.endsWith('/user/token')) return answer(200, { access_token: `.${btoa('{"sub":"1"}')}.`, expires_in: 3600 })
  return answer(422, { code: 'refused', detail: 'No.' })
})

const anything = { lang: [], roi: {} } as never
const calls = Object.entries(api).filter(([name, f]) => typeof f === 'function' && name !== 'Failure') as [string, Function][]

test('whatever asks the service fails where the answer is a failure', async () => {
  await api.resume()
  const seen: string[] = []
  for (const [name, call] of calls) {
    asked = []
    let failed: unknown
    try {
      await call(...Array(6).fill(anything))
    } catch (e) {
      failed = e
    }
    if (asked.length === 0 || name === 'resume') continue
    seen.push(name)
    expect(failed, name).toMatchObject({ status: 422, code: 'refused', message: 'No.' })
  }
  expect(seen.length).toBeGreaterThan(40)
})
