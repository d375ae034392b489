// The page of a document that this browser had open last.
const key = (document: number) => `document:${document}`

export const lastPage = (document: number): number => Number(localStorage.getItem(key(document))) || document
export function rememberPage(document: number, image: number) {
  if (image === document) localStorage.removeItem(key(document))
  else localStorage.setItem(key(document), String(image))
}
