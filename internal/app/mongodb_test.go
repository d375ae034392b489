package app

import (
	"bytes"
	"strings"
	"testing"

	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

func TestWalkOnMongoDB(t *testing.T) { walk(t, "--mongodb", mongotest.URI(t)) }

func TestWalkOnMariaDBAndMongoDB(t *testing.T) {
	walk(t, "--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t))
}

func TestMongoDBAddress(t *testing.T) {
	const uri = "mongodb://ann:secret@host/name"
	path := file(t, uri+"\n")
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want string // empty: refused
	}{
		"flag":               {args: []string{"--mongodb", uri}, want: uri},
		"flag of a file":     {args: []string{"--mongodb-file", path}, want: uri},
		"variable":           {env: map[string]string{"GLYPHBOX_MONGODB": uri}, want: uri},
		"variable of a file": {env: map[string]string{"GLYPHBOX_MONGODB_FILE": path}, want: uri},
		"no database":        {args: []string{"--mongodb", "mongodb://ann:secret@host"}},
		"another scheme":     {args: []string{"--mongodb", "mysql://ann:secret@host/name"}},
	} {
		got, values, err := load(t, test.env, test.args...)
		if got.MongoDB != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got.MongoDB, err, test.want)
		}
		var shown bytes.Buffer
		printConfig(&shown, values)
		if strings.Contains(shown.String(), "secret") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is told: %v\n%s", name, err, shown.String())
		}
	}
}
