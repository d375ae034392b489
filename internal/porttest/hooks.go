package porttest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/check"
)

func addHook(t *testing.T, s Stores, user account.User, items bool) webhook.Hook {
	t.Helper()
	h, err := s.Hooks.Add(t.Context(), webhook.Hook{UserID: user.ID, URL: "https://hook.example/훅?a=b", Items: items,
		Secret: []byte{0, 255}, Created: moment(1).UTC()})
	check.OK(t, "Hooks.Add", err)
	return h
}

// ended makes a job that tells a hook, and ends its items at moments 11, 12 …: all but the first fail.
func ended(t *testing.T, s Stores, user account.User, hook int64, n, items int) job.Job {
	t.Helper()
	j := someJob(user, n, items)
	j.Webhook = hook
	addJob(t, s, j)
	for i := range items {
		id := job.ItemID(j.ID, i+1)
		claimed(t, s, id, "x")
		o := job.Outcome{Error: &fault.Failure{Code: "broken", Detail: "It broke."}}
		if i == 0 {
			o = job.Outcome{Version: aRun(t, s, user, id)}
		}
		check.OK(t, "Jobs.Finish", s.Jobs.Finish(t.Context(), id, "x", o, moment(11+i), time.Time{}))
	}
	return j
}

func deliveries(t *testing.T, s Stores, hook int64) []webhook.Delivery {
	t.Helper()
	found, err := s.Hooks.Deliveries(t.Context(), hook, "", 100)
	check.OK(t, "Hooks.Deliveries", err)
	return found
}

// data are the data of a body.
func data(t *testing.T, d webhook.Delivery) map[string]any {
	t.Helper()
	var body struct {
		Type      string
		Timestamp time.Time
		Data      map[string]any
	}
	check.OK(t, "Unmarshal", json.Unmarshal([]byte(d.Body), &body))
	same(t, "type", body.Type, d.Event)
	same(t, "timestamp", body.Timestamp, d.Created)
	return body.Data
}

