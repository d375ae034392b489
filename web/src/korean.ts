// The Korean forms of what only the view of a page image says; it is loaded with that.
export default {
  'Regions': '영역', 'Page': '페이지', 'Wheel': '휠', 'Drag': '끌기', 'Add what it touches': '닿는 영역을 선택에 더하기',
  'Select the one before': '이전 영역 선택', 'Select the next one': '다음 영역 선택', 'Add it to the selection': '그 영역을 선택에 더하기', 'Name the selected region': '선택한 영역에 이름 붙이기', 'Select nothing, or leave': '선택 해제 또는 나가기',
  'The doubtful word before': '이전 의심 단어', 'Copy the text of what is selected, or all': '선택한 영역 또는 전체의 글자 복사', 'Each pixel as one': '실제 크기', 'Move the page, when nothing is selected': '선택이 없을 때 페이지 옮기기', 'Zoom to the cursor': '커서 위치로 확대',
  'N makes a new region, a question mark shows all keys.': 'N 키로 새 영역을 만들고 물음표 키로 모든 단축키를 봅니다.',
  '1 correction is not saved. This browser keeps it.': '저장하지 않은 수정이 1개 있습니다. 이 브라우저에 보관되어 있습니다.', '{n} corrections are not saved. This browser keeps them.': '저장하지 않은 수정이 {n}개 있습니다. 이 브라우저에 보관되어 있습니다.', 'Save all': '모두 저장', 'Save it': '저장하기', 'Saving …': '저장하는 중…',
  'Discard': '버리기', 'Discarded': '버렸습니다', 'Yours:': '내가 쓴 내용:', 'Write the text': '글자 적기', 'Somebody else changed this text meanwhile. Save it here to compare.': '그사이 다른 사람이 이 글자를 고쳤습니다. 여기서 저장하면 비교할 수 있습니다.',
  '1 region differs': '다른 영역 1개', '{n} regions differ': '다른 영역 {n}개', 'Only differences': '다른 것만 보기', 'Only in version {n}': '버전 {n}에만 있음',
  'A version has at most {n} regions; here are more.': '한 버전에는 영역을 {n}개까지 담을 수 있는데 지금은 그보다 많습니다.', 'All is in version {n} now.': '모두 버전 {n}에 담았습니다.', 'Not all could be read.': '모두 읽지는 못했습니다.', 'No text in this version': '이 버전에는 글자가 없습니다', 'All of its regions were deleted.': '이 버전의 영역이 모두 삭제되었습니다.',
  'All that was found is there already.': '찾은 영역은 이미 모두 있습니다.', 'Looking for text …': '글자를 찾는 중…', 'Reading {done} of {all} …': '{all}개 중 {done}번째 읽는 중…', 'Cancelled': '취소했습니다', 'It was not read yet.': '아직 읽지 않았습니다.', 'Its text was deleted.': '글자가 삭제되었습니다.',
  'Reading {n} regions …': '영역 {n}개를 읽는 중…',
  'Engine': '엔진', 'The best there is': '가장 좋은 것', 'Neural network': '신경망', 'Older engine, if its models are installed': '이전 엔진 (모델이 설치된 경우)', 'Both engines, if their models are installed': '두 엔진 함께 (모델이 설치된 경우)',
  'Only these characters': '이 글자만 읽기', 'All': '모두', 'Digits': '숫자', 'Capitals and digits': '대문자와 숫자', 'As for new regions': '새 영역과 같게',
  'Copy the text': '글자 복사', 'Delete for good': '영구 삭제', 'Delete for good …': '영구 삭제…', 'Deleted from version {n}.': '버전 {n}에서 삭제했습니다.', 'This text and its corrections are deleted from version {n}, for everybody. It cannot be undone.': '이 글자와 고친 기록이 버전 {n}에서 삭제되며, 다른 사람에게도 보이지 않습니다. 되돌릴 수 없습니다.',
  'Older versions': '이전 버전 더 보기', 'Revision {n}': '{n}차', 'Take this text': '이 글자로 되돌리기', 'The region that the address names is not there any more.': '주소가 가리키는 영역이 더는 없습니다.',
}
