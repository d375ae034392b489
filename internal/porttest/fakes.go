package porttest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
)

// Fakes are in-memory fakes of all ports that share one memory. They fail the test when their caller does what would hurt
// on real stores: names bytes or contents that are not there, removes what is still named, skips a revision, leaves a
// reader open, or counts on a change being called once. Safe for concurrent use.
type Fakes struct {
	Stores
	Blobs     document.Blobs
	Staging   *document.Staging
	Files     document.Files // what is in Blobs, what is in Staging, and what FileOf made
	Imager    document.Imager
	Engine    recognition.Engine
	Exporter  recognition.Exporter
	Tokens    account.Tokens
	Passwords account.Passwords
	Seals     document.Seals

	*memory
}

// NewFakes makes empty fakes that judge what the test does to them.
func NewFakes(t testing.TB) *Fakes {
	f := newFakes(t)
	t.Cleanup(func() { f.finish() })
	return f
}

// newFakes makes fakes that judge nothing where judge is nil, for suites, which do on purpose what no caller should.
func newFakes(judge testing.TB) *Fakes {
	m := &memory{
		feeds: map[int64][]recognition.Event{}, watchers: map[string]fakeWatcher{},
		judge: judge, faults: map[string][]Mode{}, meanwhile: map[string]func(){},
		users: map[int64]account.User{}, sessions: map[string]account.Session{}, keys: map[string]account.Key{},
		given:  map[int64][]int64{},
		images: map[int64]document.Image{}, runs: map[int64][]recognition.Run{}, entries: map[string]fakeEntry{}, counted: map[int64]bool{},
		contents: map[string][]recognition.Content{}, deleted: map[string]time.Time{}, settings: map[int64]recognition.Settings{},
		blobs: map[string][]byte{},
		kept:  map[string]time.Time{},
		jobs:  map[string]*storedJob{},
		hooks: map[int64]webhook.Hook{}, deliveries: map[string]storedDelivery{},
		requests: map[string]once.Key{},
		limits:   map[int64]limit.Own{}, added: map[int64][]limit.Added{},
		languages: []string{"eng", "kor"},
		suggests:  map[document.Box][]string{},
		says:      map[document.Box]string{}, readBy: map[document.Box]string{}, failures: map[document.Box]fault.Failure{},
	}
	staging := &document.Staging{Blobs: fakeBlobs{m}}
	m.files = Files(staging)
	return &Fakes{
		Stores: Stores{Users: fakeUsers{m}, Sessions: fakeSessions{m}, Keys: fakeKeys{m}, Catalog: fakeCatalog{m}, Runs: fakeRuns{m},
			Contents: fakeContents{m}, Jobs: fakeJobs{m}, Hooks: fakeHooks{m}, Index: fakeIndex{m}, Settings: fakeSettings{m},
			Once: fakeOnce{m}, Feed: fakeFeed{m}, Limits: fakeLimits{m}},
		Blobs: fakeBlobs{m}, Staging: staging, Files: m.files, Imager: fakeImager{m}, Engine: fakeEngine{m}, Exporter: fakeExporter{m},
		Tokens: newFakeTokens(), Passwords: fakePasswords{m},
		Seals: newFakeSeals(), memory: m,
	}
}

// Mode says what an injected fault does.
type Mode string

// The modes of injected faults.
const (
	Before Mode = "before" // it fails and nothing has happened
	After  Mode = "after"  // it has happened, and yet it is told to have failed
)

// ErrInjected is the error of injected faults, such as a store gives that is away.
var ErrInjected = fault.New(fault.Unavailable, "injected", "The store is away.")

// memory is what the fakes share.
type memory struct {
	judge testing.TB

	mu        sync.Mutex
	calls     []string
	faults    map[string][]Mode
	meanwhile map[string]func()
	readers   int // open ones

	lastID   int64 // of users, images and sign-ins
	users    map[int64]account.User
	logins   []account.Login
	sessions map[string]account.Session
	keys     map[string]account.Key
	images   map[int64]document.Image
	given    map[int64][]int64                // readers of documents
	runs     map[int64][]recognition.Run      // by image; version n at n-1
	contents map[string][]recognition.Content // by ID; revision n at n-1
	settings map[int64]recognition.Settings
	deleted  map[string]time.Time // since when, contents that are marked so
	blobs    map[string][]byte
	kept     map[string]time.Time // since when, blobs and contents
	jobs     map[string]*storedJob
	requests map[string]once.Key
	hooks    map[int64]webhook.Hook
	limits   map[int64]limit.Own
	added    map[int64][]limit.Added // items of jobs, by user

	deliveries map[string]storedDelivery // to hooks

	announced []recognition.Announcement
	entries   map[string]fakeEntry // of the index, by content
	counted   map[int64]bool       // images whose regions the index has counted

	feeds    map[int64][]recognition.Event // by image, all that ever were
	watchers map[string]fakeWatcher

	files     document.Files
	languages []string
	says      map[document.Box]string
	suggests  map[document.Box][]string // languages
	readBy    map[document.Box]string   // engines
	failures  map[document.Box]fault.Failure
}

