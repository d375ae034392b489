package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/wire"
)

func (a *api) ping(_ context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.Stream, error) {
	return endpoint.Written(func() {
		c.Writer().Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = c.Writer().Write([]byte("pong")) // the client has gone
	}), nil
}

func (a *api) health(context.Context, *endpoint.Call, *endpoint.None) (*endpoint.One[client.Health], error) {
	return endpoint.Answer(client.Health{Status: "ok"}), nil
}

type readiness struct {
	Status int `hidden:"true"`
	Body   client.Ready
}

// readyTimeout is short, since a probe needs an answer soon.
const readyTimeout = time.Second

func (a *api) ready(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*readiness, error) {
	ready, err := a.look(ctx)
	if err != nil {
		c.Note("not_ready", err)
		return &readiness{http.StatusServiceUnavailable, ready}, nil
	}
	return &readiness{http.StatusOK, ready}, nil
}

// look checks everything that the service needs, all at once; the error says what cannot be reached, and why.
func (a *api) look(ctx context.Context) (client.Ready, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	results := make([]chan error, len(a.Ready))
	for i, check := range a.Ready {
		results[i] = make(chan error, 1) // so that a check that ignores its context blocks no other
		go func() { results[i] <- check.Check(ctx) }()
	}
	view := client.Ready{Status: "ok", Dependencies: map[string]client.Dependency{}, SecondRecogniser: a.secondRecogniser().State,
		HEIF: a.heif().State, PDF: a.pdf().State}
	var away []error
	for i, check := range a.Ready {
		var err error
		select {
		case err = <-results[i]:
		case <-ctx.Done():
			select { // both may have come
			case err = <-results[i]:
			default:
				err = ctx.Err()
			}
		}
		state := "ok"
		if err != nil {
			state = "away"
			away = append(away, fmt.Errorf("%s: %w", check.Name, err))
		}
		view.Dependencies[check.Name] = client.Dependency{State: state}
	}
	if len(away) > 0 {
		view.Status = "unavailable"
	}
	return view, errors.Join(away...)
}

func (a *api) secondRecogniser() client.SecondRecogniser {
	if a.Second == nil {
		return client.SecondRecogniser{State: "missing"}
	}
	second := a.Second()
	view := client.SecondRecogniser{State: "ok", Models: second.Models, Runtime: second.Runtime, Missing: second.Missing}
	if second.Missing != "" {
		view.State = "missing"
	}
	return view
}

func (a *api) heif() client.HEIF {
	if a.HEIF == nil {
		return client.HEIF{State: "missing"}
	}
	return a.HEIF()
}

func (a *api) pdf() client.PDF {
	if a.PDF == nil {
		return client.PDF{State: "missing"}
	}
	return a.PDF()
}

func (a *api) service(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[client.Service], error) {
	if err := c.Actor().MustBeAdmin(); err != nil {
		return nil, err
	}
	ready, err := a.look(ctx)
	c.Note("", err)
	view := client.Service{Status: ready.Status, Version: a.Version, StartedDatetime: wire.Time(a.started), Parts: []client.Part{},
		SecondRecogniser: a.secondRecogniser(), HEIF: a.heif(), PDF: a.pdf()}
	for _, check := range a.Ready {
		view.Parts = append(view.Parts, client.Part{Name: check.Name, State: ready.Dependencies[check.Name].State,
			Kind: a.Kinds[check.Name]})
	}
	if a.Workload != nil {
		w := a.Workload()
		view.Workers = client.Workers{All: w.Workers, Up: w.Up, Busy: w.Busy, Memory: w.Memory, Replaced: w.Replaced}
		view.Regions = client.Workload{Waiting: w.Waiting, Room: w.Room, Served: w.Served}
	}
	return endpoint.Answer(view), nil
}
