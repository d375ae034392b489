// Texts are written in English where they are used; here are their Korean forms. {name} stands for a value.
const korean: Record<string, string> = {
  'Sign in': '로그인', 'Create account': '계정 만들기', 'Name': '이름', 'E-mail': '이메일', 'Password': '비밀번호', 'Password again': '비밀번호 확인',
  'Letters and digits': '영문자와 숫자', 'At least 8 characters, without spaces': '공백 없이 8자 이상', 'New here?': '처음이신가요?', 'Have an account?': '계정이 있으신가요?',
  'Text from pages, region by region.': '페이지에서 글자를, 영역마다 정확하게.', 'Your session has ended. Please sign in again.': '로그인이 만료되었습니다. 다시 로그인해 주세요.',
  'Drop a page, draw around what matters, and read, correct and export it. Nothing leaves this server.': '페이지를 올리고 필요한 곳을 둘러싸면 바로 읽어 줍니다. 고치고 내보내는 일까지 모두 이 서버 안에서 끝납니다.',
  'The service cannot be reached. Trying again …': '서비스에 연결할 수 없습니다. 다시 시도하는 중입니다…', 'The service cannot be reached.': '서비스에 연결할 수 없습니다.', 'Back again.': '다시 연결되었습니다.',
  'Library': '보관함', 'Account': '계정', 'Administration': '관리', 'Sign out': '로그아웃', 'Language': '언어', 'Appearance': '화면', 'System': '시스템', 'Light': '밝게', 'Dark': '어둡게', 'Menu': '메뉴', 'API': 'API', 'Skip to content': '본문으로 건너뛰기',
  'Add pages': '페이지 추가', 'Add a folder': '폴더 추가', 'Take a photo': '사진 찍기', 'Search by name': '이름으로 찾기', '{n} pages': '{n}쪽', '1 page': '1쪽', 'Loading …': '불러오는 중…',
  'No pages yet': '아직 페이지가 없습니다', 'Drop images here, paste one, or choose files. JPEG, PNG, TIFF, GIF, WebP, JPEG 2000 and BMP are read.': '이미지를 여기에 끌어 놓거나 붙여 넣거나 파일을 고르세요. JPEG, PNG, TIFF, GIF, WebP, JPEG 2000, BMP를 읽습니다.',
  'Nothing is called “{keyword}”': '“{keyword}”와(과) 맞는 이름이 없습니다', 'Drop to add': '놓으면 추가됩니다', 'Uploads': '업로드', '{done} of {all} uploaded': '{all}개 중 {done}개 업로드됨', 'Retry': '다시 시도', 'Cancel': '취소', 'Close': '닫기', 'Open': '열기',
  'Rename': '이름 바꾸기', 'Share with everybody here': '모두와 공유', 'Make private': '나만 보기', 'Delete': '삭제', 'Shared': '공유됨', 'by {name}': '{name} 님', 'Undo': '실행 취소', 'Redo': '다시 실행', '{n} deleted': '{n}개 삭제됨', 'Select {name}': '{name} 선택', '{n} selected': '{n}개 선택됨', 'Share': '공유', 'Save': '저장', 'More for {name}': '{name} 더 보기', 'Select all': '모두 선택',
  'Page not found': '페이지를 찾을 수 없습니다', 'It may have been deleted, or it is not shared with you.': '삭제되었거나 공유되지 않은 페이지입니다.', 'Back to the library': '보관함으로',
  'Something went wrong': '문제가 생겼습니다', 'Try again': '다시 시도',
  'Draw': '그리기', 'Move the page': '페이지 옮기기', 'Zoom in': '확대', 'Zoom out': '축소', 'Fit the page': '화면에 맞추기', 'Find lines': '줄 찾기', 'Find blocks': '문단 찾기', 'Read the whole page': '전체 읽기', 'Keyboard': '단축키', 'Page image': '페이지 이미지', 'Tools': '도구',
  'Text': '글자', 'No text yet': '아직 읽은 글자가 없습니다', 'Draw a rectangle around some text. It is read as soon as you let go.': '글자 둘레에 사각형을 그려 보세요. 손을 떼면 바로 읽습니다.',
  'Region {n}': '영역 {n}', 'Region {n}, {text}': '영역 {n}, {text}', 'Suggested region {n}': '추천 영역 {n}', 'Reading …': '읽는 중…', 'No text was found here.': '여기서는 글자를 찾지 못했습니다.', 'Confidence {n} %': '신뢰도 {n}%', 'Corrected': '수정됨', 'Correct the text': '글자 고치기', 'Text of region {n}': '영역 {n}의 글자', 'Name of region {n}': '영역 {n}의 이름',
  'Actions of region {n}': '영역 {n}의 작업', 'Read again': '다시 읽기', 'Duplicate': '복제', 'Move up': '위로', 'Move down': '아래로', 'What the engine saw': '엔진이 본 이미지', 'History of corrections': '고친 기록', 'How to read': '읽는 방법', 'Languages': '언어', 'Layout': '구성', 'For this region': '이 영역에서', 'For new regions': '새 영역에서',
  'Unsaved': '저장 안 됨', 'Somebody else changed this text meanwhile. Theirs:': '그사이 다른 사람이 이 글자를 고쳤습니다. 그 내용:', 'Keep mine': '내 것으로', 'Take theirs': '상대 것으로',
  'Take all {n}': '{n}개 모두 읽기', 'Dismiss': '닫기', '{n} suggestions. Click one to read it.': '추천 {n}개. 누르면 읽습니다.', 'Nothing was found on this page.': '이 페이지에서 찾은 것이 없습니다.',
  'Versions': '버전', 'Version {n}': '버전 {n}', 'Working view': '작업 화면', 'Compare': '비교', 'Compare with': '비교 대상', 'Export': '내보내기', 'Copy all': '모두 복사', 'Copied': '복사했습니다', 'Read all again': '모두 다시 읽기', 'Continue from here': '여기서 이어서 작업', 'You are looking at version {n}.': '버전 {n}을(를) 보고 있습니다.', 'Back to work': '작업 화면으로', '{n} regions': '영역 {n}개', '1 region': '영역 1개', 'These two are the same.': '두 버전이 같습니다.',
  'Plain text': '일반 텍스트', 'JSON': 'JSON', 'Table (TSV)': '표 (TSV)', 'hOCR': 'hOCR', 'ALTO': 'ALTO', 'Searchable PDF': '검색되는 PDF', 
  'Next doubtful word': '다음 의심 단어', '{n} doubtful words': '의심 단어 {n}개', '1 doubtful word': '의심 단어 1개', 'No doubtful words': '의심 단어 없음', 'Could not be read: {reason}': '읽지 못했습니다: {reason}',
  'New region in the middle, then arrow keys': '가운데에 새 영역, 이어서 화살표 키', 'Read the new region, or correct the selected one': '새 영역 읽기 또는 선택한 영역 고치기', 'Move the selected region': '선택한 영역 옮기기', 'Resize the selected region': '선택한 영역 크기 바꾸기', 'Add to the selection': '선택에 더하기', 'Delete the selected regions': '선택한 영역 삭제', 'Change the order': '순서 바꾸기', 'Hold and drag to move the page': '누른 채 끌면 페이지 이동', 'Save the correction': '고친 내용 저장', 'Zoom': '확대와 축소', 'Steps of 10 pixels; with Ctrl of 1': '10픽셀씩, Ctrl과 함께 1픽셀씩', 'Click': '클릭', 'Space': '스페이스', 'Arrows': '화살표',
  'Automatic': '자동', 'Whole page, find its orientation': '전체 페이지, 방향도 찾기', 'Whole page with columns and pictures': '단과 그림이 있는 전체 페이지', 'One column of lines in different sizes': '크기가 다른 줄로 된 한 단', 'A vertical block': '세로쓰기 문단', 'A block of even lines': '고른 줄의 문단', 'One line': '한 줄', 'One word': '한 낱말', 'One word in a circle': '원 안의 낱말', 'One character': '한 글자', 'Scattered text': '흩어진 글자', 'Scattered text, find its orientation': '흩어진 글자, 방향도 찾기', 'One line, raw': '한 줄, 보정 없이',
  'Change password': '비밀번호 바꾸기', 'Current password': '현재 비밀번호', 'New password': '새 비밀번호', 'New password again': '새 비밀번호 확인', 'The password is changed. Every other session has ended.': '비밀번호를 바꾸었습니다. 다른 로그인은 모두 끝났습니다.', 'Sign-ins': '로그인 기록', 'API keys': 'API 키', 'For programs: a key works wherever an access token does.': '프로그램용입니다. 키는 접근 토큰을 대신합니다.', 'Name of the key': '키 이름', 'Make a key': '키 만들기', 'This key is shown only now:': '이 키는 지금만 보입니다:', 'Copy': '복사', 'Try it:': '써 보기:', 'never used': '사용한 적 없음', 'used {time}': '{time} 사용', 'End': '끝내기', 'Unknown device': '알 수 없는 기기', 'No keys yet.': '아직 키가 없습니다.',
  'Users': '사용자', 'Search by name or e-mail': '이름이나 이메일로 찾기', 'Role': '역할', 'Administrator': '관리자', 'User': '사용자', 'Block': '차단', 'Let in again': '차단 해제', 'blocked': '차단됨', 'Service': '서비스', 'All is well': '모두 정상입니다', 'Something is away': '연결되지 않은 것이 있습니다', 'ok': '정상', 'away': '없음', 'Nobody found.': '찾은 사용자가 없습니다.', 'database': '데이터베이스', 'blobs': '이미지 저장소', 'contents': '글자 저장소', 'workers': '작업 프로세스', 'queue': '대기열', 'More': '더 보기', 'You': '나', 'resigned': '탈퇴함',
}

/** Adds the texts of a part that is loaded later. */
export function learn(more: Record<string, string>) { Object.assign(korean, more) }

const stored = localStorage.getItem('language')
const settings = $state({ language: stored ?? (navigator.language.startsWith('ko') ? 'ko' : 'en') })

export function language(): string { return settings.language }
export function setLanguage(l: string) {
  settings.language = l
  localStorage.setItem('language', l)
  document.documentElement.lang = l
}
document.documentElement.lang = settings.language

export function t(text: string, values: Record<string, string | number> = {}): string {
  const form = settings.language === 'ko' ? (korean[text] ?? text) : text
  return form.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''))
}

export function count(n: number, one: string, many: string): string { return n === 1 ? t(one) : t(many, { n: n.toLocaleString(settings.language) }) }

export function when(time: string): string {
  return new Intl.DateTimeFormat(settings.language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time))
}
