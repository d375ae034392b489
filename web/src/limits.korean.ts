// The Korean forms of what only limits say; they are loaded with them.
export default {
  'Saved.': '저장했습니다.',
  'Documents': '문서',
  'Storage': '저장 용량',
  'Pages waiting to be read': '인식 대기 중인 페이지',
  'Pages read in the background within 24 hours': '최근 24시간 동안 백그라운드에서 인식한 페이지',
  '{used} of {all}': '{all} 중 {used}',
  '{used}, no limit': '{used}(제한 없음)',
}
