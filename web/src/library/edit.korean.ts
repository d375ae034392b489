// The Korean forms of what only the dialog for sharing and tags says; it is loaded with that.
export default {
  'Tags': '태그',
  'This cannot be a tag: {names}': '태그로 쓸 수 없습니다: {names}',
  'Nobody you can share with is called {names}': '이 이름의 사용자와는 공유할 수 없습니다: {names}',
  'Who can see it': '볼 수 있는 사람',
  'Only me': '나만',
  'These people': '지정한 사람',
  'Everybody': '모두',
  'Added to each; other tags stay.': '선택한 페이지마다 추가하며, 원래 있던 태그는 그대로 둡니다.',
  'Remove {name}': '{name} 빼기',
  'User name': '사용자 이름',
  'New tag': '새 태그',
  'Add': '추가',
}
