// The Korean forms of what only the dialog for sharing and tags says; it is loaded with that.
export default {
  'Tags': '태그',
  'This cannot be a tag: {names} (a tag has 1 to {most} characters)': '태그로 쓸 수 없습니다: {names} (태그는 1~{most}자)',
  'Nobody you can share with is called {names}': '공유할 수 있는 사용자 중에 이런 이름이 없습니다: {names}',
  'Who can see it': '볼 수 있는 사람',
  'Only me': '나만',
  'These people': '지정한 사람',
  'Everybody': '모두',
  'What you add is added to each, and what you remove is removed from each.':
    '추가한 태그는 선택한 모든 페이지에 붙고, 뺀 태그는 모두에서 빠집니다.',
  'Remove {name}': '{name} 빼기',
  'User name': '사용자 이름',
  'New tag': '새 태그',
  'Add': '추가',
}
