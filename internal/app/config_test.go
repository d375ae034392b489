package app

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/recognition"
)

var update = flag.Bool("update", false, "write the files that are compared with")

func load(t *testing.T, env map[string]string, args ...string) (Config, []value, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(flags, env)
}

func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	got, _, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Addr: "127.0.0.1:8000", DataDir: "./data", SignUpOpen: true, MaxUpload: 100e6, FileCache: 1e9, MaxPixels: 150e6,
		MaxFiles: 50, Limits: limit.Limits{Images: 100000, Queued: 100000}, InboxInterval: 5 * time.Second, MaxRegions: 2000,
		MaxPages: document.MaxPages, MaxDocumentPixels: document.MaxDocumentPixels,
		Effort:    recognition.EffortAccurate,
		AccessTTL: 15 * time.Minute, RefreshTTL: 720 * time.Hour, RegionTimeout: 30 * time.Second, IdleTime: 10 * time.Minute,
		RequestTimeout: 2 * time.Minute,
		QueueSize:      2000, ShutdownTimeout: 30 * time.Second, SweepInterval: time.Hour, JobRetention: 90 * 24 * time.Hour}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlagBeforeVariableBeforeFile(t *testing.T) {
	toml := file(t, "addr = \"f:1\"\nmax-files = 3\nsignup = \"closed\"\ncors-origins = [\"https://a.example\", "+
		"\"http://b.example:8080\"]\n")
	env := map[string]string{"GLYPHBOX_CONFIG": toml, "GLYPHBOX_ADDR": "v:2", "GLYPHBOX_MAX_FILES": "4", "GLYPHBOX_SIGNUP": "",
		"PATH": "/bin"}
	got, values, err := load(t, env, "--addr", "l:3")
	if err != nil {
		t.Fatal(err)
	}
	if got.Addr != "l:3" || got.MaxFiles != 4 || got.SignUpOpen {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"https://a.example", "http://b.example:8080"}, got.CORSOrigins); diff != "" {
		t.Error(diff)
	}
	origins := map[string]string{}
	for _, v := range values {
		origins[v.name] = v.origin
	}
	for name, want := range map[string]string{"addr": "--addr", "max-files": "GLYPHBOX_MAX_FILES", "signup": toml, "data-dir": "default"} {
		if origins[name] != want {
			t.Errorf("%s comes from %s, want %s", name, origins[name], want)
		}
	}
	other := file(t, "addr = \"o:4\"")
	if got, _, err := load(t, map[string]string{"GLYPHBOX_CONFIG": toml}, "--config", other); err != nil || got.Addr != "o:4" {
		t.Errorf("with another file by flag: %s, %v", got.Addr, err)
	}
}

func TestSecrets(t *testing.T) {
	pass := file(t, "password-in-file\n")
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want string // empty: refused
	}{
		"variable": {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD": "password-in-variable"},
			want: "password-in-variable"},
		"variable of a file": {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD_FILE": pass}, want: "password-in-file"},
		"flag": {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD": "password-in-variable"},
			args: []string{"--admin-password-file", pass}, want: "password-in-file"},
		"configuration":             {args: []string{"--config", file(t, "admin-password = 'password-in-toml'")}, want: "password-in-toml"},
		"file of the configuration": {args: []string{"--config", file(t, "admin-password-file = '"+pass+"'")}, want: "password-in-file"},
		"both": {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD": "password-in-variable",
			"GLYPHBOX_ADMIN_PASSWORD_FILE": pass}},
		"both in the configuration": {args: []string{"--config", file(t,
			"admin-password = 'password-in-toml'\nadmin-password-file = '"+pass+"'")}},
		"file is not there": {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD_FILE": pass + "x"}},
		"file is empty":     {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD_FILE": file(t, "")}},
		"too short":         {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD": "1234567"}},
		"with a space":      {env: map[string]string{"GLYPHBOX_ADMIN_PASSWORD_FILE": file(t, "from the file\n")}},
	} {
		got, _, err := load(t, test.env, test.args...)
		if got.AdminPassword != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got.AdminPassword, err, test.want)
		}
	}
}