// Fail makes the next call of an operation that no earlier Fail concerns fail. The operation is named by port and method:
// "Catalog.Add". That it is never called fails the test.
func (m *memory) Fail(op string, mode Mode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults[op] = append(m.faults[op], mode)
}

// Meanwhile calls f just before the next call of an operation takes effect, as somebody else might who is faster.
func (m *memory) Meanwhile(op string, f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meanwhile[op] = f
}

// Calls returns the operations called so far that changed something or were to, in order, and forgets them.
func (m *memory) Calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

// SetLanguages changes what the engine has installed, eng and kor at first. kor cannot be read in modes 0 and 2.
func (m *memory) SetLanguages(languages ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.languages = languages
}

// Say makes the engine read a text in a region; else it reads "region x1,y1,x2,y2".
func (m *memory) Say(region document.Box, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.says[region] = text
}

// Suggest makes the engine suggest languages for a region, unless it finds them out itself.
func (m *memory) Suggest(region document.Box, lang ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suggests[region] = lang
}

// ReadBy makes a region be read by engines of these names, joined by ", "; else by "fake 1.0".
func (m *memory) ReadBy(region document.Box, engines string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readBy[region] = engines
}

// FailRegion makes the engine fail on a region.
func (m *memory) FailRegion(region document.Box, failure fault.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures[region] = failure
}

// old goes through the names of what is old of a kind.
func old[T any](ctx context.Context, m *memory, op string, all map[string]T, is func(name string, of T) bool) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var names []string
		if err := m.do(ctx, op, func() error {
			for name, of := range all {
				if is(name, of) {
					names = append(names, name)
				}
			}
			return nil
		}); err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// Orphans returns the names of blobs and contents that no row names, sorted.
func (m *memory) Orphans() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.blobs {
		if !m.namesBlob(name) {
			names = append(names, name)
		}
	}
	for id := range m.contents {
		if !m.namesContent(id) {
			names = append(names, id)
		}
	}
	slices.Sort(names)
	return names
}

func (m *memory) namesBlob(name string) bool {
	for _, i := range m.images {
		if i.Original == name || i.Thumbnail == name {
			return true
		}
	}
	return false
}

func (m *memory) namesContent(id string) bool {
	for _, runs := range m.runs {
		for _, r := range runs {
			if slices.Contains(r.ContentIDs, id) {
				return true
			}
		}
	}
	return false
}

func (m *memory) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for op, modes := range m.faults {
		if len(modes) > 0 {
			m.wrong("the fault of %s was never met", op)
		}
	}
	for op := range m.meanwhile {
		m.wrong("what was to happen meanwhile %s never did", op)
	}
	if m.readers != 0 {
		m.wrong("%d readers of blobs were left open", m.readers)
	}
}

// wrong fails the test for what its caller did.
func (m *memory) wrong(format string, args ...any) {
	if m.judge != nil {
		m.judge.Helper()
		m.judge.Errorf(format, args...)
	}
}

// do does the work of one operation as one step, unless the context has ended or a fault is injected.
func (m *memory) do(ctx context.Context, op string, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	meanwhile := m.meanwhile[op]
	delete(m.meanwhile, op)
	var mode Mode
	if modes := m.faults[op]; len(modes) > 0 {
		mode, m.faults[op] = modes[0], modes[1:]
	}
	m.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if mode == Before {
		return ErrInjected
	}
	err := work()
	if err == nil && mode == After {
		err = ErrInjected
	}
	return err
}

// write is do for what changes something.
func (m *memory) write(ctx context.Context, op string, work func() error) error {
	m.mu.Lock()
	m.calls = append(m.calls, op)
	m.mu.Unlock()
	return m.do(ctx, op, work)
}

func (m *memory) nextID() int64 {
	m.lastID++
	return m.lastID
}

