package httpapi

import (
	"context"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

func viewSettings(s recognition.Settings) *endpoint.One[client.Settings] {
	return endpoint.Answer(client.Settings{Lang: wire.List(s.Lang), Effort: string(s.Effort), Rotate: string(s.Rotate),
		Source: string(s.Source)})
}

func (a *api) settings(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[client.Settings], error) {
	s, err := a.Recognition.Settings(ctx, c.Actor())
	return viewSettings(s), err
}

// settingsForm is client.Settings, of which all may be missing.
type settingsForm struct {
	Lang   languages `json:"lang,omitempty" doc:"Languages, at most 5, or auto. Missing: unset."`
	Effort string    `json:"effort,omitempty" enum:"fast,balanced,accurate," doc:"Missing or empty: unset."`
	Rotate rotation  `json:"rotate,omitempty" doc:"Clockwise rotation of text on the page, in degrees, or \"auto\". Missing: unset."`
	Source string    `json:"source,omitempty" enum:"auto,text,ocr," doc:"Source of text: the text layer of the file, or recognition. Missing or empty: unset."`
}

func (a *api) setSettings(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form settingsForm) (
	*endpoint.One[client.Settings], error) {
	s, err := a.Recognition.SetSettings(ctx, c.Actor(), recognition.Settings{Lang: form.Lang, Effort: recognition.Effort(form.Effort),
		Rotate: recognition.Rotate(form.Rotate), Source: recognition.Source(form.Source)})
	return viewSettings(s), err
}
