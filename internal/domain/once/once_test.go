package once_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

var errBroken = errors.New("it broke")

type world struct {
	*once.Service
	fakes *porttest.Fakes
	made  int
}

// within runs a test in a bubble, where time passes only while all wait.
func within(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := porttest.NewFakes(t)
		test(t, &world{Service: &once.Service{Keys: f.Once, Now: time.Now}, fakes: f})
	})
}

func request(name, digest string) once.Request {
	return once.Request{User: 1, Name: name, Digest: digest, Parts: true}
}

// ask does a request that takes some time and makes a job.
func (w *world) ask(ctx context.Context, r once.Request, takes time.Duration, fails error) (bool, []once.Effect, error) {
	return w.Do(ctx, r, func(ctx context.Context, _ once.Claim) ([]once.Effect, error) {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if fails != nil {
			return nil, fails
		}
		w.made++
		return []once.Effect{{Job: "made"}}, nil
	})
}

// want checks what came of a request that is to succeed.
func (w *world) want(t *testing.T, what string, r once.Request, done bool, made int) {
	t.Helper()
	did, again, err := w.ask(t.Context(), r, time.Second, nil)
	check.OK(t, what, err)
	check.Same(t, what+": done", did, done)
	check.Same(t, what+": made in all", w.made, made)
	if !done {
		check.Same(t, what+": made before", again, []once.Effect{{Job: "made"}})
	}
}

func TestOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.want(t, "first", request("key", "a"), true, 1)
		w.want(t, "again", request("key", "a"), false, 1)
		_, _, err := w.ask(t.Context(), request("key", "b"), 0, nil)
		check.Code(t, "another request", err, fault.Conflict, "idempotency_key_used")
		w.want(t, "another key", request("another", "a"), true, 2)
		other := request("key", "b")
		other.User = 2
		w.want(t, "another user", other, true, 3)
		time.Sleep(once.Keep - time.Minute)
		w.want(t, "almost a day later", request("key", "a"), false, 3)
		time.Sleep(2 * time.Minute)
		w.want(t, "a day later", request("key", "c"), true, 4)
	})
}

// Of those that come at once one is done, however long it takes, and the others wait for it; where it fails, the next one is done.
func TestAtOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		type result struct {
			done bool
			err  error
		}
		results := make(chan result)
		for range 5 {
			go func() {
				done, _, err := w.ask(t.Context(), request("key", "a"), 10*once.LeaseTime, nil)
				results <- result{done, err}
			}()
		}
		dones := 0
		for range 5 {
			r := <-results
			check.OK(t, "Do", r.err)
			if r.done {
				dones++
			}
		}
		check.Same(t, "done", dones, 1)
		check.Same(t, "made", w.made, 1)

		go func() {
			_, _, err := w.ask(t.Context(), request("second", "a"), time.Second, errBroken)
			results <- result{true, err}
		}()
		synctest.Wait()
		go func() {
			done, _, err := w.ask(t.Context(), request("second", "a"), time.Second, nil)
			results <- result{done, err}
		}()
		if r := <-results; !errors.Is(r.err, errBroken) {
			t.Errorf("got %v, want the error of what was done", r.err)
		}
		r := <-results
		check.OK(t, "Do after that", r.err)
		check.Same(t, "done after that", r.done, true)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go w.ask(t.Context(), request("third", "a"), time.Minute, nil)
		synctest.Wait()
		_, _, err := w.ask(ctx, request("third", "a"), 0, nil)
		check.Kind(t, "Do of who does not wait", err, fault.Deadline)
		time.Sleep(2 * time.Minute)
	})
}

// A claim whose holder is gone lapses, and what it noted is in the next one.
func TestHolderVanishes(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.want(t, "to learn the ID", request("key", "a"), true, 1)
		var id string
		for found, err := range w.fakes.Once.Old(t.Context(), time.Now().Add(time.Hour)) {
			check.OK(t, "Old", err)
			id = found
		}
		now := time.Now().Add(2 * once.Keep)
		time.Sleep(time.Until(now))
		_, err := w.fakes.Once.Begin(t.Context(), once.Key{ID: id, User: 1, Request: "a", HeldBy: "gone", Created: now,
			Until: now.Add(once.LeaseTime)})
		check.OK(t, "Begin", err)
		part := once.Effect{Image: 7}
		w.fakes.Note(once.Claim{ID: id, By: "gone", Part: true}, part)
		done, _, err := w.Do(t.Context(), request("key", "a"), func(_ context.Context, c once.Claim) ([]once.Effect, error) {
			check.Same(t, "made before", c.Made, []once.Effect{part})
			return []once.Effect{{Image: 8}}, nil
		})
		check.OK(t, "Do", err)
		check.Same(t, "done", done, true)
		if waited := time.Since(now); waited < once.LeaseTime || waited > once.LeaseTime+time.Second {
			t.Errorf("it waited %s", waited)
		}
		_, again, err := w.ask(t.Context(), request("key", "a"), 0, nil)
		check.OK(t, "Do again", err)
		check.Same(t, "made", again, []once.Effect{part, {Image: 8}})
	})
}

// Who was taken for gone, and is not, does not go on, and does not spoil what the other one does.
func TestTakenOver(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		_, _, err := w.Do(t.Context(), request("key", "a"), func(ctx context.Context, c once.Claim) ([]once.Effect, error) {
			until := time.Now().Add(2 * once.LeaseTime)
			_, err := w.fakes.Once.Begin(ctx, once.Key{ID: c.ID, User: 1, Request: "a", HeldBy: "other", Until: until.Add(time.Hour),
				Created: until})
			check.OK(t, "Begin", err)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		check.Code(t, "Do", err, fault.Conflict, "idempotency_key_lost")
	})
}

// Where the key cannot be given back it lapses.
func TestReleaseFails(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.fakes.Fail("Once.Release", porttest.Before)
		_, _, err := w.ask(t.Context(), request("key", "a"), 0, errBroken)
		if !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		w.fakes.Fail("Once.Extend", porttest.Before)
		_, _, err = w.ask(t.Context(), request("key", "a"), once.LeaseTime, nil)
		check.OK(t, "Do after that", err)
		w.fakes.Fail("Once.Complete", porttest.After)
		_, _, err = w.ask(t.Context(), request("second", "a"), 0, nil)
		check.Kind(t, "Complete whose answer is lost", err, fault.Unavailable)
		w.want(t, "again", request("second", "a"), false, 2)
	})
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{"k": true, "": false, strings.Repeat("é", 255): true, strings.Repeat("é", 256): false,
		"a\tb": false, "a b": true, "\xff": false, `"quoted"`: true, "a\u0085b": false} {
		err := once.CheckName(name)
		if (err == nil) != good {
			t.Errorf("%q: got %v", name, err)
		}
		if !good && (fault.Of(err).Fields[0].Field != "Idempotency-Key" || !fault.Is(err, fault.Invalid)) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestOldKind(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.want(t, "old", request("old", "a"), true, 1)
		time.Sleep(once.Keep + time.Minute)
		w.want(t, "young", request("young", "a"), true, 2)
		kind := once.OldKind(w.fakes.Once, time.Now)
		var old []string
		for id, err := range kind.Old(t.Context(), time.Now().Add(-kind.Age)) {
			check.OK(t, "Old", err)
			old = append(old, id)
		}
		check.Same(t, "old keys", len(old), 1)
		check.OK(t, "Delete", kind.Delete(t.Context(), old))
		w.want(t, "old, removed", request("old", "b"), true, 3)
	})
}
