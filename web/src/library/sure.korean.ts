// The Korean forms of what only the question before a deletion says; it is loaded with that.
export default {
  'Delete 1 page?': '1쪽을 삭제하시겠습니까?',
  '1 of them is not yours:': '다른 사용자의 1쪽이 포함되어 있습니다:',
  '{n} of them are not yours:': '다른 사용자의 {n}쪽이 포함되어 있습니다:',
  'Delete {n} pages?': '{n}쪽을 삭제하시겠습니까?',
  'Deleting more than 100 pages at once cannot be undone.': '한 번에 100쪽 넘게 삭제하면 되돌릴 수 없습니다.',
}