// change calls a change of a row as stores may: twice, of which only the second counts.
func change[T any](row func() T, apply func(*T) error) (T, error) {
	v := row()
	if err := apply(&v); err != nil {
		return v, err
	}
	v = row()
	return v, apply(&v)
}

func page[T any](all []T, size, number int) []T {
	from := min(size*number, len(all))
	return slices.Clone(all[from:min(from+size, len(all))])
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// lowerASCII folds the case of ASCII letters only.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// OpenBy has the imager and the engine open files by other means, such as a real store.
func (f *Fakes) OpenBy(files document.Files) { f.Files, f.memory.files = files, files }

func notFound(what string) error {
	return fault.New(fault.NotFound, what+"_not_found", "There is no such %s.", what)
}

type fakeUsers struct{ *memory }

func storedUser(u account.User) account.User {
	u.Created, u.States = micro(u.Created), slices.Clone(u.States)
	for i := range u.States {
		u.States[i].Created = micro(u.States[i].Created)
	}
	slices.SortFunc(u.States, func(a, b account.State) int { return cmp.Compare(a.Name, b.Name) })
	return u
}

func (f fakeUsers) free(u account.User) error {
	for _, v := range f.users {
		switch {
		case v.ID == u.ID:
		case u.Name != "" && lowerASCII(v.Name) == lowerASCII(u.Name):
			return fault.New(fault.Conflict, "name_taken", "The name is taken.").On("name", "another one")
		case u.Email != "" && lowerASCII(v.Email) == lowerASCII(u.Email):
			return fault.New(fault.Conflict, "email_taken", "The e-mail is taken.").On("email", "another one")
		}
	}
	return nil
}

func (f fakeUsers) Add(ctx context.Context, u account.User) (added account.User, err error) {
	err = f.write(ctx, "Users.Add", func() error {
		u.ID = 0
		if err := f.free(u); err != nil {
			return err
		}
		u.ID = f.nextID()
		f.users[u.ID] = storedUser(u)
		added = storedUser(u)
		return nil
	})
	return added, err
}

func (f fakeUsers) ByID(ctx context.Context, id int64) (u account.User, err error) {
	err = f.do(ctx, "Users.ByID", func() error {
		found, ok := f.users[id]
		if !ok {
			return notFound("user")
		}
		u = storedUser(found)
		return nil
	})
	return u, err
}

func (f fakeUsers) ByName(ctx context.Context, name string) (u account.User, err error) {
	err = f.do(ctx, "Users.ByName", func() error {
		for _, found := range f.users {
			if name != "" && lowerASCII(found.Name) == lowerASCII(name) {
				u = storedUser(found)
				return nil
			}
		}
		return notFound("user")
	})
	return u, err
}

func (f fakeUsers) List(ctx context.Context, keyword string, p account.Page) (users []account.User, n int, err error) {
	err = f.do(ctx, "Users.List", func() error {
		has := func(s string) bool { return strings.Contains(folded(s), folded(keyword)) }
		var all []account.User
		for _, u := range f.users {
			if keyword == "" || !u.Resigned() && (has(u.Name) || has(u.Email)) {
				all = append(all, storedUser(u))
			}
		}
		slices.SortFunc(all, func(a, b account.User) int { return cmp.Compare(a.ID, b.ID) })
		users, n = page(all, p.Size, p.Number), len(all)
		return nil
	})
	return users, n, err
}

func (f fakeUsers) Update(ctx context.Context, id int64, apply func(*account.User) error) (u account.User, err error) {
	err = f.write(ctx, "Users.Update", func() error {
		was, ok := f.users[id]
		if !ok {
			return notFound("user")
		}
		v, err := change(func() account.User { return storedUser(was) }, apply)
		if err != nil {
			return err
		}
		v.ID, v.Created = was.ID, was.Created
		if err := f.free(v); err != nil {
			return err
		}
		f.users[id] = storedUser(v)
		u = storedUser(v)
		if u.Resigned() {
			for document := range f.given {
				f.given[document] = slices.DeleteFunc(f.given[document], func(reader int64) bool { return reader == id })
			}
		}
		return nil
	})
	return u, err
}

func (f fakeUsers) AddLogin(ctx context.Context, l account.Login) error {
	return f.write(ctx, "Users.AddLogin", func() error {
		if _, ok := f.users[l.UserID]; !ok {
			f.wrong("a sign-in of user %d, who is not there", l.UserID)
		}
		l.ID, l.Created = f.nextID(), micro(l.Created)
		f.logins = append(f.logins, l)
		return nil
	})
}

func (f fakeUsers) Logins(ctx context.Context, userID int64, p account.Page) (logins []account.Login, n int, err error) {
	err = f.do(ctx, "Users.Logins", func() error {
		var all []account.Login
		for _, l := range f.logins {
			if l.UserID == userID {
				all = append(all, l)
			}
		}
		slices.SortFunc(all, func(a, b account.Login) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
		logins, n = page(all, p.Size, p.Number), len(all)
		return nil
	})
	return logins, n, err
}

type fakeSessions struct{ *memory }

func (f fakeSessions) AddSession(ctx context.Context, s account.Session) error {
	return f.write(ctx, "Sessions.AddSession", func() error {
		if _, ok := f.users[s.UserID]; !ok {
			f.wrong("a session of user %d, who is not there", s.UserID)
		}
		for id, old := range f.sessions {
			if old.UserID == s.UserID && old.Expires.Before(s.Created) {
				delete(f.sessions, id)
			}
		}
		f.sessions[s.ID] = storedSession(s)
		return nil
	})
}

func (f fakeSessions) Session(ctx context.Context, id string) (s account.Session, err error) {
	err = f.do(ctx, "Sessions.Session", func() error {
		found, ok := f.sessions[id]
		if !ok {
			return notFound("session")
		}
		s = found
		return nil
	})
	return s, err
}

func (f fakeSessions) UpdateSession(ctx context.Context, id string, apply func(*account.Session) error) (s account.Session, err error) {
	err = f.write(ctx, "Sessions.UpdateSession", func() error {
		was, ok := f.sessions[id]
		if !ok {
			return notFound("session")
		}
		v, err := change(func() account.Session { return was }, apply)
		if err != nil {
			return err
		}
		v.ID, v.UserID, v.Created = was.ID, was.UserID, was.Created
		f.sessions[id] = storedSession(v)
		s = storedSession(v)
		return nil
	})
	return s, err
}

func (f fakeSessions) RevokeSessions(ctx context.Context, userID int64, except string, at time.Time) error {
	return f.write(ctx, "Sessions.RevokeSessions", func() error {
		for id, s := range f.sessions {
			if s.UserID == userID && id != except && s.Revoked.IsZero() {
				s.Revoked = micro(at)
				f.sessions[id] = s
			}
		}
		return nil
	})
}

type fakeKeys struct{ *memory }

func (f fakeKeys) AddKey(ctx context.Context, k account.Key) error {
	return f.write(ctx, "Keys.AddKey", func() error {
		if _, ok := f.users[k.UserID]; !ok {
			f.wrong("a key of user %d, who is not there", k.UserID)
		}
		k.Created, k.Expires, k.LastUsed = micro(k.Created), micro(k.Expires), micro(k.LastUsed)
		f.keys[k.ID] = k
		return nil
	})
}

func (f fakeKeys) Key(ctx context.Context, id string) (k account.Key, err error) {
	err = f.do(ctx, "Keys.Key", func() error {
		found, ok := f.keys[id]
		if !ok {
			return notFound("key")
		}
		k = found
		return nil
	})
	return k, err
}

func (f fakeKeys) KeysOf(ctx context.Context, userID int64) (keys []account.Key, err error) {
	err = f.do(ctx, "Keys.KeysOf", func() error {
		for _, k := range f.keys {
			if k.UserID == userID {
				keys = append(keys, k)
			}
		}
		slices.SortFunc(keys, func(a, b account.Key) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
		return nil
	})
	return keys, err
}

func (f fakeKeys) UseKey(ctx context.Context, id string, at time.Time) error {
	return f.write(ctx, "Keys.UseKey", func() error {
		if k, ok := f.keys[id]; ok {
			k.LastUsed = micro(at)
			f.keys[id] = k
		}
		return nil
	})
}

func (f fakeKeys) DeleteKey(ctx context.Context, userID int64, id string) error {
	return f.write(ctx, "Keys.DeleteKey", func() error {
		if k, ok := f.keys[id]; !ok || k.UserID != userID {
			return notFound("key")
		}
		delete(f.keys, id)
		return nil
	})
}

func (f fakeKeys) DeleteKeysOf(ctx context.Context, userID int64) error {
	return f.write(ctx, "Keys.DeleteKeysOf", func() error {
		for id, k := range f.keys {
			if k.UserID == userID {
				delete(f.keys, id)
			}
		}
		return nil
	})
}
