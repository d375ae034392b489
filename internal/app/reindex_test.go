package app

import (
	"database/sql"
	"path/filepath"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest/check"
)

func TestReindex(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	ann := s.signUp("ann")
	png, _, boxes := drawn()
	image := ann.upload("영수증.png", png)
	read, err := ann.client().Recognize(t.Context(), image.ID, api.Request{Regions: []api.Region{{Box: api.Box(boxes[0])},
		{Box: api.Box(boxes[2])}}})
	check.OK(t, "Recognize", err)
	find := func(who person, q, want string) {
		t.Helper()
		hits, next, err := who.client().Search(t.Context(), api.SearchQuery{Text: q})
		check.OK(t, "Search", err)
		if len(hits) != 1 || next != 0 || hits[0].ImageID != image.ID || hits[0].ContentID != want {
			t.Errorf("%s: got %+v and next %d, want %s", q, hits, next, want)
		}
	}
	all := func(who person) {
		t.Helper()
		find(who, "invo 1742", read.Contents[0].ID)
		find(who, "1250.00", read.Contents[1].ID)
		find(who, "수증", "")
	}
	all(ann)
	command(t, "", "reindex", "--data-dir", dir).want(t, exitOK, "Indexed the texts of 1 pages.")
	all(ann)
	s.stop()
	s.wait()

	// A database of an earlier release, of which nothing is indexed, and one where something broke off.
	db, err := sql.Open("sqlite", filepath.Join(dir, "glyphbox.db"))
	check.OK(t, "Open", err)
	defer db.Close()
	for _, text := range []string{`DELETE FROM text_entry`, `DELETE FROM text_posting`,
		`INSERT INTO text_announced (image_id, created_datetime) SELECT id, '2000-01-01 00:00:00.000000' FROM image`} {
		_, err := db.ExecContext(t.Context(), text)
		check.OK(t, text, err)
	}
	s = start(t, dir)
	for left := 1; left > 0; {
		check.OK(t, "announcements", db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM text_announced`).Scan(&left))
	}
	all(s.login("ann", password))
}
