// The images that are selected in the library, and what is done with all of them.
import type { Image } from '../api'
import { t, type Text } from '../i18n.svelte'
import { app, complain, reasonOf, tell } from '../state.svelte'
import { at, between, gone, library, remove, renew, replace, type Picked } from './library.svelte'

/** What is said where others' pages are selected by who is no administrator. */
export const theirs: Text = 'Others’ pages can only be read and exported.'
export const undoable = 100 // images that can be deleted at once and had back

export const mine = (i: Picked) => i.user.id === app.user?.id || app.user?.role === 'admin'
const foreign = (i: Picked) => i.user.id !== app.user?.id
/** Those of others among images: their names, with how many each has. */
export function othersIn(list: Picked[]): [string, number][] {
  const n = new Map<string, number>()
  for (const i of list.filter(foreign)) n.set(i.user.name ?? t('deleted user'), (n.get(i.user.name ?? t('deleted user')) ?? 0) + 1)
  return [...n].sort((a, b) => b[1] - a[1])
}
const pickable = ({ id, name, user, tags }: Image): Picked => ({ id, name, user, tags })

/** Something that takes long and can be cancelled. */
export type Task = { text: string; done: number; all: number; control: AbortController }

export class Selection {
  picked = $state.raw(new Map<number, Picked>())
  task = $state.raw<Task | null>(null)
  sure = $state.raw<Picked[] | null>(null) // to be deleted once it is confirmed: others', or too many to be had back
  /** Whether all that is selected may be changed. */
  readonly changeable = $derived([...this.picked.values()].every(mine))
  #before = new Map<number, Picked>() // what was selected when the range began
  #anchor = 0

  /** The range that is selected next begins at an image. */
  from(index: number) {
    this.#anchor = index
    this.#before = new Map()
  }
  toggle(index: number) {
    const i = at(index)
    if (!i) return
    const next = new Map(this.picked)
    if (!next.delete(i.id)) next.set(i.id, pickable(i))
    this.#before = this.picked = next
    this.#anchor = index
  }
  async upTo(index: number) {
    const from = this.#before
    const first = Math.min(this.#anchor, index)
    const last = Math.max(this.#anchor, index) + 1
    const found = await this.#working(t('Selecting …'), last - first, (signal, progress) => between(first, last, signal, progress))
    if (found) this.picked = new Map([...from, ...found.map((i): [number, Picked] => [i.id, pickable(i)])])
  }
  async all() {
    const { total } = library
    const found = await this.#working(t('Selecting …'), total, (signal, progress) => between(0, total, signal, progress))
    if (found) this.#before = this.picked = new Map(found.map((i) => [i.id, pickable(i)]))
  }
  clear() {
    this.task?.control.abort()
    this.#before = this.picked = new Map()
  }

  /** Does what takes long, shows how far it is, and lets it be cancelled. */
  async #working<T>(
    text: string,
    all: number,
    what: (signal: AbortSignal, progress: (n: number) => void) => Promise<T>,
  ): Promise<T | undefined> {
    this.task?.control.abort()
    const control = new AbortController()
    this.task = { text, done: 0, all, control }
    try {
      return await what(control.signal, (done) => {
        if (!control.signal.aborted) this.task = { text, done, all, control }
      })
    } catch (e) {
      complain(e)
    } finally {
      if (this.task?.control === control) this.task = null
    }
    return undefined
  }
  /** Does something with each of many images, a few at a time; returns with how many it went well. */
  async #forEach(text: string, list: Picked[], what: (i: Picked) => Promise<void>): Promise<number> {
    let done = 0
    const failures: unknown[] = []
    await this.#working(text, list.length, async (signal, progress) => {
      const rest = [...list]
      const worker = async () => {
        for (let i; !signal.aborted && (i = rest.shift()); progress(done + failures.length)) {
          try {
            await what(i)
            done++
          } catch (e) {
            failures.push(e)
          }
        }
      }
      await Promise.all(Array.from({ length: 4 }, worker))
    })
    if (failures.length) tell(t('{n} could not be changed: {reason}', { n: failures.length, reason: reasonOf(failures[0]) }))
    return done
  }
  /** Changes each of some images and shows them as they are then. Failures are told. */
  async change(text: string, list: Picked[], what: (i: Picked) => Promise<Partial<Image>>) {
    await this.#forEach(text, list, async (i) => this.changed({ id: i.id, ...(await what(i)) }))
  }
  /** Shows an image as it is by now, and keeps it selected where it is. */
  changed(image: Partial<Image> & { id: number }) {
    replace(image)
    const was = this.picked.get(image.id)
    if (was) this.picked = new Map(this.picked).set(image.id, { ...was, ...('tags' in image && { tags: image.tags }) } as Picked)
  }
  /** Deletes images, after a question where they could not be had back; returns whether they are gone from sight. */
  drop(list: Picked[] = [...this.picked.values()]): boolean {
    if (!list.every(mine)) tell(t(theirs))
    else if (list.length > undoable || list.some(foreign)) {
      this.sure = list
    } else {
      this.#remove(list)
      return true
    }
    return false
  }
  #remove(list: Picked[]) {
    remove(list)
    this.clear()
  }
  async dropSurely() {
    const list = this.sure!
    this.sure = null
    if (list.length <= undoable) {
      this.#remove(list)
      return
    }
    const n = await this.#forEach(t('Deleting …'), list, (i) => gone(i.id))
    this.clear()
    renew()
    tell(t('{n} deleted', { n }))
  }
}
