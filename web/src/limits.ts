// How much users may have and do.
import { get, send } from './api'
import type { components } from './api.gen'

export type Limits = components['schemas']['Limits']
export type LimitName = keyof Limits

export const myLimits = () => get<Limits>('/user/limits')
export const limitsOf = (user: number) => get<Limits>(`/admin/user/${user}/limits`)
/** null: as the service is set up; 0: no limit. */
export const setLimits = (user: number, to: Partial<Record<LimitName, number | null>>) =>
  send<Limits>('PUT', `/admin/user/${user}/limits`, to)
