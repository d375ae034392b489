package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"glyphbox/client"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/check"
)

func TestWebhooks(t *testing.T) {
	s := open(t)
	user, token := s.user("ann")
	_, other := s.user("bob")
	ann := as(token)
	for body, field := range map[string]string{`{}`: "url", `{"url": "http://x"}`: "url", `{"url": "https://x", "rotate": true}`: "rotate",
		`{"url": "https://x", "secret": "mine"}`: "secret"} {
		s.ask("POST", base+"/webhook", ann.with(body)).want(422).code("invalid_input", field)
	}
	a := s.ask("POST", base+"/webhook", ann.with(`{"url": "https://hook.example/", "items": true}`)).want(201)
	check.Same(t, "Cache-Control", a.header.Get("Cache-Control"), "no-store")
	made := read[client.NewWebhook](a)
	if made.Secret == nil || !strings.HasPrefix(*made.Secret, "whsec_") || !made.Items || !made.Enabled ||
		made.URL != "https://hook.example/" {
		t.Fatalf("made %s", a.body)
	}
	path := fmt.Sprintf("%s/webhook/%d", base, made.ID)
	check.Same(t, "shown later", read[client.Webhook](s.ask("GET", path, ann).want(200)), made.Webhook)
	check.Same(t, "listed", read[[]client.Webhook](s.ask("GET", base+"/webhook", ann).want(200)), []client.Webhook{made.Webhook})

	changed := read[client.NewWebhook](s.ask("PUT", path, ann.with(`{"enabled": false}`)).want(200))
	if changed.Secret != nil || changed.Enabled || changed.Notice != nil || changed.DisabledDatetime == nil || !changed.Items {
		t.Errorf("disabled: %+v", changed)
	}
	rotated := read[client.NewWebhook](s.ask("PUT", path, ann.with(`{"enabled": true, "rotate": true}`)).want(200))
	if rotated.Secret == nil || *rotated.Secret == *made.Secret || !rotated.Enabled {
		t.Errorf("rotated: %+v", rotated)
	}
	s.ask("PUT", path, ann.with(`{"url": "http://x"}`)).want(422).code("invalid_input", "url")

	// A job names it, and its end and those of its items are in the log of deliveries, in the form in which the API shows them.
	image := s.image(token).ID
	order := fmt.Sprintf(`{"image_ids": [%d], "webhook": %d}`, image, made.ID)
	s.ask("POST", base+"/job", as(other).with(fmt.Sprintf(`{"image_ids": [%d], "webhook": %d}`, s.image(other).ID, made.ID))).want(422).
		code("invalid_input", "webhook")
	id := read[client.Job](s.ask("POST", base+"/job", ann.with(order)).want(202)).ID
	claim, err := s.Jobs.Claim(t.Context(), job.ItemID(id, 1), "x", time.Now(), time.Now().Add(time.Minute))
	check.OK(t, "Claim", err)
	check.OK(t, "Finish", s.Jobs.Finish(t.Context(), claim.ID, "x", job.Outcome{Error: &fault.Failure{Code: "c", Detail: "d"}}, time.Now(),
		time.Time{}))
	a = s.ask("GET", path+"/delivery?size=1", ann).want(200)
	if !strings.Contains(a.header.Get("Link"), `rel="next"`) {
		t.Errorf("Link %q", a.header.Get("Link"))
	}
	deliveries := read[[]client.Delivery](s.ask("GET", path+"/delivery", ann).want(200))
	check.Same(t, "deliveries", len(deliveries), 2)
	for _, d := range deliveries {
		var into any = &client.Job{}
		if d.Event == "item.ended" {
			into = &client.JobItem{}
		}
		var body struct {
			Type, Timestamp string
			Data            json.RawMessage
		}
		check.OK(t, "body", json.Unmarshal(d.Body, &body))
		strict := json.NewDecoder(strings.NewReader(string(body.Data)))
		strict.DisallowUnknownFields()
		check.OK(t, "data of "+d.Event, strict.Decode(into))
		check.Same(t, "state", d.State, "waiting")
	}
	s.ask("POST", path+"/delivery/"+deliveries[0].ID+"/replay", ann).want(204)
	_, err = s.Hooks.Claim(t.Context(), made.ID, "x", time.Now().Add(time.Minute), time.Now().Add(time.Hour), 9)
	check.OK(t, "Claim", err)
	s.ask("POST", path+"/delivery/"+deliveries[0].ID+"/replay", ann).want(409).code("delivery_runs")
	s.ask("POST", path+"/delivery/none/replay", ann).want(404)

	for _, call := range []string{"GET ", "PUT ", "DELETE ", "GET /delivery", "POST /delivery/" + deliveries[0].ID + "/replay"} {
		method, rest, _ := strings.Cut(call, " ")
		r := as(other)
		if method == "PUT" {
			r = r.with(`{"enabled": false}`)
		}
		s.ask(method, path+rest, r).want(404)
	}
	s.ask("DELETE", path, ann).want(204)
	s.ask("GET", path, ann).want(404)
	for range webhook.MaxHooks {
		s.ask("POST", base+"/webhook", ann.with(`{"url": "https://x"}`)).want(201)
	}
	s.ask("POST", base+"/webhook", ann.with(`{"url": "https://x"}`)).want(409).code("too_many_webhooks")

	s.ask("DELETE", base+"/user?images=keep", ann).want(204)
	left, err := s.Hooks.OfUser(t.Context(), user)
	check.OK(t, "OfUser", err)
	check.Same(t, "webhooks of who has resigned", len(left), 0)
}
