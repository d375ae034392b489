package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

func TestDecodeRegions(t *testing.T) {
	tests := map[string]struct {
		body string
		want []recognition.Region
	}{
		"nothing":    {"", nil},
		"blank":      {" \n", nil},
		"null":       {"null", nil},
		"empty list": {" [ ] ", nil},
		"one": {`[{"x1":1,"y1":2,"x2":3,"y2":4}]`, []recognition.Region{
			{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}}}},
		"all fields, ignored ones, null ones, numbers in other forms": {
			`[{"x1":1,"y1":2,"x2":3,"y2":4,"name":"제목","lang":"kor+eng","psm":7,"charset":"01","id":"5","detail":["x"]},
			  {"x1":1,"y1":2,"x2":3,"y2":4,"name":null,"lang":["kor","eng"],"psm":"auto","charset":null},
			  {"x1":-1,"y1":2,"x2":3,"y2":4,"lang":null,"psm":null,"rotate":null,"effort":null},
			  {"x1":1,"y1":2,"x2":3,"y2":4,"rotate":90.0,"effort":"fast"},
			  {"x1":1,"y1":2,"x2":3,"y2":4,"rotate":"270"},
			  {"x1":1,"y1":2,"x2":3,"y2":4,"rotate":"auto"},
			  {"x1":0.0,"y1":-0,"x2":3e0,"y2":0.4E1,"lang":"","psm":"6"},
			  {"x1":0,"y1":0,"x2":300.0,"y2":1e2,"psm":7.0}]`,
			[]recognition.Region{
				{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}, Name: "제목", Lang: []string{"kor+eng"}, Shape: recognition.ShapeLine,
					Charset: "01"},
				{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}, Lang: []string{"kor", "eng"}},
				{Box: document.Box{X1: -1, Y1: 2, X2: 3, Y2: 4}},
				{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}, Rotate: recognition.Rotate90, Effort: recognition.EffortFast},
				{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}, Rotate: recognition.Rotate270},
				{Box: document.Box{X1: 1, Y1: 2, X2: 3, Y2: 4}, Rotate: recognition.RotateAuto},
				{Box: document.Box{X1: 0, Y1: 0, X2: 3, Y2: 4}, Shape: recognition.ShapeBlock},
				{Box: document.Box{X1: 0, Y1: 0, X2: 300, Y2: 100}, Shape: recognition.ShapeLine},
			}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got regionForms
			if err := got.Decode([]byte(test.body)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(regionForms(test.want), got); d != "" {
				t.Errorf("regions (-want +got):\n%s", d)
			}
		})
	}
}

