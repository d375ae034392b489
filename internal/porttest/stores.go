// Package porttest holds one contract suite for each port of the domain, and judging in-memory fakes of all of them.
//
// A suite pins what the comments of its port promise. An adapter's test opens the adapter and calls the suite; the
// fakes pass the same suites, so that what is tested on them holds on the adapters too. A fake also judges its caller:
// it fails the test where rows are written before the bytes they name, a revision is overwritten, or something is
// removed while it is still named.
package porttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/check"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Stores are the ports that a metadata store and a document store serve. The suites of Sessions, Keys and Settings need Users
// too, that of Catalog needs Users, and those of Runs and Index need Users, Catalog and Runs; with Contents they add the
// contents that runs name. The rest may be nil.
type Stores struct {
	Users    account.Users
	Sessions account.Sessions
	Keys     account.Keys
	Catalog  document.Catalog
	Runs     recognition.Runs
	Contents recognition.Contents
	Jobs     job.Jobs // its suite needs Users, Catalog and Runs
	Hooks    webhook.Hooks
	Index    recognition.Index
	Feed     recognition.Feed // its suite needs Users and Catalog
	Settings recognition.UserSettings
	Once     once.Keys   // its suite needs Users, Catalog, Runs and Jobs
	Limits   limit.Users // its suite needs Users, Catalog and Jobs
}

// racers is how many goroutines a suite lets loose on one row.
const racers = 20

// seoul is a zone other than UTC, so that a store which forgets to convert is seen.
var seoul = time.FixedZone("KST", 9*60*60)

// moment is a time with all the digits that stores keep, n seconds after some start.
func moment(n int) time.Time {
	return time.Date(2026, time.March, 1, 8, 30, n, 123456*int(time.Microsecond), seoul)
}

// diff compares a value with what a store should have made of it: times in UTC and exact, empty slices like nil ones.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b time.Time) bool {
		return a.Equal(b) && a.Location() == b.Location()
	}))
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// race calls f in n goroutines that begin together, and returns their errors.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

func allOK(t *testing.T, what string, errs []error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Errorf("%s %d: %v", what, i, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// oneOK checks that one error is nil and all others are of the kind.
func oneOK(t *testing.T, what string, errs []error, kind fault.Kind) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		check.Kind(t, what, err, kind)
	}
	if won != 1 {
		t.Errorf("%s: %d won, want 1", what, won)
	}
}

func someUser(name string) account.User {
	return account.User{Name: name, Email: name + "@example.org", PasswordHash: "hash of " + name, Created: moment(0)}
}

func addUser(t *testing.T, s Stores, name string) account.User {
	t.Helper()
	u, err := s.Users.Add(t.Context(), someUser(name))
	check.OK(t, "Users.Add of "+name, err)
	return u
}

func resign(t *testing.T, s Stores, id int64) {
	t.Helper()
	_, err := s.Users.Update(t.Context(), id, func(u *account.User) error {
		u.Name, u.Email, u.PasswordHash, u.Role = "", "", "", ""
		return nil
	})
	check.OK(t, "Users.Update to resign", err)
}

func someImage(owner account.User, name string) document.Image {
	return document.Image{
		Number:   1,
		Geometry: document.Geometry{MediaType: "image/png", Width: 800, Height: 600, Pages: 1},
		Name:     name, Size: 12345, SHA256: strings.Repeat("0f", 32), Visibility: document.Private,
		Owner: account.Ref{ID: owner.ID}, Original: "original-blob", Thumbnail: "thumbnail-blob", Created: moment(1),
	}
}

// addPages adds the images of one document and returns the first.
func addPages(t *testing.T, s Stores, pages ...document.Image) (document.Image, error) {
	firsts, err := s.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, pages)
	if err != nil {
		return document.Image{}, err
	}
	return firsts[0], nil
}

func addImage(t *testing.T, s Stores, i document.Image) document.Image {
	t.Helper()
	i, err := addPages(t, s, i)
	check.OK(t, "Catalog.Add", err)
	return i
}

// allOld returns the names that an Old gives, sorted.
func allOld(t *testing.T, old iter.Seq2[string, error]) (names []string) {
	t.Helper()
	for name, err := range old {
		check.OK(t, "Old", err)
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wantGone checks that an Old for somebody who has gone away ends, with the error of the context.
func wantGone(t *testing.T, old func(context.Context, time.Time) iter.Seq2[string, error], before time.Time) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range old(ctx, before) {
		if n++; !errors.Is(err, context.Canceled) || n > 1 {
			t.Errorf("Old for nobody: got error %v, want that of the context, once", err)
		}
	}
	same(t, "turns of an Old for nobody", n, 1)
}

// contentID makes the n-th of IDs of the form that the domain gives to contents.
func contentID(n int) string { return fmt.Sprintf("content%019d", n) }

func someRun(image document.Image, user account.User, contents ...int) recognition.Run {
	r := recognition.Run{ImageID: image.ID, User: account.Ref{ID: user.ID}, Created: moment(2), Lang: []string{"kor", "eng"},
		Shape: recognition.ShapeBlock, Mode: 1, Engine: "tesseract 5.3.0"}
	for _, n := range contents {
		r.ContentIDs = append(r.ContentIDs, contentID(n))
	}
	return r
}

// appendRun appends a run, and before it the contents that it names where the stores keep them.
func appendRun(ctx context.Context, s Stores, r recognition.Run) (recognition.Run, error) {
	if err := addEmpty(ctx, s, r.ContentIDs); err != nil {
		return recognition.Run{}, err
	}
	return s.Runs.Append(ctx, r)
}

// extendRun extends a run, and before that adds the contents that it is to have where the stores keep them.
func extendRun(ctx context.Context, s Stores, imageID int64, version int, contents []int,
	change func(*recognition.Run, int) error) (recognition.Run, error) {
	var ids []string
	for _, n := range contents {
		ids = append(ids, contentID(n))
	}
	if err := addEmpty(ctx, s, ids); err != nil {
		return recognition.Run{}, err
	}
	return s.Runs.Extend(ctx, imageID, version, moment(3), change)
}

// addEmpty adds contents that say nothing, where the stores keep contents and have them not yet.
func addEmpty(ctx context.Context, s Stores, ids []string) error {
	if s.Contents == nil || len(ids) == 0 {
		return nil
	}
	there, err := s.Contents.Get(ctx, ids)
	if err != nil || len(there) > 0 {
		return err
	}
	var contents []recognition.Content
	for _, id := range ids {
		contents = append(contents, recognition.Content{ID: id, Revision: 1})
	}
	return s.Contents.Add(ctx, contents)
}

func addRun(t *testing.T, s Stores, r recognition.Run) recognition.Run {
	t.Helper()
	r, err := appendRun(t.Context(), s, r)
	check.OK(t, "Runs.Append", err)
	return r
}
