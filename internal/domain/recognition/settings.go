package recognition

import (
	"cmp"
	"context"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Settings are a user's defaults for reading, for programs with a user interface, which send them with their requests. The service does
// not apply them to requests: what a request leaves out has the default of the service, so that the same request gives the same text
// for every user. Empty fields are unset.
type Settings struct {
	Lang   []string `json:"lang,omitempty"`
	Effort Effort   `json:"effort,omitempty"`
	Rotate Rotate   `json:"rotate,omitempty"`
	Source Source   `json:"source,omitempty"`
}

// UserSettings keeps the settings of users. Safe for concurrent use.
type UserSettings interface {
	// Settings returns what was stored last, zero where that is nothing.
	Settings(ctx context.Context, userID int64) (Settings, error)

	// SetSettings stores settings in the place of those before. NotFound where the user is not there.
	SetSettings(ctx context.Context, userID int64, settings Settings) error
}

// Settings returns those of the actor. A language may not be installed any more.
func (s *Service) Settings(ctx context.Context, actor account.Actor) (Settings, error) {
	return s.UserSettings.Settings(ctx, actor.UserID)
}

// SetSettings stores those of the actor and returns them. Invalid.
func (s *Service) SetSettings(ctx context.Context, actor account.Actor, settings Settings) (Settings, error) {
	installed, err := s.Engine.Languages(ctx)
	if err != nil {
		return Settings{}, err
	}
	settings.Lang = splitLang(settings.Lang)
	fields := checkLang("lang", settings.Lang, installed)
	fields = append(fields, checkOneOf("effort", cmp.Or(settings.Effort, Efforts[0]), Efforts)...)
	fields = append(fields, checkOneOf("rotate", cmp.Or(settings.Rotate, Rotates[0]), Rotates)...)
	fields = append(fields, checkOneOf("source", cmp.Or(settings.Source, Sources[0]), Sources)...)
	if err := fault.InvalidFields(fields...); err != nil {
		return Settings{}, err
	}
	return settings, s.UserSettings.SetSettings(ctx, actor.UserID, settings)
}
