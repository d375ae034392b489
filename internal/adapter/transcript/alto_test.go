package transcript

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// altoRule is what the schema of ALTO 4.4 says of an element, as far as the exporter uses it.
type altoRule struct {
	children string // a pattern of the names of the elements in it, each followed by a space
	required []string
	optional []string
	text     bool
}

// altoPatterns are the compiled patterns of the rules.
var altoPatterns = sync.OnceValue(func() map[string]*regexp.Regexp {
	all := map[string]*regexp.Regexp{}
	for name, rule := range altoRules {
		all[name] = regexp.MustCompile(`^(` + rule.children + `)$`)
	}
	return all
})

var altoPlace = []string{"HPOS", "VPOS", "WIDTH", "HEIGHT"}

var altoRules = map[string]altoRule{
	"alto":                   {children: `(Description )?(Styles )?(Tags )?(ReadingOrder )?Layout `, optional: []string{"SCHEMAVERSION", "xmlns"}},
	"Description":            {children: `MeasurementUnit (sourceImageInformation )?(OCRProcessing )*(Processing )*`},
	"MeasurementUnit":        {text: true},
	"sourceImageInformation": {children: `(fileName )?(fileIdentifier )*(documentIdentifier )*`},
	"fileName":               {text: true},
	"fileIdentifier":         {text: true, optional: []string{"fileIdentifierLocation"}},
	"Processing": {required: []string{"ID"},
		children: `(processingCategory )?(processingDateTime )?(processingAgency )?(processingStepDescription )*(processingStepSettings )?(processingSoftware )?`},
	"processingCategory":     {text: true},
	"processingDateTime":     {text: true},
	"processingStepSettings": {text: true},
	"processingSoftware":     {children: `(softwareCreator )?(softwareName )?(softwareVersion )?(applicationDescription )?`},
	"softwareName":           {text: true},
	"Tags":                   {children: `((LayoutTag|StructureTag|RoleTag|NamedEntityTag|OtherTag) )*`},
	"StructureTag":           {required: []string{"ID", "LABEL"}, optional: []string{"TYPE"}},
	"Layout":                 {children: `(Page )+`},
	"Page": {children: `(TopMargin )?(LeftMargin )?(RightMargin )?(BottomMargin )?(PrintSpace )?`, required: []string{"ID", "PHYSICAL_IMG_NR"},
		optional: []string{"WIDTH", "HEIGHT", "PROCESSINGREFS", "LANG"}},
	"PrintSpace": {children: `(TextBlock )*`, optional: altoPlace},
	"TextBlock":  {children: `(TextLine )*`, required: []string{"ID"}, optional: append([]string{"TAGREFS", "LANG"}, altoPlace...)},
	"TextLine":   {children: `(String (SP )?)+`, optional: append([]string{"ID"}, altoPlace...)},
	"String":     {required: []string{"CONTENT"}, optional: append([]string{"ID", "WC"}, altoPlace...)},
	"SP":         {optional: altoPlace},
}

var (
	altoID   = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)
	altoLang = regexp.MustCompile(`^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$`)
)

// checkALTO checks the rules of ALTO 4.4 and returns the words.
func checkALTO(t *testing.T, file []byte, of recognition.Transcript) (words []string) {
	t.Helper()
	root := wellFormed(t, file)
	blocks := 0
	for _, e := range root.all() {
		name := e.XMLName.Local
		rule, known := altoRules[name]
		if !known || e.XMLName.Space != "http://www.loc.gov/standards/alto/ns-v4#" {
			t.Fatalf("%v has no place in ALTO", e.XMLName)
		}
		var children strings.Builder
		for _, c := range e.Children {
			children.WriteString(c.XMLName.Local + " ")
		}
		if !altoPatterns()[name].MatchString(children.String()) {
			t.Errorf("%s has %q in it", name, children.String())
		}
		if !rule.text && strings.TrimSpace(e.Text) != "" {
			t.Errorf("%s has the text %q in it", name, e.Text)
		}
		for _, a := range rule.required {
			if e.attr(a) == "" {
				t.Errorf("%s has no %s", name, a)
			}
		}
		for _, a := range e.Attrs {
			checkALTOAttribute(t, name, a.Name.Local, a.Value)
			if !slices.Contains(rule.required, a.Name.Local) && !slices.Contains(rule.optional, a.Name.Local) {
				t.Errorf("%s has the attribute %s", name, a.Name.Local)
			}
		}
		switch name {
		case "TextBlock":
			blocks++
		case "String":
			words = append(words, e.attr("CONTENT"))
		}
	}
	if root.XMLName.Local != "alto" || blocks != len(of.Run.Contents) {
		t.Errorf("got <%s> with %d blocks for %d regions", root.XMLName.Local, blocks, len(of.Run.Contents))
	}
	return words
}

func checkALTOAttribute(t *testing.T, element, name, value string) {
	t.Helper()
	ok := true
	switch name {
	case "HPOS", "VPOS":
		n, err := strconv.Atoi(value)
		ok = err == nil && n >= 0
	case "WIDTH", "HEIGHT", "PHYSICAL_IMG_NR":
		n, err := strconv.Atoi(value)
		ok = err == nil && n > 0
	case "WC":
		v, err := strconv.ParseFloat(value, 64)
		ok = err == nil && v >= 0 && v <= 1
	case "ID":
		ok = altoID.MatchString(value)
	case "LANG":
		ok = altoLang.MatchString(value)
	}
	if !ok {
		t.Errorf("%s of %s is %q", name, element, value)
	}
}

func TestALTO(t *testing.T) {
	s := sample()
	got := checkALTO(t, export(t, recognition.FormatALTO, s), s)
	if want := 11; len(got) != want {
		t.Errorf("got %d words %q, want %d", len(got), got, want)
	}
}

// TestALTOSchema validates with the official schema, which is not ours to pass on.
func TestALTOSchema(t *testing.T) {
	schema := os.Getenv("GLYPHBOX_TEST_ALTO_SCHEMA")
	if schema == "" {
		check.Absent(t, "alto-schema", "name the file of the ALTO 4.4 schema (XSD) as GLYPHBOX_TEST_ALTO_SCHEMA")
	}
	s := sample()
	empty := sample()
	empty.Run.Contents = nil
	for _, of := range []recognition.Transcript{s, empty} {
		command := exec.CommandContext(t.Context(), tool(t, "xmllint"), "--noout", "--nonet", "--schema", schema, "-")
		command.Stdin = strings.NewReader(string(export(t, recognition.FormatALTO, of)))
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// tool is a program that only tests need.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		check.Absent(t, name, "scripts/setup tests installs it")
	}
	return path
}
