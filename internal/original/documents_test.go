package original

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"glyphbox/internal/domain/document"
)

func TestResultsOfTheOriginal(t *testing.T) {
	box := &document.Box{X1: 1, Y1: 2, X2: 30, Y2: 40}
	corners := bson.D{{Key: "y2", Value: 40}, {Key: "x1", Value: 1}, {Key: "x2", Value: int64(30)}, {Key: "y1", Value: 2.0}}
	for name, test := range map[string]struct {
		document bson.D
		want     result
	}{
		"as the original has it": {bson.D{{Key: "roi", Value: corners}, {Key: "detail", Value: bson.A{"a", "", "b\f", "한글"}}},
			result{box, "a b 한글"}},
		"no region": {bson.D{{Key: "detail", Value: bson.A{"a"}}}, result{nil, "a"}},
		"null":      {bson.D{{Key: "roi", Value: nil}, {Key: "detail", Value: nil}}, result{}},
		"nothing":   {bson.D{}, result{}},
		"further in": {bson.D{{Key: "roi", Value: bson.D{{Key: "of", Value: 7}, {Key: "box", Value: corners}}}},
			result{box, ""}},
		"corners beside it": {append(bson.D{{Key: "detail", Value: bson.A{}}}, corners...), result{box, ""}},
		"a list":            {bson.D{{Key: "roi", Value: bson.A{1, 2, 30, 40}}}, result{box, ""}},
		"lists in a list": {bson.D{{Key: "roi", Value: bson.A{bson.A{1, 2}, bson.A{30, 40}}},
			{Key: "detail", Value: bson.A{bson.A{"a"}, bson.A{"b"}}}}, result{box, "a b"}},
		"too few numbers":   {bson.D{{Key: "roi", Value: bson.A{1, 2, 30}}}, result{}},
		"numbers elsewhere": {bson.D{{Key: "sizes", Value: bson.A{1, 2, 30, 40}}}, result{}},
		"a text":            {bson.D{{Key: "detail", Value: "two\nlines"}}, result{nil, "two\nlines"}},
		"another name":      {bson.D{{Key: "text", Value: "a"}}, result{nil, "a"}},
		"words as documents": {bson.D{{Key: "detail", Value: bson.A{bson.D{{Key: "text", Value: "a"},
			{Key: "confidence", Value: 0.5}}}}}, result{nil, "a"}},
	} {
		raw, err := bson.Marshal(append(bson.D{{Key: "_id", Value: bson.NewObjectID()}}, test.document...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, resultOf(raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestObjectIDsOfTheOriginal(t *testing.T) {
	const hex = "65f2c0ffee0123456789abcd"
	for text, want := range map[string]bool{hex: true, "65F2C0FFEE0123456789ABCD": true, "InsertOneResult(ObjectId('" + hex +
		"'), acknowledged=True)": true,
		"": false, hex + "0": false, "abc": false} {
		if id, ok := objectID(text); ok != want || ok && id.Hex() != hex {
			t.Errorf("%q: got %s, %t, want %t", text, id.Hex(), ok, want)
		}
	}
}

func FuzzResultOf(f *testing.F) {
	for _, d := range []bson.D{{{Key: "roi", Value: bson.A{1, bson.A{2, 30}, 40}}, {Key: "detail", Value: bson.A{"a"}}},
		{{Key: "roi", Value: bson.D{{Key: "x1", Value: 1}}}}} {
		raw, err := bson.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if bson.Raw(raw).Validate() == nil {
			resultOf(raw)
		}
	})
}
