// The Korean forms of what only the dialog for sharing and tags says; it is loaded with that.
export default {
  'Tags': '태그',
  'This cannot be a tag: {names} (a tag has 1 to {most} characters)': '태그로 쓸 수 없습니다: {names} (태그는 1~{most}자)',
  'Nobody you can share with is called {names}': '공유할 수 있는 사용자를 찾지 못했습니다: {names}',
  'Who can see it': '볼 수 있는 사람',
  'Only me': '나만',
  'These people': '지정한 사람',
  'Everybody': '모두',
  'Tags that you add or remove change on all selected pages.': '추가하거나 제거한 태그는 선택한 모든 페이지에 적용됩니다.',
  'Remove {name}': '{name} 제거',
  'User name': '사용자 이름',
  'New tag': '새 태그',
  'Add': '추가',
}
