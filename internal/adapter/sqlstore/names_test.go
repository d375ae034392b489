package sqlstore

import (
	"fmt"
	"math/rand/v2"
)

// fileName makes up a name such as the files of people have, Korean and Latin ones.
func fileName(r *rand.Rand) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	person := func() string {
		return pick("김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권", "황", "안", "송", "류", "홍") +
			pick("민", "서", "준", "지", "현", "수", "영", "우", "진", "은", "호", "경") +
			pick("하", "도", "윤", "재", "성", "아", "연", "유", "선", "미", "정", "희", "태")
	}
	paper := func() string {
		return pick("계약서", "영수증", "세금계산서", "회의록", "보고서", "신청서", "증명서", "통장사본", "견적서", "거래명세서", "주민등록등본", "사업자등록증", "시방서", "도면", "공문", "진단서",
			"처방전")
	}
	word := func() string {
		return pick("invoice", "receipt", "Report", "contract", "Letter", "statement", "minutes", "draft", "final", "budget", "Quarterly",
			"delivery", "order", "notes", "form", "claim", "tax", "lease")
	}
	ending := pick("jpg", "jpg", "jpg", "JPG", "png", "png", "tif", "tiff", "jpeg")
	year, month, day, number := 2012+r.IntN(14), 1+r.IntN(12), 1+r.IntN(28), r.IntN(1_000_000)
	switch r.IntN(9) {
	case 0, 1:
		return fmt.Sprintf("IMG_%d%02d%02d_%06d.%s", year, month, day, number, ending)
	case 2:
		return fmt.Sprintf("스캔 %d-%02d-%02d %04d.%s", year, month, day, number%10_000, ending)
	case 3:
		return fmt.Sprintf("%s_%s_%d-%02d-%02d.%s", paper(), person(), year, month, day, ending)
	case 4:
		return fmt.Sprintf("KakaoTalk_%d%02d%02d_%09d.%s", year, month, day, number*100+day, ending)
	case 5:
		return fmt.Sprintf("%s-%06d.%s", word(), number, ending)
	case 6:
		return fmt.Sprintf("%s %s %s %d.%s", word(), word(), word(), number%100, ending)
	case 7:
		return fmt.Sprintf("%d년 %d월 %s (%d).%s", year, month, paper(), number%300, ending)
	default:
		return fmt.Sprintf("%s %s %d쪽.%s", person(), paper(), number%200, ending)
	}
}
