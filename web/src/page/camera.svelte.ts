import type { Box, Image } from '../api'
import { around, closeUp, fit, inSight, readable, zoomed, type View } from './geometry'

/** What is seen of a page, on a screen of that size in pixels. Made while a component is, since it follows the page. */
export class Camera {
  width = $state(0)
  height = $state(0)
  view = $state.raw<View>({ scale: 0, x: 0, y: 0 })
  /** One pixel of the screen, in those of the page. */
  px = $derived(1 / (this.view.scale || 1))
  /** The part of the page that is seen. */
  sight = $derived({
    x1: -this.view.x * this.px,
    y1: -this.view.y * this.px,
    x2: (this.width - this.view.x) * this.px,
    y2: (this.height - this.view.y) * this.px,
  })
  #fitted = $state(true)

  constructor(page: () => Image) {
    $effect(() => {
      void page().rotation
      this.#fitted = true // turned, the page lies elsewhere
    })
    $effect(() => {
      if (!this.#fitted || !this.width) return
      this.view = this.width < 600 ? fit(page(), this, 10, 66) : fit(page(), this, 26, 82)
    })
  }

  to(view: View) {
    this.#fitted = false
    this.view = view
  }
  by(dx: number, dy: number, from = this.view) {
    this.to({ ...from, x: from.x + dx, y: from.y + dy })
  }
  zoom(factor: number, cx = this.width / 2, cy = this.height / 2) {
    this.to(zoomed(this.view, factor, cx, cy))
  }
  fitPage() {
    this.#fitted = true
  }
  /** Brings a box into sight, by no more than it takes. */
  reveal(b: Box) {
    const at = inSight(this.view, b, this, 12, 84)
    if (at.x !== this.view.x || at.y !== this.view.y) this.to(at)
  }
  /** Shows boxes close up, in the middle. */
  zoomTo(boxes: Box[]) {
    if (boxes.length > 0) this.to(closeUp(around(boxes), this, 24, 84))
  }
  /** Shows a word so that it can be read, in the middle. */
  follow(word: Box) {
    this.to(readable(this.view, word, this, 84))
  }
  /** The point of the page that lies at one of the screen. */
  onPage(p: { x: number; y: number }) {
    return { x: (p.x - this.view.x) / this.view.scale, y: (p.y - this.view.y) / this.view.scale }
  }
}
