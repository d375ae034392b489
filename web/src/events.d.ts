// The page tells itself when the service is back.
declare module 'svelte/elements' {
  interface SvelteWindowAttributes {
    'onglyphbox-read'?: (e: Event) => void
    'onglyphbox-back'?: (e: Event) => void
  }
}
export {}
