package porttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

func someSession(id string, user account.User) account.Session {
	return account.Session{ID: id, UserID: user.ID, RefreshHash: "hash of " + id, Created: moment(10),
		Expires: time.Date(2098, 1, 2, 3, 4, 5, 678901000, seoul)}
}

func storedSession(s account.Session) account.Session {
	s.Created, s.Expires, s.Revoked = s.Created.UTC(), s.Expires.UTC(), s.Revoked.UTC()
	return s
}

func addSession(t *testing.T, s Stores, v account.Session) account.Session {
	t.Helper()
	check.OK(t, "AddSession", s.Sessions.AddSession(t.Context(), v))
	return storedSession(v)
}

func wantSession(t *testing.T, s Stores, want account.Session) {
	t.Helper()
	got, err := s.Sessions.Session(t.Context(), want.ID)
	check.OK(t, "Session "+want.ID, err)
	same(t, "Session "+want.ID, got, want)
}

// Sessions is the suite of account.Sessions.
func Sessions(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("AddSession and Session", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		first, second := addSession(t, s, someSession("S1", ann)), addSession(t, s, someSession("S2", bob))
		wantSession(t, s, first)
		wantSession(t, s, second)
		_, err := s.Sessions.Session(t.Context(), "S3")
		check.Kind(t, "Session of another ID", err, fault.NotFound)
		_, err = s.Sessions.Session(t.Context(), "")
		check.Kind(t, "Session of no ID", err, fault.NotFound)
	})

	t.Run("a new session removes no live one", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		live := addSession(t, s, someSession("live", ann))
		lapsed := someSession("lapsed", bob)
		lapsed.Expires = moment(20)
		lapsed = addSession(t, s, lapsed)
		next := someSession("next", ann)
		next.Created = moment(30)
		addSession(t, s, next)
		wantSession(t, s, live)
		wantSession(t, s, lapsed) // somebody else's
	})

	t.Run("UpdateSession", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		v, other := addSession(t, s, someSession("S1", ann)), addSession(t, s, someSession("S2", bob))
		want := v
		want.RefreshHash, want.Expires, want.Revoked = "next", moment(50).UTC(), moment(40).UTC()
		got, err := s.Sessions.UpdateSession(t.Context(), "S1", func(w *account.Session) error {
			same(t, "what change is given", *w, v)
			*w = want
			w.ID, w.Created = "S2", moment(99) // neither can be changed
			return nil
		})
		check.OK(t, "UpdateSession", err)
		same(t, "UpdateSession", got, want)
		wantSession(t, s, want) // revoked ones too
		wantSession(t, s, other)
		_, err = s.Sessions.UpdateSession(t.Context(), "S3", func(*account.Session) error { return nil })
		check.Kind(t, "UpdateSession of another ID", err, fault.NotFound)
	})

	t.Run("an error from change leaves the row", func(t *testing.T) {
		s := open(t)
		v := addSession(t, s, someSession("S1", addUser(t, s, "ann")))
		stop := errors.New("stop")
		_, err := s.Sessions.UpdateSession(t.Context(), "S1", func(w *account.Session) error { w.RefreshHash = "next"; return stop })
		if err != stop { //nolint:errorlint // the contract: as it is
			t.Errorf("got error %v, want the very one of change", err)
		}
		wantSession(t, s, v)
	})

	t.Run("one of many exchanges a token", func(t *testing.T) {
		s := open(t)
		v := addSession(t, s, someSession("S1", addUser(t, s, "ann")))
		used := fault.New(fault.Stale, "used", "It was used.")
		oneOK(t, "UpdateSession", race(racers, func(i int) error {
			_, err := s.Sessions.UpdateSession(t.Context(), "S1", func(w *account.Session) error {
				if w.RefreshHash != v.RefreshHash {
					return used
				}
				w.RefreshHash = fmt.Sprint("next", i)
				return nil
			})
			return err
		}), fault.Stale)
	})

	t.Run("RevokeSessions", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		first, kept := addSession(t, s, someSession("S1", ann)), addSession(t, s, someSession("S2", ann))
		others := addSession(t, s, someSession("S3", bob))
		ended := someSession("S4", ann)
		ended.Revoked = moment(11)
		ended = addSession(t, s, ended)

		check.OK(t, "RevokeSessions", s.Sessions.RevokeSessions(t.Context(), ann.ID, "S2", moment(60)))
		first.Revoked = moment(60).UTC()
		wantSession(t, s, first)
		wantSession(t, s, kept)
		wantSession(t, s, others)
		wantSession(t, s, ended) // it was not live, so its time stays

		check.OK(t, "RevokeSessions again", s.Sessions.RevokeSessions(t.Context(), ann.ID, "", moment(70)))
		kept.Revoked = moment(70).UTC()
		wantSession(t, s, first)
		wantSession(t, s, kept)
		wantSession(t, s, others)
		check.OK(t, "RevokeSessions of nobody", s.Sessions.RevokeSessions(t.Context(), 4711, "", moment(80)))
	})
}
