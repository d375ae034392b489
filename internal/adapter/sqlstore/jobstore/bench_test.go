package jobstore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/porttest/mariadbtest"
)

// BenchmarkJob looks up as many images as a job may have, and adds the job, which are what making one takes.
func BenchmarkJob(b *testing.B) {
	for name, source := range map[string]func(b testing.TB) string{
		"SQLite":  func(b testing.TB) string { return filepath.Join(b.TempDir(), "glyphbox.db") },
		"MariaDB": mariadbtest.Database,
	} {
		b.Run(name, func(b *testing.B) { benchJob(b, source(b)) })
	}
}

func benchJob(b *testing.B, source string) {
	ctx := b.Context()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	db, err := sqlstore.Open(ctx, source)
	must(err)
	defer db.Close()
	u, err := db.Users().Add(ctx, account.User{Name: "ann", Email: "ann@example.org", Created: time.Now()})
	must(err)
	pages := make([]document.Image, job.MaxItems/50)
	for n := range pages {
		pages[n] = document.Image{Number: n + 1, Name: "page",
			Geometry: document.Geometry{MediaType: "image/png", Width: 800, Height: 600, Pages: len(pages)},
			Owner:    account.Ref{ID: u.ID}, Original: "original", Created: time.Now()}
	}
	var ids []int64
	for range 50 {
		firsts, err := db.Catalog().Add(ctx, once.Claim{}, limit.Limits{}, pages)
		must(err)
		for i := range pages {
			ids = append(ids, firsts[0].ID+int64(i))
		}
	}
	jobs := jobstore.New(db.DB)
	b.Run("looked up", func(b *testing.B) {
		for b.Loop() {
			images, err := db.Catalog().ByIDs(ctx, ids)
			must(err)
			if len(images) != len(ids) {
				b.Fatalf("%d images", len(images))
			}
		}
	})
	n := 0
	b.Run("added", func(b *testing.B) {
		for b.Loop() {
			n++
			must(jobs.Add(ctx, job.Job{ID: fmt.Sprintf("job%05d", n), User: account.Ref{ID: u.ID}, State: job.Queued, Created: time.Now(),
				Count: job.Count{Total: len(ids), Queued: len(ids)}}, limit.Limits{}, ids))
		}
	})
}
