package recognition_test

import (
	"testing"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

func TestSettings(t *testing.T) {
	w := newWorld(t)
	w.UserSettings = w.fakes.Settings
	got, err := w.Settings(t.Context(), w.ann)
	check.OK(t, "Settings", err)
	check.Same(t, "at first", got, recognition.Settings{})
	want := recognition.Settings{Lang: []string{"kor", "eng"}, Effort: recognition.EffortFast, Rotate: recognition.Rotate90,
		Source: recognition.SourceOCR}
	given := want
	given.Lang = []string{"kor+eng", "kor"}
	got, err = w.SetSettings(t.Context(), w.ann, given)
	check.OK(t, "SetSettings", err)
	check.Same(t, "SetSettings", got, want)
	got, err = w.Settings(t.Context(), w.ann)
	check.OK(t, "Settings", err)
	check.Same(t, "Settings", got, want)
	got, err = w.Settings(t.Context(), w.bob)
	check.OK(t, "Settings", err)
	check.Same(t, "of another", got, recognition.Settings{})
	check.Same(t, "a request does not use them", w.recognize(t, w.ann, left).Lang, []string{"eng"})
	_, err = w.SetSettings(t.Context(), w.ann, recognition.Settings{Lang: []string{"xyz"}, Effort: "most", Rotate: "45", Source: "paper"})
	wantFields(t, "SetSettings", err, "lang", "effort", "rotate", "source")
	_, err = w.SetSettings(t.Context(), w.ann, recognition.Settings{Lang: []string{"auto", "kor"}})
	check.OK(t, "SetSettings to find out the language", err)
	_, err = w.SetSettings(t.Context(), w.ann, recognition.Settings{})
	check.OK(t, "SetSettings to nothing", err)
	stranger := w.ann
	stranger.UserID += 100
	_, err = w.SetSettings(t.Context(), stranger, want)
	check.Kind(t, "SetSettings of nobody", err, fault.NotFound)
}
