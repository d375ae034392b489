// Where what has the focus is taken away, as a button whose work is done, the focus stays near: those who use keys or hear the page go on
// from there and not from its top.
let held: HTMLElement[] = [] // what has the focus, and what is around it
const places = 'li, ul, ol, section, form, dialog, main, [role]'

function look() {
  const was = held
  held = []
  // by then whoever took it away has given the focus to a better place, if there is one
  setTimeout(() => {
    if (!was[0] || was[0].isConnected || document.activeElement !== document.body) return
    const near = was.find((e) => e.isConnected && e.matches(places))
    if (!near) return
    if (!near.hasAttribute('tabindex')) near.tabIndex = -1
    near.focus({ preventScroll: true })
  })
}
addEventListener('focusin', (e) => {
  held = []
  for (let at = e.target as HTMLElement | null; at; at = at.parentElement) held.push(at)
})
addEventListener('focusout', look)
// Not all browsers tell that what had the focus is gone.
new MutationObserver(() => {
  if (held[0] && !held[0].isConnected) look()
}).observe(document.body, { childList: true, subtree: true })
