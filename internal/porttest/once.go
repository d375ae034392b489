package porttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// Once is the suite of once.Keys, and of what other stores note.
func Once(t *testing.T, open func(t *testing.T) Stores) {
	begin := func(t *testing.T, s Stores, k once.Key) once.Key {
		t.Helper()
		got, err := s.Once.Begin(t.Context(), k)
		check.OK(t, "Begin", err)
		return got
	}
	start := func(t *testing.T) (Stores, once.Key) {
		s := open(t)
		ann := addUser(t, s, "ann")
		return s, once.Key{ID: "key", User: ann.ID, Request: "request", HeldBy: "first", Created: moment(1).UTC(), Until: moment(10).UTC()}
	}
	claim := func(k once.Key) once.Claim { return once.Claim{ID: k.ID, By: k.HeldBy} }
	another := func(k once.Key, at int) once.Key {
		k.HeldBy, k.Created, k.Until = "second", moment(at).UTC(), moment(at+10).UTC()
		return k
	}

	t.Run("one of many at once begins", func(t *testing.T) {
		s, k := start(t)
		oneOK(t, "Begin", race(racers, func(i int) error {
			mine := k
			mine.HeldBy = fmt.Sprint("holder ", i)
			got, err := s.Once.Begin(t.Context(), mine)
			if err == nil && got.HeldBy != mine.HeldBy {
				return once.ErrLost
			}
			return err
		}), fault.Conflict)
	})

	t.Run("a key that is held stays so until it lapses", func(t *testing.T) {
		s, k := start(t)
		same(t, "Begin", begin(t, s, k), k)
		same(t, "Begin of another", begin(t, s, another(k, 10)).HeldBy, "first")
		check.OK(t, "Extend", s.Once.Extend(t.Context(), claim(k), moment(20)))
		same(t, "Begin after it was prolonged", begin(t, s, another(k, 20)).HeldBy, "first")
		other := another(k, 21)
		other.Request = "other"
		same(t, "Begin of another request", begin(t, s, other).Request, "request")
		same(t, "Begin after it has lapsed", begin(t, s, another(k, 21)).HeldBy, "second")
		check.Code(t, "Extend of who lost it", s.Once.Extend(t.Context(), claim(k), moment(90)), fault.Conflict, "idempotency_key_lost")
		check.Kind(t, "Complete of who lost it", s.Once.Complete(t.Context(), claim(k), nil), fault.Conflict)
		check.OK(t, "Release of who lost it", s.Once.Release(t.Context(), claim(k)))
		same(t, "Begin after that", begin(t, s, k).HeldBy, "second")
		check.OK(t, "Release", s.Once.Release(t.Context(), claim(another(k, 21))))
		same(t, "Begin after Release", begin(t, s, k).HeldBy, "first")
	})

	t.Run("a key is known as long as it is there", func(t *testing.T) {
		s, k := start(t)
		known := func(what string, after int, want bool) {
			t.Helper()
			got, err := s.Once.Known(t.Context(), k.ID, moment(after))
			check.OK(t, "Known", err)
			same(t, "Known "+what, got, want)
		}
		known("before it is there", 0, false)
		begin(t, s, k)
		known("while it is held", 0, true)
		known("once it is too old", 1, false)
		check.OK(t, "Complete", s.Once.Complete(t.Context(), claim(k), nil))
		known("once it is done", 0, true)
		check.OK(t, "Remove", s.Once.Remove(t.Context(), []string{k.ID}, moment(2)))
		known("once it is removed", 0, false)
	})

	t.Run("what is made is noted with it, or it is not made", func(t *testing.T) {
		s, k := start(t)
		ann, err := s.Users.ByID(t.Context(), k.User)
		check.OK(t, "ByID", err)
		image := addImage(t, s, someImage(ann, "page"))
		makes := map[string]func(t *testing.T, c once.Claim, n int) (once.Effect, error){
			"image": func(t *testing.T, c once.Claim, _ int) (once.Effect, error) {
				firsts, err := s.Catalog.Add(t.Context(), c, limit.Limits{}, []document.Image{someImage(ann, "a")})
				if err != nil {
					return once.Effect{}, err
				}
				return once.Effect{Image: firsts[0].ID}, nil
			},
			"run": func(t *testing.T, c once.Claim, n int) (once.Effect, error) {
				r := someRun(image, ann, n)
				r.Note = c.Note(once.Effect{Image: image.ID, Contents: r.ContentIDs})
				r, err := appendRun(t.Context(), s, r)
				return once.Effect{Image: image.ID, Version: r.Version, Contents: r.ContentIDs}, err
			},
			"job": func(t *testing.T, c once.Claim, n int) (once.Effect, error) {
				j := someJob(ann, n, 2)
				j.Note = c.Note(once.Effect{Job: j.ID})
				return once.Effect{Job: j.ID}, s.Jobs.Add(t.Context(), j, limit.Limits{}, []int64{1, 2})
			},
			"addition to a run": func(t *testing.T, c once.Claim, n int) (once.Effect, error) {
				e := once.Effect{Image: image.ID, Contents: []string{contentID(n), "another"}}
				r, err := extendRun(t.Context(), s, image.ID, addRun(t, s, someRun(image, ann, 1000+n)).Version, []int{n},
					func(r *recognition.Run, _ int) error {
						r.ContentIDs, r.Note = append(r.ContentIDs, contentID(n)), c.Note(e)
						return nil
					})
				e.Version = r.Version
				return e, err
			},
		}
		n := 0
		for name, makeOne := range makes {
			n += 10
			k := k
			k.ID = name
			begin(t, s, k)
			part := claim(k)
			part.Part = true
			first, err := makeOne(t, part, n+1)
			check.OK(t, name, err)
			got := begin(t, s, another(k, 11))
			same(t, name+", a part", got.Made, []once.Effect{first})
			same(t, name+", taken over", got.HeldBy, "second")
			if _, err := makeOne(t, claim(k), n+2); !errors.Is(err, once.ErrLost) {
				t.Errorf("%s: got error %v for a claim that was lost, want ErrLost", name, err)
			}
			check.OK(t, "Release", s.Once.Release(t.Context(), claim(got)))
			got = begin(t, s, another(k, 12)) // what is noted stays, and it need not lapse
			same(t, name+", released", got.Made, []once.Effect{first})
			second, err := makeOne(t, claim(got), n+3)
			check.OK(t, name, err)
			got = begin(t, s, another(k, 90))
			same(t, name+", complete", got.Made, []once.Effect{first, second})
			same(t, name+", done", got.Done, true)
			if _, err := makeOne(t, claim(got), n+4); !errors.Is(err, once.ErrLost) {
				t.Errorf("%s: got error %v for a key that is done, want ErrLost", name, err)
			}
			check.OK(t, "Release", s.Once.Release(t.Context(), claim(got)))
			same(t, name+", after Release of what is done", len(begin(t, s, another(k, 99)).Made), 2)
		}
	})

	t.Run("several documents are added as one", func(t *testing.T) {
		s, k := start(t)
		ann, err := s.Users.ByID(t.Context(), k.User)
		check.OK(t, "ByID", err)
		begin(t, s, k)
		firsts, err := s.Catalog.Add(t.Context(), claim(k), limit.Limits{}, []document.Image{someImage(ann, "a")},
			[]document.Image{someImage(ann, "b")})
		check.OK(t, "Add", err)
		same(t, "made", begin(t, s, k).Made, []once.Effect{{Image: firsts[0].ID}, {Image: firsts[1].ID}})
		wrong := someImage(ann, "d")
		wrong.Owner.ID += 100
		_, err = s.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, []document.Image{wrong}, []document.Image{someImage(ann, "c")})
		check.Kind(t, "Add for nobody", err, fault.NotFound)
		same(t, "images", listed(t, s, document.Query{Size: 10}, 2), []string{"b", "a"})
	})

	t.Run("the rest may be noted at the end", func(t *testing.T) {
		s, k := start(t)
		begin(t, s, k)
		rest := []once.Effect{{Image: 7, Code: "too_small", Detail: "β"}}
		check.OK(t, "Complete", s.Once.Complete(t.Context(), claim(k), rest))
		got := begin(t, s, another(k, 90))
		same(t, "made", got.Made, rest)
		same(t, "done", got.Done, true)
	})

	t.Run("keys are kept for a day", func(t *testing.T) {
		s, k := start(t)
		for n := range 3 {
			k := k
			k.ID, k.Created = fmt.Sprint("key", n), k.Created.Add(time.Duration(n)*time.Hour)
			begin(t, s, k)
			check.OK(t, "Complete", s.Once.Complete(t.Context(), claim(k), []once.Effect{{Job: "j"}}))
		}
		same(t, "old keys", allOld(t, s.Once.Old(t.Context(), k.Created.Add(time.Hour+time.Second))), []string{"key0", "key1"})
		check.OK(t, "Remove", s.Once.Remove(t.Context(), []string{"key0", "key1", "key2", "none"}, k.Created.Add(time.Minute)))
		same(t, "keys left", allOld(t, s.Once.Old(t.Context(), k.Created.Add(once.Keep))), []string{"key1", "key2"})
		later := another(k, 1)
		later.ID, later.Request, later.Created = "key1", "other", k.Created.Add(time.Hour).Add(once.Keep)
		same(t, "Begin after a day", begin(t, s, later).Request, "request")
		later.Created, later.Until = later.Created.Add(time.Second), later.Created.Add(time.Minute)
		got := begin(t, s, later)
		same(t, "Begin later", got, later)
		wantGone(t, s.Once.Old, moment(0))
	})

	t.Run("a long list of old keys", func(t *testing.T) {
		s, k := start(t)
		for n := range 1001 {
			k := k
			k.ID, k.Created = fmt.Sprint("key", n), k.Created.Add(time.Duration(n/3)*time.Second)
			begin(t, s, k)
		}
		same(t, "old keys", len(allOld(t, s.Once.Old(t.Context(), moment(1).Add(time.Hour)))), 1001)
	})
}
