/** Opens a dialog over the page once it is there. One that is taken away and not closed gives the focus back, too. */
export const modal = (dialog: HTMLDialogElement) => {
  const before = document.activeElement as HTMLElement | null
  dialog.showModal()
  return () =>
    queueMicrotask(() => {
      if (document.activeElement === document.body) before?.focus()
    })
}
