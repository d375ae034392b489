package app

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

type killedKeys struct {
	once.Keys
	*killer
}

func (k killedKeys) Begin(ctx context.Context, key once.Key) (begun once.Key, err error) {
	err = k.around("Keys.Begin", func() error { begun, err = k.Keys.Begin(ctx, key); return err })
	return begun, err
}

func (k killedKeys) Complete(ctx context.Context, c once.Claim, more []once.Effect) error {
	return k.around("Keys.Complete", func() error { return k.Keys.Complete(ctx, c, more) })
}

type killedJobs struct {
	job.Jobs
	*killer
}

func (j killedJobs) Add(ctx context.Context, added job.Job, general limit.Limits, images []int64) error {
	return j.around("Jobs.Add", func() error { return j.Jobs.Add(ctx, added, general, images) })
}

// walkOnce has each kind of request with a key done twice: files uploaded, one page of a document read, all of them, regions added and read
// again, and a job. It is begun as long after the one before that claims have lapsed.
func walkOnce(t *testing.T, s *stores, k *killer, accounts *account.Service, images *document.Service, results *recognition.Service) {
	ctx := t.Context()
	u, err := s.db.Users().ByName(ctx, k.User)
	if fault.Is(err, fault.NotFound) {
		u, err = accounts.SignUp(ctx, account.SignUp{Name: k.User, Email: k.User + "@example.org", Password1: password,
			Password2: password})
	}
	check.OK(t, "SignUp", err)
	ann := account.Actor{UserID: u.ID, Name: u.Name, Session: "session"}
	jobs := &job.Service{Jobs: killedJobs{jobstore.New(s.db.DB), k}, Images: images, Engine: results.Engine, Now: time.Now}
	ahead := time.Duration(0)
	if k.Call == 0 {
		ahead = 2 * once.LeaseTime
	}
	keys := &once.Service{Keys: killedKeys{oncestore.New(s.db.DB), k}, Now: func() time.Time { return time.Now().Add(ahead) }}
	do := func(name string, parts bool, make func(context.Context, once.Claim) error) (made []once.Effect) {
		t.Helper()
		for n := range 2 {
			done, again, err := keys.Do(ctx, once.Request{User: ann.UserID, Name: name, Digest: name, Parts: parts},
				func(ctx context.Context, c once.Claim) ([]once.Effect, error) { return nil, make(ctx, c) })
			check.OK(t, name, err)
			if n == 1 && done {
				t.Errorf("%s is done again", name)
			}
			made = again
		}
		return made
	}
	sheets := []image.Image{image.NewGray(image.Rect(0, 0, 40, 30)), image.NewGray(image.Rect(0, 0, 41, 30))}
	scan := porttest.FileOf(append(bytes.Clone(porttest.MultiPageTIFF(sheets...)), ann.Name...))
	page, _, boxes := drawn()
	uploaded := do("upload", false, func(ctx context.Context, c once.Claim) error {
		uploads := []document.Upload{{Name: "a.tiff", File: scan}, {Name: "b.png", File: porttest.FileOf(page)}}
		_, err := images.UploadAll(ctx, ann, uploads, c)
		return err
	})
	scanned, picture := uploaded[0].Image, uploaded[1].Image
	all := recognition.Request{Mode: recognition.BestMode}
	do("pages", true, func(ctx context.Context, c once.Claim) error {
		request := all
		request.Once = c
		for y := range 8 { // so that one page is read after the other
			request.Regions = append(request.Regions, recognition.Region{Box: document.Box{X2: 40, Y1: y, Y2: y + 1}})
		}
		_, err := results.RecognizePages(ctx, ann, scanned, nil, request)
		return err
	})
	run := do("run", false, func(ctx context.Context, c once.Claim) error {
		request := all
		request.Regions, request.Once = []recognition.Region{{Box: boxes[0]}}, c
		_, err := results.Recognize(ctx, ann, picture, request)
		return err
	})[0]
	add := func(regions ...recognition.Region) func(context.Context, once.Claim) error {
		return func(ctx context.Context, c once.Claim) error {
			request := all
			request.Regions, request.Into, request.Once = regions, run.Version, c
			_, err := results.Recognize(ctx, ann, picture, request)
			return err
		}
	}
	do("addition", false, add(recognition.Region{Box: boxes[1]}))
	do("reading again", true, add(recognition.Region{Box: boxes[1]}, recognition.Region{Box: boxes[0], Content: run.Contents[0]}))
	do("job", false, func(ctx context.Context, c once.Claim) error {
		_, err := jobs.Submit(ctx, ann, job.Order{Images: []int64{picture}, Request: all, Once: c})
		return err
	})
}

// A request with a key takes effect once, wherever the process is killed.
func TestKilledOnce(t *testing.T) {
	t.Run("SQLite and files", func(t *testing.T) { killedOnce(t, shelfOf(t, Config{DataDir: datadir.Dir(t.TempDir())})) })
	t.Run("MariaDB and MongoDB", func(t *testing.T) {
		killedOnce(t, shelfOf(t, Config{DataDir: datadir.Dir(t.TempDir()), Database: mariadbtest.Database(t), MongoDB: mongotest.URI(t)}))
	})
}

func killedOnce(t *testing.T, s shelf) {
	o := order{Config: s.config, User: "ann", Once: true}
	calls, _ := walkUntilKilled(t, o)
	for _, call := range []string{"Keys.Begin", "Keys.Complete", "Catalog.Add", "Runs.Append", "Runs.Extend", "Contents.Revise",
		"Jobs.Add"} {
		if !slices.Contains(calls, call) {
			t.Fatalf("the walk does not call %s, only %q", call, calls)
		}
	}
	want := s.made(t, o.User)
	at := s.places(calls)
	for n, call := range calls {
		for _, w := range at[n] {
			t.Run(fmt.Sprintf("%s %02d %s", w, n+1, call), func(t *testing.T) {
				killed := o
				killed.User, killed.Call, killed.When = fmt.Sprintf("ann%d%s", n+1, w), n+1, w
				walkUntilKilled(t, killed)
				killed.Call = 0
				walkUntilKilled(t, killed)
				if d := cmp.Diff(want, s.made(t, killed.User)); d != "" {
					t.Errorf("what is there of the user (-want +got):\n%s", d)
				}
			})
		}
	}
	opened, err := openStores(t.Context(), s.config)
	check.OK(t, "openStores", err)
	defer opened.Close()
	sweepLater(t, opened)
	s.wantNothingLeft(t)
}

// made is how many rows there are of a user, by table.
func (s shelf) made(t *testing.T, user string) string {
	t.Helper()
	var counts []string
	for _, table := range []string{"image", "ocr_run", "ocr", "job", "request_key"} {
		counts = append(counts, s.column(t, `SELECT COUNT(*) FROM `+table+` JOIN user ON user.id = `+table+`.user_id WHERE user.name = '`+
			user+`'`)[0]+" "+table)
	}
	return fmt.Sprint(counts)
}
