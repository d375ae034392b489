// The page tells itself when the service is back.
declare module 'svelte/elements' {
  interface SvelteWindowAttributes {
    'onglyphbox-back'?: (e: Event) => void
  }
}
export {}
