import type { Camera } from './camera.svelte'

type Point = { x: number; y: number }

/** Zooms and pans by the wheel, and by pinching on a trackpad in Safari, which has events of its own for that. Where fingers are on the
 * screen, as touched tells, the pointers say it all. at is where on the element something happened. */
export function gestures(e: HTMLElement, camera: Camera, at: (e: { clientX: number; clientY: number }) => Point, touched: () => boolean) {
  function wheel(e: WheelEvent) {
    e.preventDefault()
    const unit = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1
    const p = at(e)
    if (e.ctrlKey || e.metaKey) camera.zoom(Math.exp(-e.deltaY * unit * (Math.abs(e.deltaY) < 40 ? 0.01 : 0.002)), p.x, p.y)
    else camera.by(-(e.shiftKey ? e.deltaY : e.deltaX) * unit, -(e.shiftKey ? 0 : e.deltaY) * unit)
  }
  let scale = 1
  function pinch(g: Event & { scale?: number; clientX?: number; clientY?: number }) {
    g.preventDefault()
    if (touched() || !g.scale) return
    const p = at({ clientX: g.clientX ?? 0, clientY: g.clientY ?? 0 })
    if (g.type === 'gesturechange') camera.zoom(g.scale / scale, p.x, p.y)
    scale = g.scale
  }
  const passive = { passive: false } // Svelte's own would be
  e.addEventListener('wheel', wheel, passive)
  e.addEventListener('gesturestart', pinch, passive)
  e.addEventListener('gesturechange', pinch, passive)
  return () => {
    e.removeEventListener('wheel', wheel)
    e.removeEventListener('gesturestart', pinch)
    e.removeEventListener('gesturechange', pinch)
  }
}
