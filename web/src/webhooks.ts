// Addresses that are told of the ends of jobs.
import { get, send } from './api'
import type { components } from './api.gen'

type Schemas = components['schemas']
export type Webhook = Schemas['Webhook']
export type NewWebhook = Schemas['NewWebhook']
export type Delivery = Schemas['Delivery']

export const webhooks = () => get<Webhook[]>('/webhook')
export const addWebhook = (url: string, items: boolean) => send<NewWebhook>('POST', '/webhook', { url, items })
export const changeWebhook = (id: number, to: Schemas['WebhookForm']) => send<NewWebhook>('PUT', `/webhook/${id}`, to)
export const deleteWebhook = (id: number) => send<void>('DELETE', `/webhook/${id}`)
export const most = 20 // deliveries that are asked for at once
/** Deliveries, the newest first; before: the oldest that is here. */
export const deliveries = (id: number, before = '') =>
  get<Delivery[]>(`/webhook/${id}/delivery?size=${most}` + (before && `&before=${before}`))
export const replay = (id: number, delivery: string) => send<void>('POST', `/webhook/${id}/delivery/${delivery}/replay`)
