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
  'Nothing is called “{keyword}”': '“{keyword}”와(과) 맞는 이름이 없습니다', 'Drop to add': '놓으면 추가됩니다', 'Uploads': '업로드', 'Retry': '다시 시도', 'Cancel': '취소', 'Close': '닫기', 'Open': '열기',
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
  'Users': '사용자', 'Search by name or e-mail': '이름이나 이메일로 찾기', 'Role': '역할', 'Administrator': '관리자', 'User': '사용자', 'Block': '차단', 'Let in again': '차단 해제', 'blocked': '차단됨', 'Service': '서비스', 'All is well': '모두 정상입니다', 'Something is away': '연결되지 않은 것이 있습니다', 'ok': '정상', 'away': '없음', 'Nobody found.': '찾은 사용자가 없습니다.', 'Database': '데이터베이스', 'Image store': '이미지 저장소', 'Text store': '글자 저장소', 'More': '더 보기', 'You': '나', 'resigned': '탈퇴함',
  'Show': '보기', 'Hide': '가리기', 'Try again in {n} seconds.': '{n}초 뒤에 다시 시도해 주세요.', 'New accounts are made by the administrator here.': '새 계정은 관리자가 만듭니다.',
  '1 to 100 letters (a–z) and digits': '영문자와 숫자 1–100자', 'An e-mail address such as ann@example.org': 'ann@example.org 같은 이메일 주소', '8 to 255 characters, without spaces': '공백 없이 8–255자', 'The two passwords differ.': '두 비밀번호가 서로 다릅니다.', 'This is not your password.': '현재 비밀번호가 아닙니다.',
  'Saved.': '저장했습니다.', 'Name and e-mail': '이름과 이메일', 'Good for': '사용 기간', 'Without end': '기한 없음', '{n} days': '{n}일', '1 year': '1년', 'until {time}': '{time}까지', 'Older': '이전 기록', 'Leave Glyphbox': 'Glyphbox 탈퇴', 'Your name, e-mail, password and API keys are deleted, at once and for good.': '이름과 이메일, 비밀번호, API 키가 바로 삭제되며 되돌릴 수 없습니다.', 'Your pages': '내 페이지', 'Delete them too': '함께 삭제', 'Keep them, for those who share them and the administrators': '남겨 두기(공유받은 사람과 관리자가 계속 볼 수 있음)', 'To confirm, type your name: {name}': '확인을 위해 이름을 입력하세요: {name}', 'Delete the account': '계정 삭제', 'Deleting …': '삭제하는 중…', 'Your account is gone.': '계정이 삭제되었습니다.',
  'version {version}, up since {time}': '버전 {version}, {time}부터 실행 중', 'Workers': '작업 프로세스', '{n} of {all} busy': '{all}개 중 {n}개 작업 중', '{n} are starting': '{n}개 시작하는 중', '{n} MB, {replaced} replaced': '{n} MB, {replaced}개 교체됨', 'Queue': '대기열', '1 region waits': '영역 1개 대기 중', '{n} regions wait': '영역 {n}개 대기 중', 'room for {room}, {served} done': '최대 {room}개, {served}개 처리함', 'files': '파일', 'Blocked {time}': '{time}에 차단됨', 'Block {name}?': '{name} 님을 차단할까요?', 'This counts at once, until you let the user in again. Nothing is deleted.': '바로 적용되며, 다시 허용할 때까지 이어집니다. 삭제되는 것은 없습니다.', 'Reason, for administrators': '이유(관리자에게만 보임)',
  'Pages': '페이지', 'first of {n} pages': '{n}쪽 중 첫 쪽', 'Pasted {time}': '붙여넣기 {time}', 'More for the selection': '선택한 것에 더 하기', 'Clear the selection': '선택 해제', 'Selecting …': '선택하는 중…', 'Sharing …': '공유하는 중…', 'Making private …': '비공개로 바꾸는 중…', 'Delete {n} pages?': '{n}쪽을 삭제할까요?', 'That many cannot be had back once they are deleted.': '이만큼은 한번 삭제하면 되돌릴 수 없습니다.', '{n} shared': '{n}개 공유됨', '{n} made private': '{n}개를 나만 보게 바꿈', '{n} could not be changed: {reason}': '{n}개는 바꾸지 못했습니다: {reason}', '{n} of {all}': '{all}개 중 {n}개',
  'Retry all': '모두 다시 시도', 'Cancel all': '모두 취소', 'and {n} more': '외 {n}개', 'Uploading {n} of {all}': '{all}개 중 {n}번째 업로드 중', '{n} uploaded': '{n}개 업로드됨', '{n} refused': '{n}개 실패', 'Waiting for the service …': '서비스를 기다리는 중…', 'This part of the page could not be loaded.': '화면의 이 부분을 불러오지 못했습니다.', 'Clear the search': '검색 지우기', 'Only your own pages can be selected.': '내 페이지만 선택할 수 있습니다.',
}

// What the service says, by its code; what is not here is shown as it came.
const koreanReasons: Record<string, string> = {
  wrong_credentials: '이름이나 비밀번호가 맞지 않습니다.', too_many_attempts: '비밀번호를 너무 여러 번 틀렸습니다.', too_many_sign_ins: '지금 로그인하는 사람이 너무 많습니다. 잠시 뒤에 다시 시도해 주세요.', signup_closed: '새 계정은 관리자가 만듭니다.',
  account_blocked: '차단된 계정입니다. 관리자에게 문의해 주세요.', account_inactive: '아직 쓸 수 없는 계정입니다. 관리자에게 문의해 주세요.', name_taken: '이미 쓰고 있는 이름입니다.', email_taken: '이미 쓰고 있는 이메일입니다.',
  unsupported_image: '읽을 수 있는 이미지가 아닙니다.', file_too_large: '파일이 너무 큽니다.', too_many_pixels: '이미지의 픽셀 수가 너무 많습니다.', too_many_images: '이미지가 너무 많습니다. 먼저 몇 개를 지워 주세요.', too_many_keys: 'API 키가 너무 많습니다. 먼저 하나를 끝내 주세요.',
  image_not_found: '없는 이미지입니다.', user_not_found: '없는 사용자입니다.', owner_only: '이미지의 주인이나 관리자만 할 수 있습니다.', changed_meanwhile: '그사이에 바뀌었습니다.', admin_only: '관리자만 할 수 있습니다.', own_account: '관리자는 자신의 역할이나 상태를 바꿀 수 없습니다.',
  database_unavailable: '지금은 데이터베이스에 연결할 수 없습니다.', blobs_unavailable: '지금은 이미지를 저장하거나 읽을 수 없습니다.', mongodb_unavailable: '지금은 이미지와 결과를 저장하거나 읽을 수 없습니다.', no_worker: '지금은 글자를 읽을 수 없습니다.', engine_busy: '기다리는 영역이 너무 많습니다. 잠시 뒤에 다시 시도해 주세요.', shutting_down: '서비스가 종료되고 있습니다.', internal: '서비스에 문제가 생겼습니다.',
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
  return form.replace(/\{(\w+)\}/g, (_, name) => values[name]?.toLocaleString(settings.language) ?? '')
}

/** The service's reason in the language of the page, where it is not the service's own. */
export function reasonFor(code: string): string | undefined { return settings.language === 'ko' ? koreanReasons[code] : undefined }

export function count(n: number, one: string, many: string): string { return n === 1 ? t(one) : t(many, { n }) }

export function when(time: string): string {
  return new Intl.DateTimeFormat(settings.language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time))
}