// An address has a flag, since it need not hold a password; where it does it is shown nowhere.
func TestDatabaseAddress(t *testing.T) {
	const inFlag, inVariable, inFile = "mariadb://flag@host/name", "mariadb://variable:secret@host/name", "mariadb://file:secret@host/name"
	path := file(t, inFile+"\n")
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want string // empty: refused
	}{
		"flag":               {args: []string{"--database", inFlag}, want: inFlag},
		"flag of a file":     {args: []string{"--database-file", path}, want: inFile},
		"variable":           {env: map[string]string{"GLYPHBOX_DATABASE": inVariable}, want: inVariable},
		"variable of a file": {env: map[string]string{"GLYPHBOX_DATABASE_FILE": path}, want: inFile},
		"flag before variable": {env: map[string]string{"GLYPHBOX_DATABASE": inVariable}, args: []string{"--database", inFlag},
			want: inFlag},
		"flag before variable of a file": {env: map[string]string{"GLYPHBOX_DATABASE_FILE": path}, args: []string{"--database", inFlag},
			want: inFlag},
		"file of the configuration": {args: []string{"--config", file(t, "database-file = '"+path+"'")}, want: inFile},
		"both flags":                {args: []string{"--database", inFlag, "--database-file", path}},
		"another database":          {args: []string{"--database", "postgres://user:secret@host/name"}},
		"no address":                {args: []string{"--database", "glyphbox.db"}},
	} {
		got, values, err := load(t, test.env, test.args...)
		if got.Database != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got.Database, err, test.want)
		}
		var shown bytes.Buffer
		printConfig(&shown, values)
		if strings.Contains(shown.String(), "mariadb://") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the address is told: %v\n%s", name, err, shown.String())
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	toml := file(t, "max-file = 3\nqueue-size = true\ntrusted-proxies = [1]\nlog-level = 'loud'\n")
	env := map[string]string{"GLYPHBOX_MAX_UPLOAD": "12 parsecs", "GLYPHBOX_SIGNUP": "maybe",
		"GLYPHBOX_CORS_ORIGINS": "https://a.example/path"}
	_, _, err := load(t, env, "--config", toml, "--addr", "here", "--max-pixels", "NaN", "--access-ttl", "0s", "--ocr-workers=-1")
	if err == nil {
		t.Fatal("it is taken")
	}
	lines := strings.Split(err.Error(), "\n")[1:]
	var got []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		got = append(got, strings.TrimSpace(name))
	}
	want := []string{"addr (--addr)", "signup (GLYPHBOX_SIGNUP)", "ocr-workers (--ocr-workers)", "max-upload (GLYPHBOX_MAX_UPLOAD)",
		"max-pixels (--max-pixels)",
		"access-ttl (--access-ttl)", "queue-size (" + toml + ")", "log-level (" + toml + ")", "trusted-proxies (" + toml + ")",
		"cors-origins (GLYPHBOX_CORS_ORIGINS)", "max-file (" + toml + ")"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigurationThatCannotBeReadIsAFault(t *testing.T) {
	for _, path := range []string{"/does/not/exist", file(t, "addr = "), file(t, "[addr]\nx = 1")} {
		if _, _, err := load(t, nil, "--config", path); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
	if _, _, err := load(t, nil, "--region-timeout", "10m", "--request-timeout", "1m"); err == nil ||
		!strings.Contains(err.Error(), "region-timeout") {
		t.Errorf("a region may take longer than its request: %v", err)
	}
}

func TestQuantities(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "1500": 1500, "100MB": 100e6, "100 MB": 100e6, "1.5GB": 15e8, "64KiB": 65536,
		"2kB": 2000, "10GB": 10e9,
		"": 0, "0": 0, "-1": 0, "11GB": 0, "1TB": 0, "MB": 0, "1e3": 1000, "1mb": 0, "Inf": 0} {
		got, _, err := load(t, nil, "--max-upload="+text)
		if got.MaxUpload != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v, want %d", text, got.MaxUpload, err, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	for text, fits := range map[string]bool{"*": true, "https://a.example": true, "https://a.example, http://b.example:8080": true,
		"*,https://a.example": false,
		"https://*.example":   false, "https://A.example": false, "https://a.example:443": false, "http://a.example:80": false,
		"http://a.example:443": true, "https://a.example/": false, "a.example": false} {
		if _, _, err := load(t, nil, "--cors-origins", text); err == nil != fits {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNetworks(t *testing.T) {
	got, _, err := load(t, nil, "--trusted-proxies", "10.1.2.3/8, 192.0.2.1,::1")
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("::1/128")}
	if diff := cmp.Diff(want, got.TrustedProxies, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownVariables(t *testing.T) {
	got := unknownVariables(map[string]string{"GLYPHBOX_ADDR": "", "GLYPHBOX_CONFIG": "", "GLYPHBOX_ADMIN_PASSWORD_FILE": "", "HOME": "",
		"GLYPHBOX_PORT": "", "GLYPHBOX_ADDR_FILE": ""})
	if diff := cmp.Diff([]string{"GLYPHBOX_ADDR_FILE", "GLYPHBOX_PORT"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestPrintedConfigIsAConfig reads what "glyphbox config" prints.
func TestPrintedConfigIsAConfig(t *testing.T) {
	env := map[string]string{"GLYPHBOX_ADMIN_PASSWORD": "do-not-print-me"}
	want, values, err := load(t, env, "--data-dir", "a \"strange\" \\ place\t한글", "--max-upload", "5MB", "--cors-origins",
		"https://a.example")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	printConfig(&out, values)
	if text := out.String(); strings.Contains(text, "do-not-print-me") ||
		!strings.Contains(text, "# admin-password is set, from GLYPHBOX_ADMIN_PASSWORD") {
		t.Errorf("%s", text)
	}
	got, _, err := load(t, env, "--config", file(t, out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentationIsInStep(t *testing.T) {
	const path = "../../docs/configuration.md"
	var want bytes.Buffer
	printMarkdown(&want)
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("run go test ./internal/app -run Documentation -update\n%s", diff)
	}
}