// Hooks is the suite of webhook.Hooks, and of what job.Jobs tells them. It needs Users, Jobs, Catalog and Runs.
func Hooks(t *testing.T, open func(t *testing.T) Stores) {
	start := func(t *testing.T) (Stores, account.User) {
		s := open(t)
		return s, addUser(t, s, "ann")
	}
	leased := func(t *testing.T, s Stores, hook int64, now int) webhook.Delivery {
		t.Helper()
		found, err := s.Hooks.Claim(t.Context(), hook, "x", moment(now), moment(now+60), 1)
		check.OK(t, "Claim", err)
		if len(found) != 1 {
			t.Fatalf("claimed %d, want 1", len(found))
		}
		return found[0]
	}

	t.Run("everything comes back", func(t *testing.T) {
		s, ann := start(t)
		bob := addUser(t, s, "bob")
		first, other, second := addHook(t, s, ann, true), addHook(t, s, bob, false), addHook(t, s, ann, false)
		got, err := s.Hooks.ByID(t.Context(), first.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, first)
		got, err = s.Hooks.Update(t.Context(), second.ID, func(h *webhook.Hook) error {
			h.URL, h.Items, h.Secret, h.Former, h.FormerUntil = "http://x", true, []byte{1}, []byte{2}, moment(9).UTC()
			h.FailingSince, h.Disabled, h.Reason = moment(3).UTC(), moment(4).UTC(), webhook.Failing
			return nil
		})
		check.OK(t, "Update", err)
		all, err := s.Hooks.OfUser(t.Context(), ann.ID)
		check.OK(t, "OfUser", err)
		same(t, "OfUser", all, []webhook.Hook{first, {ID: second.ID, UserID: ann.ID, URL: "http://x", Items: true, Secret: []byte{1},
			Former: []byte{2}, FormerUntil: moment(9).UTC(), Created: second.Created, FailingSince: moment(3).UTC(),
			Disabled: moment(4).UTC(), Reason: webhook.Failing}})
		same(t, "Update", got, all[1])
		refused := fault.New(fault.Forbidden, "refused", "No.")
		_, err = s.Hooks.Update(t.Context(), first.ID, func(h *webhook.Hook) error { h.URL = "x"; return refused })
		check.Code(t, "Update that is refused", err, fault.Forbidden, "refused")
		check.OK(t, "Remove", s.Hooks.Remove(t.Context(), other.ID))
		for what, err := range map[string]error{
			"ByID":   func() error { _, err := s.Hooks.ByID(t.Context(), other.ID); return err }(),
			"Update": func() error { _, err := s.Hooks.Update(t.Context(), other.ID, nil); return err }(),
			"Remove": s.Hooks.Remove(t.Context(), other.ID),
			"Replay": s.Hooks.Replay(t.Context(), other.ID, "x", moment(1)),
			"Claim":  func() error { _, err := s.Hooks.Claim(t.Context(), other.ID, "x", moment(1), moment(2), 1); return err }(),
			"Add": func() error {
				_, err := s.Hooks.Add(t.Context(), webhook.Hook{UserID: 999, Secret: []byte{1}, Created: moment(1)})
				return err
			}(),
		} {
			check.Kind(t, what+" of none", err, fault.NotFound)
		}
		check.OK(t, "RemoveAllOf", s.Hooks.RemoveAllOf(t.Context(), ann.ID))
		all, err = s.Hooks.OfUser(t.Context(), ann.ID)
		check.OK(t, "OfUser", err)
		same(t, "left", all, []webhook.Hook(nil))
	})

	t.Run("the ends of jobs and items are told", func(t *testing.T) {
		s, ann := start(t)
		h := addHook(t, s, ann, true)
		j := ended(t, s, ann, h.ID, 1, 2)
		got, err := s.Jobs.ByID(t.Context(), j.ID)
		check.OK(t, "ByID", err)
		same(t, "webhook of the job", got.Webhook, h.ID)
		events := map[string]webhook.Delivery{}
		for _, d := range deliveries(t, s, h.ID) {
			events[fmt.Sprint(d.Event, " ", data(t, d)["id"])] = d
			want := webhook.Delivery{ID: d.ID, HookID: h.ID, Event: d.Event, Body: d.Body, State: webhook.Waiting, Due: d.Created,
				Created: d.Created}
			same(t, "delivery", d, want)
		}
		same(t, "deliveries", len(events), 3)
		item := data(t, events["item.ended job001-000002"])
		same(t, "state of an item", fmt.Sprint(item["state"], item["number"], item["tries"], item["job"], item["error"]),
			"failed2 1job001map[code:broken detail:It broke.]")
		same(t, "version of an item", data(t, events["item.ended job001-000001"])["version"], any(1.0))
		job := data(t, events["job.ended job001"])
		same(t, "state of the job", fmt.Sprint(job["state"], job["total"], job["done"], job["failed"]), "done2 1 1")
		same(t, "end of the job", events["job.ended job001"].Created, moment(12).UTC())

		_, err = s.Jobs.Retry(t.Context(), j.ID, limit.Limits{}, moment(20)) // it ends again
		check.OK(t, "Retry", err)
		same(t, "deliveries after a retry", len(deliveries(t, s, h.ID)), 3)
		check.OK(t, "Cancel", s.Jobs.Cancel(t.Context(), j.ID, moment(20)))
		same(t, "deliveries after the second end", len(deliveries(t, s, h.ID)), 4)
		check.OK(t, "Cancel", s.Jobs.Cancel(t.Context(), j.ID, moment(21)))
		same(t, "deliveries after a cancel of what has ended", len(deliveries(t, s, h.ID)), 4)

		few := addHook(t, s, ann, false)
		ended(t, s, ann, few.ID, 2, 2)
		ended(t, s, ann, 0, 3, 1)
		same(t, "deliveries without items", len(deliveries(t, s, few.ID)), 1)
		check.OK(t, "Remove", s.Hooks.Remove(t.Context(), few.ID))
		ended(t, s, ann, few.ID, 4, 1) // it is told to nobody
	})

	t.Run("an item that is tried again has not ended", func(t *testing.T) {
		s, ann := start(t)
		h := addHook(t, s, ann, true)
		j := someJob(ann, 1, 1)
		j.Webhook = h.ID
		addJob(t, s, j)
		claimed(t, s, "job001-000001", "x")
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000001", "x", job.Outcome{Error: &fault.Failure{Code: "c"}, Again: true},
			moment(11), time.Time{}))
		same(t, "deliveries", len(deliveries(t, s, h.ID)), 0)
	})

	t.Run("what is due is given to one", func(t *testing.T) {
		s, ann := start(t)
		h, idle, off := addHook(t, s, ann, true), addHook(t, s, ann, true), addHook(t, s, ann, true)
		ended(t, s, ann, h.ID, 1, 30)
		ended(t, s, ann, off.ID, 2, 1)
		_, err := s.Hooks.Update(t.Context(), off.ID, func(h *webhook.Hook) error { h.Disabled = moment(1); return nil })
		check.OK(t, "Update", err)
		due, err := s.Hooks.Due(t.Context(), moment(10))
		check.OK(t, "Due", err)
		same(t, "due too early", due, []webhook.Hook(nil))
		due, err = s.Hooks.Due(t.Context(), moment(50))
		check.OK(t, "Due", err)
		same(t, "due", due, []webhook.Hook{h})
		claimed, err := s.Hooks.Claim(t.Context(), idle.ID, "x", moment(50), moment(110), 5)
		check.OK(t, "Claim", err)
		same(t, "claimed of none", len(claimed), 0)

		first, err := s.Hooks.Claim(t.Context(), h.ID, "x", moment(50), moment(110), 2)
		check.OK(t, "Claim", err)
		for i, d := range first {
			same(t, "claimed", d, webhook.Delivery{ID: d.ID, HookID: h.ID, Event: "item.ended", Body: d.Body, State: webhook.Waiting,
				Tries: 1, Due: moment(110).UTC(), Created: moment(11 + i).UTC()})
		}
		found := make([][]webhook.Delivery, racers)
		allOK(t, "Claim", race(racers, func(i int) (err error) {
			found[i], err = s.Hooks.Claim(context.Background(), h.ID, fmt.Sprint("by ", i), moment(50), moment(110), 3)
			return err
		}))
		seen := map[string]bool{first[0].ID: true, first[1].ID: true}
		for _, claimed := range found {
			for _, d := range claimed {
				if seen[d.ID] {
					t.Errorf("%s was given to two", d.ID)
				}
				seen[d.ID] = true
			}
		}
		same(t, "given", len(seen), 31)
		same(t, "deliveries that nobody has after the leases", leased(t, s, h.ID, 110).Tries, 2)
		stats, err := s.Hooks.Stats(t.Context())
		check.OK(t, "Stats", err)
		same(t, "waiting", stats.Waiting, 33)
	})

	t.Run("a try ends", func(t *testing.T) {
		s, ann := start(t)
		h := addHook(t, s, ann, false)
		ended(t, s, ann, h.ID, 1, 1)
		d := leased(t, s, h.ID, 20)
		check.Kind(t, "Replay of what runs", s.Hooks.Replay(t.Context(), h.ID, d.ID, moment(21)), fault.Conflict)
		fail := func(h *webhook.Hook, d *webhook.Delivery) {
			h.FailingSince, h.Disabled, h.Reason = moment(22), moment(23), webhook.Gone
			d.Due, d.Tried, d.Answer = moment(30), moment(22), webhook.Answer{Status: 500, Error: "안 됨"}
		}
		for _, by := range []string{"y", ""} {
			check.Kind(t, "Finish by another", s.Hooks.Finish(t.Context(), d.ID, by, fail), fault.Conflict)
		}
		check.Kind(t, "Finish of none", s.Hooks.Finish(t.Context(), "none", "x", fail), fault.Conflict)
		check.OK(t, "Finish", s.Hooks.Finish(t.Context(), d.ID, "x", fail))
		check.Kind(t, "Finish again", s.Hooks.Finish(t.Context(), d.ID, "x", fail), fault.Conflict)
		d.Due, d.Tried, d.Answer = moment(30).UTC(), moment(22).UTC(), webhook.Answer{Status: 500, Error: "안 됨"}
		same(t, "delivery", deliveries(t, s, h.ID), []webhook.Delivery{d})
		got, err := s.Hooks.ByID(t.Context(), h.ID)
		check.OK(t, "ByID", err)
		h.FailingSince, h.Disabled, h.Reason = moment(22).UTC(), moment(23).UTC(), webhook.Gone
		same(t, "hook", got, h)
		stats, err := s.Hooks.Stats(t.Context())
		check.OK(t, "Stats", err)
		same(t, "Stats while the hook is disabled", stats, webhook.Stats{Waiting: 1, Disabled: 1})
		_, err = s.Hooks.Update(t.Context(), h.ID, func(h *webhook.Hook) error { h.Disabled, h.Reason = time.Time{}, ""; return nil })
		check.OK(t, "Update", err)
		stats, err = s.Hooks.Stats(t.Context())
		check.OK(t, "Stats", err)
		same(t, "Stats once it is enabled", stats, webhook.Stats{Waiting: 1, Oldest: moment(30).UTC()})

		check.OK(t, "Replay", s.Hooks.Replay(t.Context(), h.ID, d.ID, moment(25)))
		d = leased(t, s, h.ID, 25)
		same(t, "tries of a replay", d.Tries, 1)
		check.OK(t, "Finish", s.Hooks.Finish(t.Context(), d.ID, "x", func(_ *webhook.Hook, d *webhook.Delivery) {
			d.State, d.Due = webhook.Delivered, time.Time{}
		}))
		found, err := s.Hooks.Claim(t.Context(), h.ID, "x", moment(999), moment(1000), 1)
		check.OK(t, "Claim", err)
		same(t, "claimed of what has ended", len(found), 0)
		check.Kind(t, "Replay of another's", s.Hooks.Replay(t.Context(), addHook(t, s, ann, false).ID, d.ID, moment(25)), fault.NotFound)
	})

	t.Run("a lapsed lease does not keep from a replay", func(t *testing.T) {
		s, ann := start(t)
		h := addHook(t, s, ann, false)
		ended(t, s, ann, h.ID, 1, 1)
		d := leased(t, s, h.ID, 20)
		check.Kind(t, "Replay before its end", s.Hooks.Replay(t.Context(), h.ID, d.ID, moment(79)), fault.Conflict)
		check.OK(t, "Replay at its end", s.Hooks.Replay(t.Context(), h.ID, d.ID, moment(80)))
		check.Kind(t, "Finish by who had the lease", s.Hooks.Finish(t.Context(), d.ID, "x", func(*webhook.Hook, *webhook.Delivery) {}),
			fault.Conflict)
		same(t, "tries of a replay", leased(t, s, h.ID, 80).Tries, 1)
	})

	t.Run("lists and old ones", func(t *testing.T) {
		s, ann := start(t)
		h := addHook(t, s, ann, true)
		ended(t, s, ann, h.ID, 1, 4)
		all := deliveries(t, s, h.ID)
		same(t, "deliveries", len(all), 5)
		part, err := s.Hooks.Deliveries(t.Context(), h.ID, all[1].ID, 2)
		check.OK(t, "Deliveries", err)
		same(t, "part", part, all[2:4])
		n, err := s.Hooks.Prune(t.Context(), all[1].ID, 2)
		check.OK(t, "Prune", err)
		same(t, "pruned", n, 2)
		same(t, "left", deliveries(t, s, h.ID), all[:3])
		n, err = s.Hooks.Prune(t.Context(), all[1].ID, 5)
		check.OK(t, "Prune", err)
		same(t, "pruned", n, 1)
	})
}
