package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

func TestSeals(t *testing.T) {
	porttest.Seals(t, func(t *testing.T) document.Seals {
		secret, err := LoadSecret(filepath.Join(t.TempDir(), "seal"))
		check.OK(t, "LoadSecret", err)
		s, err := New(secret)
		check.OK(t, "New", err)
		return s
	})
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	secret, err := LoadSecret(at("seal"))
	check.OK(t, "LoadSecret", err)
	if again, err := LoadSecret(at("seal")); err != nil || again != secret {
		t.Errorf("the second time got error %v, or another secret", err)
	}
	if info, err := os.Stat(at("seal")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", secret, secret, secret); strings.Contains(shown, secret.text) {
		t.Errorf("the secret is shown: %s", shown)
	}

	check.OK(t, "CopySecret of nothing", CopySecret(at("none"), at("copy")))
	if _, err := os.Stat(at("copy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a copy of nothing: %v", err)
	}
	check.OK(t, "CopySecret", CopySecret(at("seal"), at("copy")))
	check.OK(t, "CopySecret again", CopySecret(at("seal"), at("copy")))
	if copied, err := LoadSecret(at("copy")); err != nil || copied != secret {
		t.Errorf("the copy: error %v, or another secret", err)
	}
	_, err = LoadSecret(at("other"))
	check.OK(t, "LoadSecret", err)
	if err := CopySecret(at("seal"), at("other")); err == nil {
		t.Error("a secret was copied over another one")
	}

	check.OK(t, "Chmod", os.Chmod(at("seal"), 0o640))
	if _, err := LoadSecret(at("seal")); err == nil {
		t.Error("a secret that others may read was taken")
	}
	for _, text := range []string{"", "short", strings.Repeat("x", 31), strings.Repeat("x", 1001)} {
		if _, err := ParseSecret(text); err == nil {
			t.Errorf("a secret of %d characters was taken", len(text))
		}
	}
}