func TestDecodeRegionsRefuses(t *testing.T) {
	region := `{"x1":1,"y1":2,"x2":3,"y2":4}`
	tests := map[string]struct {
		body   string
		kind   fault.Kind
		fields []string
	}{
		"cut off":               {`[{"x1":1`, fault.Malformed, nil},
		"not closed":            {`[` + region, fault.Malformed, nil},
		"no comma":              {`[` + region + region + `]`, fault.Malformed, nil},
		"trailing comma":        {`[` + region + `,]`, fault.Malformed, nil},
		"something after":       {`[] []`, fault.Malformed, nil},
		"no JSON at all":        {`x1=3`, fault.Malformed, nil},
		"a broken entry":        {`[` + region + `,{]`, fault.Malformed, nil},
		"malformed object":      {`{"x1":}`, fault.Malformed, nil},
		"an object":             {region, fault.Invalid, []string{"regions"}},
		"a number":              {"5", fault.Invalid, []string{"regions"}},
		"a null entry":          {`[` + region + `,null]`, fault.Invalid, []string{"regions[1]"}},
		"entries of wrong type": {`[3,"x",[]]`, fault.Invalid, []string{"regions[0]", "regions[1]", "regions[2]"}},
		"wrong corner":          {`[` + region + `,{"x1":1,"y1":2,"x2":"3","y2":4}]`, fault.Invalid, []string{"regions[1].x2"}},
		"fraction":              {`[{"x1":1.5,"y1":2,"x2":3,"y2":4}]`, fault.Invalid, []string{"regions[0].x1"}},
		"huge":                  {`[{"x1":1e99,"y1":2,"x2":3,"y2":4}]`, fault.Invalid, []string{"regions[0].x1"}},
		"number as a text":      {`[{"x1":"1","y1":2,"x2":3,"y2":4}]`, fault.Invalid, []string{"regions[0].x1"}},
		"unknown fields": {`[{"x1":1,"y1":2,"x2":3,"y2":4,"color":[{"x":null}],"height":3}]`, fault.Invalid,
			[]string{"regions[0].color", "regions[0].height"}},
		"twice":                 {`[{"x1":1,"y1":2,"x2":3,"y2":4,"X1":7}]`, fault.Invalid, []string{"regions[0].X1"}},
		"missing corners":       {`[{"x1":1}]`, fault.Invalid, []string{"regions[0].y1", "regions[0].x2", "regions[0].y2"}},
		"null corner":           {`[{"x1":1,"y1":2,"x2":null,"y2":4}]`, fault.Invalid, []string{"regions[0].x2"}},
		"mode that is none":     {`[{"x1":1,"y1":2,"x2":3,"y2":4,"psm":0}]`, fault.Invalid, []string{"regions[0].psm"}},
		"mode that is a list":   {`[{"x1":1,"y1":2,"x2":3,"y2":4,"psm":[6]}]`, fault.Invalid, []string{"regions[0].psm"}},
		"rotation that is none": {`[{"x1":1,"y1":2,"x2":3,"y2":4,"rotate":45}]`, fault.Invalid, []string{"regions[0].rotate"}},
		"rotation in a list":    {`[{"x1":1,"y1":2,"x2":3,"y2":4,"rotate":[90]}]`, fault.Invalid, []string{"regions[0].rotate"}},
		"effort that is none":   {`[{"x1":1,"y1":2,"x2":3,"y2":4,"effort":1}]`, fault.Invalid, []string{"regions[0].effort"}},
		"language that is none": {`[{"x1":1,"y1":2,"x2":3,"y2":4,"lang":7}]`, fault.Invalid, []string{"regions[0].lang"}},
		"name that is none":     {`[{"x1":1,"y1":2,"x2":3,"y2":4,"name":7}]`, fault.Invalid, []string{"regions[0].name"}},
		"long language": {`[{"x1":1,"y1":2,"x2":3,"y2":4,"lang":"` + strings.Repeat("a+", 500) + `"}]`, fault.Invalid,
			[]string{"regions[0].lang"}},
		"too many": {`[` + strings.Repeat(region+",", recognition.MostRegions) + region + `]`, fault.Invalid,
			[]string{"regions"}},
		"each one": {`[{"x1":"1"},null,{}]`, fault.Invalid, []string{"regions[0].x1", "regions[1]",
			"regions[2].x1", "regions[2].y1", "regions[2].x2", "regions[2].y2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got regionForms
			err := got.Decode([]byte(test.body))
			if !fault.Is(err, test.kind) {
				t.Fatalf("got %v, want %v", err, test.kind)
			}
			var fields []string
			for _, f := range fault.Of(err).Fields {
				fields = append(fields, f.Field)
			}
			if d := cmp.Diff(test.fields, fields); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
		})
	}
}

// What is decoded is what was sent, whatever was sent; what is no JSON is never taken for some, and the other way round.
func FuzzDecodeRegions(f *testing.F) {
	for _, seed := range []string{"", "null", "[]", `[{"x1":1,"y1":2,"x2":3,"y2":4}]`,
		`[{"x1":1,"y1":2,"x2":3,"y2":4,"psm":"auto","lang":["kor"]},null]`,
		`[{"x1":1e9,"y1":2.5,"x2":"3"}]`, `{"x1":1}`, `[[[[`, `[] []`, "[\"\xff\"]", "\fnull", `[{"X1":1,"x1":2,"y1":0,"x2":9,"y2":9}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got regionForms
		err := got.Decode(body)
		blank := strings.Trim(string(body), " \t\r\n") == ""
		switch {
		case fault.Is(err, fault.Malformed):
			if json.Valid(body) {
				t.Errorf("valid JSON is called malformed: %v", err)
			}
			return
		case fault.Is(err, fault.Invalid):
			fields := fault.Of(err).Fields
			if len(fields) == 0 {
				t.Errorf("no field is named: %v", err)
			}
			for _, field := range fields {
				var i int
				if _, err := fmt.Sscanf(field.Field, "regions[%d]", &i); err != nil && field.Field != "regions" {
					t.Errorf("field %q", field.Field)
				}
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if !blank && !json.Valid(body) {
			t.Error("taken, but is no JSON")
		}
		if len(got) > recognition.MostRegions {
			t.Errorf("%d regions", len(got))
		}
		var entries []struct{ X1, Y1, X2, Y2 float64 }
		if !blank {
			if err := json.Unmarshal(body, &entries); err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range got {
			if e := entries[i]; r.Box != (document.Box{X1: int(e.X1), Y1: int(e.Y1), X2: int(e.X2), Y2: int(e.Y2)}) {
				t.Errorf("region %d is %v, want %v", i, r.Box, entries[i])
			}
		}
		if len(entries) != len(got) {
			t.Errorf("%d regions, want %d", len(got), len(entries))
		}
	})
}
