package porttest

import (
	"context"
	"slices"
	"testing"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// Settings is the suite of recognition.UserSettings.
func Settings(t *testing.T, open func(t *testing.T) Stores) {
	s := open(t)
	ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
	want := func(what string, userID int64, want recognition.Settings) {
		t.Helper()
		got, err := s.Settings.Settings(t.Context(), userID)
		check.OK(t, "Settings", err)
		same(t, what, got, want)
	}
	want("at first", ann.ID, recognition.Settings{})
	all := recognition.Settings{Lang: []string{"script/Hangul", "eng"}, Effort: recognition.EffortBalanced, Rotate: recognition.Rotate270,
		Source: recognition.SourceText}
	check.OK(t, "SetSettings", s.Settings.SetSettings(t.Context(), ann.ID, all))
	want("all", ann.ID, all)
	want("of another", bob.ID, recognition.Settings{})
	check.OK(t, "SetSettings", s.Settings.SetSettings(t.Context(), ann.ID, recognition.Settings{Lang: []string{"kor"}}))
	want("in the place of those before", ann.ID, recognition.Settings{Lang: []string{"kor"}})
	check.Kind(t, "SetSettings of nobody", s.Settings.SetSettings(t.Context(), ann.ID+bob.ID+100, all), fault.NotFound)
	want("of nobody", ann.ID+bob.ID+100, recognition.Settings{})
}

type fakeSettings struct{ *memory }

func (f fakeSettings) Settings(ctx context.Context, userID int64) (s recognition.Settings, err error) {
	err = f.do(ctx, "Settings.Settings", func() error {
		s = f.settings[userID]
		s.Lang = slices.Clone(s.Lang)
		return nil
	})
	return s, err
}

func (f fakeSettings) SetSettings(ctx context.Context, userID int64, s recognition.Settings) error {
	return f.write(ctx, "Settings.SetSettings", func() error {
		if _, ok := f.users[userID]; !ok {
			return notFound("user")
		}
		s.Lang = slices.Clone(s.Lang)
		f.settings[userID] = s
		return nil
	})
}

var _ recognition.UserSettings = fakeSettings{}
