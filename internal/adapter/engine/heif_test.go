package engine

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// needHEIF ends the test where there is no libheif that decodes HEIC and AVIF.
func needHEIF(t *testing.T, e *Engine) {
	t.Helper()
	ready(t, e)
	if missing := e.About().HEIF.Missing; missing != "" {
		check.Absent(t, "libheif", missing+"; run scripts/setup")
	}
}

// Files whose parts contradict one another are refused with the reason, and no worker breaks over one.
func TestHEIFsThatBreakDecoders(t *testing.T) {
	e := start(t, alone)
	needHEIF(t, e)
	const damaged, good = "The HEIC file is damaged.", ""
	files, err := filepath.Glob("testdata/heif/*.heic")
	if err != nil || len(files) < 12 {
		t.Fatalf("got %v, %v", files, err)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := damaged
		switch filepath.Base(name) {
		case "same-tile.heic", "cycle-beside.heic":
			want = good
		case "huge-alpha.heic": // of 6,000 × 6,000 pixels where 64 × 64 are said
			want = "This variant of HEIC is not supported"
		}
		_, err = e.Thumbnail(t.Context(), porttest.PageOf(file), 64)
		f := fault.Of(err)
		if (err == nil) != (want == good) || err != nil && (f.Kind != fault.Unsupported || !strings.HasPrefix(f.Text, want)) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	if s := e.Stats(); s.Restarts != 0 {
		t.Errorf("%d workers broke", s.Restarts)
	}
}

// Files that are cut off, or of which a bit is wrong, are shown or refused, and break no worker.
func TestHEIFsWithErrors(t *testing.T) {
	e := start(t, alone)
	needHEIF(t, e)
	shown, refused := 0, 0
	try := func(what string, file []byte) {
		switch _, err := e.Thumbnail(t.Context(), porttest.PageOf(file), 64); {
		case err == nil:
			shown++
		case fault.Is(err, fault.Unsupported) || fault.Is(err, fault.TooLarge):
			refused++
		default:
			t.Errorf("%s: %v", what, err)
		}
		if s := e.Stats(); s.Restarts != 0 {
			t.Fatalf("%s: a worker broke", what)
		}
	}
	step := 37
	if check.Soak() {
		step = 1
	}
	for _, name := range []string{"heic-of-a-phone", "heic-alpha", "avif-alpha", "avif-anim"} {
		file, err := os.ReadFile("testdata/formats/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for n := step; n < len(file); n += step {
			try(name+", cut off", file[:n])
			wrong := append([]byte(nil), file...)
			wrong[n] ^= 1 << (n % 8)
			try(name+", a wrong bit", wrong)
			if n+4 < 1200 {
				binary.BigEndian.PutUint32(wrong[n:], 1<<32-1)
				try(name+", a huge number", wrong)
			}
		}
	}
	if shown == 0 || refused == 0 {
		t.Errorf("%d files were shown, %d refused", shown, refused)
	}
	t.Logf("%d files were shown, %d refused", shown, refused)
}
