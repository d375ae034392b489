package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
)

// vocabulary makes texts of regions: Hangul words, Latin words and amounts, some of them frequent, as in a language.
type vocabulary struct {
	*rand.Rand
	hangul, latin []string
	ofHangul      *rand.Zipf // which word
	ofLatin       *rand.Zipf
}

func newVocabulary() vocabulary {
	v := vocabulary{Rand: rand.New(rand.NewPCG(1, 2))}
	syllables := make([]rune, 800)
	syllable, letter := v.zipf(len(syllables)), v.zipf(26)
	for n := range syllables {
		syllables[n] = rune(0xac00 + v.IntN(11172))
	}
	for range 30_000 {
		word := make([]rune, 2+v.IntN(4))
		for n := range word {
			word[n] = syllables[syllable.Uint64()]
		}
		v.hangul = append(v.hangul, string(word))
	}
	for range 20_000 {
		word := make([]byte, 2+v.IntN(9))
		for n := range word {
			word[n] = "etaoinshrdlucmfwypvbgkjqxz"[letter.Uint64()]
		}
		v.latin = append(v.latin, string(word))
	}
	v.ofHangul, v.ofLatin = v.zipf(len(v.hangul)), v.zipf(len(v.latin))
	return v
}

// zipf gives numbers below n, small ones more often.
func (v vocabulary) zipf(n int) *rand.Zipf { return rand.NewZipf(v.Rand, 1.1, 10, uint64(n-1)) }

func (v vocabulary) text() string {
	var words []string
	for range 3 + v.IntN(12) {
		switch v.IntN(20) {
		case 0, 1, 2, 3:
			words = append(words, v.latin[v.ofLatin.Uint64()])
		case 4, 5:
			words = append(words, fmt.Sprintf("%d,%03d", v.IntN(1000), v.IntN(1000)))
		default:
			words = append(words, v.hangul[v.ofHangul.Uint64()])
		}
	}
	return strings.Join(words, " ")
}

// BenchmarkTextSearch looks for what regions have: words as they come, frequent and rare ones, and their beginnings, for who sees all and
// for who sees 1 %. It tells the 95th percentiles, and the size on the disk by that of the texts.
func BenchmarkTextSearch(b *testing.B) {
	regions := 100_000
	if check.Soak() {
		regions = 1_000_000
	}
	for _, database := range []string{"SQLite", "MariaDB"} {
		b.Run(fmt.Sprintf("%s/%d", database, regions), func(b *testing.B) {
			source := filepath.Join(b.TempDir(), "glyphbox.db")
			if database == "MariaDB" {
				source = mariadbtest.Database(b)
			}
			db := openAt(b, source)
			f := fillIndex(b, db, regions)
			b.Logf("%d regions, %d bytes a text, %v a page of 100 put, %v to make %d regions compact", regions, f.size/regions,
				f.took/time.Duration(regions/100), f.compacting, regions)
			took := map[string][]time.Duration{}
			index := db.Index()
			look := func(kind string, viewer int64, q string) {
				sought, err := recognition.NewSought(index.Fold(q))
				if err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				_, _, err = index.Find(b.Context(), recognition.Lookup{Sought: sought, Viewer: viewer, Limit: 20})
				if err != nil {
					b.Fatal(err)
				}
				took[kind] = append(took[kind], time.Since(start))
			}
			for n := 0; b.Loop(); n++ {
				q := f.queries[n%len(f.queries)]
				first := string([]rune(q)[:1])
				look("all", 0, q)
				look("1%", f.viewer, q)
				look("begin", 0, first)
				look("begin-1%", f.viewer, first)
			}
			for kind, times := range took {
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms-"+kind)
			}
			b.ReportMetric(float64(f.onDisk(b, db, source))/float64(f.size), "size/text")
		})
	}
}

type searched struct {
	viewer  int64 // who sees 1 %
	queries []string
	size    int           // bytes of all texts
	took    time.Duration // to put all of them
	// to make them compact
	compacting time.Duration
}

// fillIndex puts regions of 100 users into the index, a page of 100 of them at once.
func fillIndex(b *testing.B, db *DB, regions int) (f searched) {
	b.Helper()
	ctx := b.Context()
	var users []int64
	for n := range 100 {
		users = append(users, addUser(b, db, fmt.Sprint("user", n)).ID)
	}
	f.viewer = users[7]
	v := newVocabulary()
	for n := range regions / 100 {
		image, err := addOne(ctx, db, someImage(users[n%100], "page"))
		check.OK(b, "Add", err)
		run := recognition.Run{ImageID: image.ID, User: account.Ref{ID: users[n%100]}, Created: created}
		var contents []recognition.Content
		for k := range 100 {
			c := recognition.Content{ID: fmt.Sprintf("%026d-%05d", n, k), Revision: 1, Reading: recognition.Reading{Text: v.text()}}
			f.size += len(c.Text)
			contents, run.ContentIDs = append(contents, c), append(run.ContentIDs, c.ID)
			if words := strings.Fields(c.Text); k%10 == 0 && len(f.queries) < 1000 {
				f.queries = append(f.queries, words[v.IntN(len(words))])
			}
		}
		_, err = db.Runs().Append(ctx, run)
		check.OK(b, "Append", err)
		start := time.Now()
		check.OK(b, "Put", db.Index().Put(ctx, 0, image.ID, contents))
		f.took += time.Since(start)
		if n%50 == 49 { // as a service does that is much used
			start := time.Now()
			check.OK(b, "Compact", db.Index().Compact(ctx))
			f.compacting += time.Since(start)
		}
	}
	return f
}

// onDisk returns how many bytes the tables of the index take.
func (f searched) onDisk(b *testing.B, db *DB, source string) (bytes int) {
	b.Helper()
	query := `SELECT SUM(pgsize) FROM dbstat WHERE name LIKE 'text_%' OR name LIKE 'sqlite_autoindex_text_%'`
	if _, err := os.Stat(source); err != nil {
		query = `SELECT SUM(file_size) FROM information_schema.innodb_sys_tablespaces WHERE name LIKE CONCAT(DATABASE(), '/text_%')`
	}
	if err := db.Update(context.WithoutCancel(b.Context()), func(tx *sql.Tx) error {
		return tx.QueryRowContext(b.Context(),
			query).Scan(&bytes)
	}); err != nil {
		b.Fatal(err)
	}
	return bytes
}
