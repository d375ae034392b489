// What all parts of the page share: who is here, where we are, what to tell.
import { Failure, type User } from './api'
import { reasonFor, t, type Text } from './i18n.svelte'

type Note = { id: number; text: string; action?: { label: string; run: () => void }; hold: () => void; release: () => void }

/** The path that the service is shown below: that of the element base, which the server writes into the page. */
const root = new URL(document.baseURI).pathname
/** Where we are, as a path below it. */
const inside = (at: { pathname: string; search: string }) => '/' + at.pathname.slice(root.length) + at.search

export const app = $state({
  user: null as User | null,
  path: inside(location),
  notes: [] as Note[],
  offline: false,
})

export function go(path: string, replace = false) {
  const whole = root + path.slice(1)
  if (replace) history.replaceState(null, '', whole)
  else history.pushState(null, '', whole)
  app.path = path
}
addEventListener('popstate', () => {
  app.path = inside(location)
})

/** Lets plain clicks on a link stay in the page. */
export function follow(e: MouseEvent) {
  const a = e.currentTarget as HTMLAnchorElement
  if (e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
  e.preventDefault()
  go(inside(a))
}

let notes = 0
/** Shows a text for a while, longer while somebody points at it; gone is called when it has left by itself. Returns how to take it away. */
export function tell(text: string, action?: Note['action'], gone?: () => void): () => void {
  const id = ++notes
  let timer: ReturnType<typeof setTimeout>
  const close = () => {
    clearTimeout(timer)
    app.notes = app.notes.filter((n) => n.id !== id)
  }
  const release = () => {
    timer = setTimeout(
      () => {
        close()
        gone?.()
      },
      action ? 8000 : 4500,
    )
  }
  release()
  if (!action) app.notes = app.notes.filter((n) => n.action || n.text !== text) // the same is not told twice
  app.notes.push({
    id,
    text,
    action: action && {
      label: action.label,
      run: () => {
        close()
        action.run()
      },
    },
    hold: () => clearTimeout(timer),
    release,
  })
  return close
}

export function reasonOf(e: unknown): string {
  if (e instanceof Failure) return e.status === 0 ? t('The service cannot be reached.') : (reasonFor(e.code, e.message) ?? e.reason)
  return String(e)
}

// What the fields of forms take, in the page's own words.
const rules: Record<string, Text> = {
  name: '1 to 100 letters (a–z) and digits',
  email: 'An email address such as ann@example.org',
  password1: '8 to 255 characters, without spaces',
  password2: 'The passwords do not match.',
  current_password: 'Wrong password.',
}

// What browsers say of a field that is not filled in right is in their language, which may not be the page's.
addEventListener(
  'invalid',
  (e) => {
    const field = e.target as HTMLInputElement
    field.setCustomValidity('')
    const { valueMissing, typeMismatch } = field.validity
    if (valueMissing) field.setCustomValidity(t('Please fill this in.'))
    else if (typeMismatch && field.type === 'email') field.setCustomValidity(t(rules.email))
    else if (typeMismatch) field.setCustomValidity(t('A web address that begins with https:// or http://'))
    field.addEventListener('input', () => field.setCustomValidity(''), { once: true })
  },
  true,
)

/** What is wrong with which field of a form; nothing where it is not about fields. */
export function faultsOf(e: unknown): Record<string, string> {
  if (!(e instanceof Failure) || e.fields.some((f) => !rules[f.field])) return {}
  return Object.fromEntries(e.fields.map((f) => [f.field, e.code === 'invalid_input' ? t(rules[f.field]) : reasonOf(e)]))
}

/** Tells why something failed, unless it was called off. */
export function complain(e: unknown) {
  if (e instanceof DOMException && e.name === 'AbortError') return
  if (e instanceof Failure && e.status === 0) {
    lost()
    return
  }
  tell(reasonOf(e))
}

/** Says that the service is away, and finds out when it is back. */
export function lost() {
  if (app.offline) return
  app.offline = true
  const look = async () => {
    const pong = await fetch('ping', { cache: 'no-store' }).catch(() => null)
    app.offline = !pong?.ok // a proxy may answer for it
    if (app.offline) {
      setTimeout(look, 1500)
      return
    }
    tell(t('Connected again.'))
    dispatchEvent(new Event('glyphbox-back'))
  }
  setTimeout(look, 1000)
}

/** Loads a part of the page that is not there yet. Where it cannot be had, as after an update, that is told, and what asked is undone. */
export async function part<T>(loading: Promise<T>, undo?: () => void): Promise<T> {
  try {
    return await loading
  } catch {
    tell(t('This part of the page could not be loaded.'), { label: t('Try again'), run: () => location.reload() })
    undo?.()
    return new Promise(() => {}) // there is nothing to show
  }
}

/** Puts a text on the clipboard, also where browsers keep theirs from the page, as where it came without HTTPS. */
export async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const area = document.body.appendChild(document.createElement('textarea'))
    area.value = text
    area.select()
    document.execCommand('copy')
    area.remove()
  }
  tell(t('Copied'))
}
