/** Opens a dialog over the page once it is there. */
export const modal = (dialog: HTMLDialogElement) => {
  dialog.showModal()
}
