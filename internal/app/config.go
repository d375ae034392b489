package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/natsqueue"
	"glyphbox/internal/adapter/seal"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/recognition"
)

// Config has the values of all settings. loadConfig makes it, and it does not change afterwards.
type Config struct {
	Addr            string
	DataDir         datadir.Dir
	Database        string // address of a MariaDB; empty: an SQLite file in DataDir
	MongoDB         string // URI; empty: images are files in DataDir, and results are in the database
	NATS            string // URLs of a cluster; empty: a queue in DataDir
	NATSCredentials string // file; empty: none
	NATSCA          string // file; empty: what the system trusts
	Worker          bool   // the node only runs items of jobs
	JobItems        int    // that are read at once; 0: one more than there are workers
	SignUpOpen      bool
	AdminPassword   string       // of the administrator made at the first start; empty: a random one
	Keys            []token.Key  // that sign access tokens; none: those of a file in DataDir
	OCRWorkers      int          // 0: one for each core
	MaxUpload       int64        // bytes of one file
	FileCache       int64        // bytes of copies of files of MongoDB
	MaxPixels       int64        // of one page
	MaxFiles        int          // of one upload
	Limits          limit.Limits // of users who have none of their own
	Inbox           string       // folder of files to read; empty: none
	InboxInterval   time.Duration
	MaxRegions      int // of one request
	Effort          recognition.Effort
	AccessTTL       time.Duration
	RefreshTTL      time.Duration
	RegionTimeout   time.Duration
	IdleTime        time.Duration // of a worker
	RequestTimeout  time.Duration
	QueueSize       int
	TessdataDirs    []string // none: Tesseract's own
	Models          string   // empty: where scripts/models puts them
	LoadWhenNeeded  bool     // models are loaded for the first region that needs them, instead of at the start; no setting
	CompiledDir     string   // empty: there is none
	LogLevel        slog.Level
	LogJSON         bool
	ShutdownTimeout time.Duration
	SweepInterval   time.Duration // 0: never
	JobRetention    time.Duration // of jobs that ended; 0: for good
	BasePath        string        // empty: none
	TrustedProxies  []netip.Prefix
	CORSOrigins     []string
	WebhookNetworks []netip.Prefix // that webhooks may be sent to, besides public addresses

	Seal              seal.Secret // of passwords of files; empty: that of a file in DataDir
	MaxPages          int         // of one file
	MaxDocumentPixels int64       // of all pages of one file
}

// setting is one row of the table from which flags, variables, keys of the file, help and docs/configuration.md are made.
type setting struct {
	name   string // of the flag and of the key in the file
	def    string
	help   string
	secret bool // has no flag, since everybody can see flags; instead a flag names a file
	flag   bool // the secret has a flag all the same, since it need not contain a password
	set    func(c *Config, text string) error
}

// table lists all settings, in the order in which they are shown.
var table = []setting{
	{name: "addr", def: "127.0.0.1:8000", help: "Address to listen on, host:port. An empty host means all addresses of the machine; " +
		"port 0 picks a free port.",
		set: func(c *Config, text string) error { c.Addr = text; return checkAddr(text) }},
	{name: "data-dir", def: "./data", help: "Directory for the database, the images and the keys.",
		set: func(c *Config, text string) error { c.DataDir = datadir.Dir(text); return nil }},
	{name: "database", secret: true, flag: true,
		help: "Database for metadata and results: mariadb://user:password@host:3306/name. Default: an SQLite file in data-dir. " +
			"Put an address that contains a password into a file.",
		set: func(c *Config, text string) error { c.Database = text; return sqldb.CheckAddress(text) }},
	{name: "mongodb", secret: true, flag: true,
		help: "MongoDB for images and results: mongodb://user:password@host:27017/name. Default: images are files in data-dir, results " +
			"are in the database.",
		set: func(c *Config, text string) error { c.MongoDB = text; return mongostore.CheckURI(text) }},
	{name: "nats", secret: true, flag: true, help: "NATS cluster with JetStream for the queue of jobs: nats://user:password@host:4222, " +
		"several servers separated by commas; tls:// encrypts. " +
		"Default: an embedded queue in data-dir.",
		set: func(c *Config, text string) error { c.NATS = text; return natsqueue.CheckURLs(text) }},
	{name: "nats-credentials", help: "File with credentials for NATS, in the format of nsc. Default: none, or those in nats.",
		set: func(c *Config, text string) error { c.NATSCredentials = text; return nil }},
	{name: "nats-ca", help: "File with the certificate authorities that verify the NATS servers. Default: those of the system.",
		set: func(c *Config, text string) error { c.NATSCA = text; return nil }},
	{name: "role", def: "all", help: "all: serve the API and read images of jobs. worker: only read images of jobs, and serve " +
		"only /ping, /health, /ready and /metrics. A worker needs database, mongodb and nats.",
		set: oneOf(func(c *Config) *bool { return &c.Worker }, map[string]bool{"all": false, "worker": true})},
	{name: "job-items", def: "0", help: "Maximum number of images of jobs to read at once. 0: one more than there are worker " +
		"processes, so that an image is read while the results of another are stored.",
		set: integer(func(c *Config) *int { return &c.JobItems }, 0, 1024)},
	{name: "max-queued", def: "100000", help: "Maximum number of images that one user may have waiting in jobs; more get status 429. " +
		"0: no limit. An administrator can set other values of max-queued, max-day, max-images and max-bytes for one user.",
		set: number(func(c *Config) *int64 { return &c.Limits.Queued }, 0, limit.Most)},
	{name: "max-day", def: "0", help: "Maximum number of images that one user may put into jobs within 24 hours; more get status 429. " +
		"0: no limit.",
		set: number(func(c *Config) *int64 { return &c.Limits.Items }, 0, limit.Most)},
	{name: "inbox", help: "Directory with a folder for each user, by name. Files put there are read in the background as that user, " +
		"and move to done or failed. Default: none.",
		set: func(c *Config, text string) error { c.Inbox = text; return nil }},
	{name: "inbox-interval", def: "5s", help: "How often to look for files in inbox. A file that has not changed between two looks " +
		"counts as complete.",
		set: duration(func(c *Config) *time.Duration { return &c.InboxInterval }, 100*time.Millisecond, 24*time.Hour)},
	{name: "signup", def: "open", help: "open: anybody may create an account. closed: only administrators may.",
		set: oneOf(func(c *Config) *bool { return &c.SignUpOpen }, map[string]bool{"open": true, "closed": false})},
	{name: "admin-password", secret: true, help: "Password of the user admin, which the first start creates. Default: a random one, " +
		"printed once.",
		set: func(c *Config, text string) error { c.AdminPassword = text; return checkPassword(text) }},
	{name: "keys", secret: true, help: "Keys that sign access tokens, as glyphbox key new prints them. All nodes of a database need the " +
		"same keys. Default: a file in data-dir, created at the first start.",
		set: func(c *Config, text string) (err error) {
			c.Keys, err = token.ParseKeys(strings.NewReader(text))
			return err
		}},
	{name: "seal", secret: true, help: "Secret of at least 32 characters that encrypts stored passwords of PDF files and webhook " +
		"secrets. All nodes of a database need the same secret. Default: a file in data-dir, created at the first start.",
		set: func(c *Config, text string) (err error) {
			c.Seal, err = seal.ParseSecret(text)
			return err
		}},
	{name: "ocr-workers", def: "0", help: "Number of worker processes. 0: one for each core available to the service.",
		set: integer(func(c *Config) *int { return &c.OCRWorkers }, 0, 1024)},
	{name: "max-upload", def: "100MB", help: "Maximum size of an uploaded file.",
		set: quantity(func(c *Config) *int64 { return &c.MaxUpload }, bytesUnits, 1, 10e9)},
	{name: "file-cache", def: "1GB", help: "Maximum size of the cache in data-dir for files from mongodb. It saves fetching a long file " +
		"again for each of its pages. 0: no cache.",
		set: quantity(func(c *Config) *int64 { return &c.FileCache }, bytesUnits, 0, 1e15)},
	{name: "max-pixels", def: "150MP", help: "Maximum number of pixels of a page. Decoding takes 1 to 4 bytes of memory for each.",
		set: quantity(func(c *Config) *int64 { return &c.MaxPixels }, pixelUnits, 1, 10e9)},
	{name: "max-pages", def: "2000", help: "Maximum number of pages of a file.",
		set: integer(func(c *Config) *int { return &c.MaxPages }, 1, 10_000)},
	{name: "max-document-pixels", def: "20000MP", help: "Maximum number of pixels of all pages of a file together.",
		set: quantity(func(c *Config) *int64 { return &c.MaxDocumentPixels }, pixelUnits, 1, 1e12)},
	{name: "max-files", def: "50", help: "Maximum number of files of an upload.",
		set: integer(func(c *Config) *int { return &c.MaxFiles }, 1, 10_000)},
	{name: "max-images", def: "100000", help: "Maximum number of documents of a user, however many pages they have; more get status 507. " +
		"0: no limit.",
		set: number(func(c *Config) *int64 { return &c.Limits.Images }, 0, limit.Most)},
	{name: "max-bytes", def: "0", help: "Maximum number of bytes of all files of a user together; more get status 507. 0: no limit.",
		set: quantity(func(c *Config) *int64 { return &c.Limits.Bytes }, bytesUnits, 0, limit.Most)},
	{name: "max-regions", def: "2000", help: "Maximum number of regions of a request.",
		set: integer(func(c *Config) *int { return &c.MaxRegions }, 1, recognition.MostRegions)},
	{name: "effort", def: string(recognition.EffortAccurate),
		help: "Effort of requests that name none: fast, balanced or accurate. A higher effort makes fewer errors and takes longer.",
		set:  oneOf(func(c *Config) *recognition.Effort { return &c.Effort }, efforts())},
	{name: "access-ttl", def: "15m", help: "How long an access token is valid.",
		set: duration(func(c *Config) *time.Duration { return &c.AccessTTL }, time.Minute, 24*time.Hour)},
	{name: "refresh-ttl", def: "720h", help: "How long a refresh token is valid. A user who stays away longer must sign in again.",
		set: duration(func(c *Config) *time.Duration { return &c.RefreshTTL }, time.Minute, 10*365*24*time.Hour)},
	{name: "region-timeout", def: "30s", help: "Time limit for one region. A worker that exceeds it is killed.",
		set: duration(func(c *Config) *time.Duration { return &c.RegionTimeout }, 100*time.Millisecond, time.Hour)},
	{name: "idle-time", def: "10m", help: "How long a worker without work keeps models and pages in memory.",
		set: duration(func(c *Config) *time.Duration { return &c.IdleTime }, time.Second, 10*365*24*time.Hour)},
	{name: "request-timeout", def: "120s", help: "Time limit for a recognition request, waiting included.",
		set: duration(func(c *Config) *time.Duration { return &c.RequestTimeout }, time.Second, time.Hour)},
	{name: "queue-size", def: "2000", help: "Maximum number of regions that may wait for a worker. Requests beyond that get status 503.",
		set: integer(func(c *Config) *int { return &c.QueueSize }, 1, 1_000_000)},
	{name: "tessdata-dir", help: "Directories of traineddata files, separated by commas. Of files with the same name the first is " +
		"used. Default: where Tesseract looks.",
		set: func(c *Config, text string) error { c.TessdataDirs = list(text); return nil }},
	{name: "models", help: "Directory with the models of the second recogniser, which scripts/models fetches. none: read with Tesseract " +
		"alone. Default: glyphbox/models in the user's cache directory, if it exists.",
		set: func(c *Config, text string) error { c.Models = text; return nil }},
	{name: "compiled-dir", help: "Directory made by glyphbox compile, so that the first PDF file does not wait for the compiler. " +
		"It may be read-only. It contains code, so only root or the user of the service may have write access.",
		set: func(c *Config, text string) error { c.CompiledDir = text; return nil }},
	{name: "log-level", def: "info", help: "Least important messages to log: debug, info, warn or error.",
		set: oneOf(func(c *Config) *slog.Level { return &c.LogLevel },
			map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError})},
	{name: "log-format", def: "text", help: "Format of the log, which goes to standard error: text or json.",
		set: oneOf(func(c *Config) *bool { return &c.LogJSON }, map[string]bool{"text": false, "json": true})},
	{name: "shutdown-timeout", def: "30s", help: "How long the service waits for running requests when it stops.",
		set: duration(func(c *Config) *time.Duration { return &c.ShutdownTimeout }, 0, time.Hour)},
	{name: "sweep-interval", def: "1h", help: "About how often to remove orphans: blobs and contents that a crash left behind and no row " +
		"refers to. Deleted contents, idempotency keys and ended jobs that are kept no longer are removed with them. 0: never.",
		set: durationOrZero(func(c *Config) *time.Duration { return &c.SweepInterval }, time.Second, 30*24*time.Hour)},
	{name: "job-retention", def: "2160h", help: "How long a job stays in the list of jobs after it ended. Its results stay with the " +
		"images. At least 24h, or 0: forever.",
		set: durationOrZero(func(c *Config) *time.Duration { return &c.JobRetention }, 24*time.Hour, 100*365*24*time.Hour)},
	{name: "base-path", help: "Path under which a reverse proxy publishes the service, such as /ocr. The proxy may keep it in requests " +
		"or strip it.",
		set: func(c *Config, text string) error { c.BasePath = text; return checkBasePath(text) }},
	{name: "trusted-proxies", help: "Addresses or networks, separated by commas, of reverse proxies whose X-Forwarded-For and Forwarded " +
		"headers are trusted.",
		set: func(c *Config, text string) (err error) { c.TrustedProxies, err = prefixes(text); return err }},
	{name: "webhook-networks", help: "Addresses or networks, separated by commas, that webhooks may reach besides public addresses, " +
		"such as 10.1.0.0/16. Every user of the API can then have requests sent there.",
		set: func(c *Config, text string) (err error) { c.WebhookNetworks, err = prefixes(text); return err }},
	{name: "cors-origins", help: "Origins, separated by commas, whose web pages may call the API from a browser. *: all origins.",
		set: func(c *Config, text string) error { c.CORSOrigins = list(text); return checkOrigins(c.CORSOrigins) }},
}

const (
	envPrefix  = "GLYPHBOX_"
	fileSuffix = "-file"  // of the key and flag of a secret that name a file
	configName = "config" // of the flag and variable that name the TOML file
)

// variable returns the environment variable of a setting.
func variable(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// value is the value of a setting and its origin.
type value struct {
	setting
	text   string
	origin string
}

// addFlags adds the flags of the named settings to a flag set, or those of all settings if none is named.
func addFlags(flags *pflag.FlagSet, names ...string) {
	flags.SortFlags = false
	for _, s := range table {
		switch {
		case len(names) > 0 && !slices.Contains(names, s.name):
		case s.secret:
			if s.flag {
				flags.String(s.name, "", s.help)
			}
			flags.String(s.name+fileSuffix, "", "File that contains this setting. "+s.help)
		default:
			flags.String(s.name, s.def, s.help)
		}
	}
	flags.String(configName, "", "TOML file with settings, named like these flags.")
}

// configFaults holds all errors of a configuration.
type configFaults []error

func (f configFaults) Error() string {
	var b strings.Builder
	b.WriteString("the configuration is invalid:")
	for _, err := range f {
		b.WriteString("\n  " + err.Error())
	}
	return b.String()
}

// loadConfig assembles the configuration. A flag overrides a variable, a variable the file, and the file the default. An
// empty variable counts as unset. It returns all errors at once, as configFaults.
func loadConfig(flags *pflag.FlagSet, env map[string]string) (Config, []value, error) {
	var faults configFaults
	source, err := readSource(flags, env)
	if err != nil {
		faults = append(faults, err)
	}
	var c Config
	var values []value
	for _, s := range table {
		v, err := source.find(s)
		switch {
		case err != nil:
		case v.text != "":
			err = s.set(&c, v.text)
		case s.def != "":
			err = errors.New("it must not be empty")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s (%s): %w", s.name, v.origin, err))
		}
		values = append(values, v)
	}
	for _, key := range slices.Sorted(maps.Keys(source.file)) {
		faults = append(faults, fmt.Errorf("%s (%s): unknown setting", key, source.path))
	}
	if len(faults) == 0 && c.RegionTimeout > c.RequestTimeout {
		faults = append(faults, fmt.Errorf("region-timeout: must be at most request-timeout, which is %s", c.RequestTimeout))
	}
	if c.Worker {
		for name, text := range map[string]string{"database": c.Database, "mongodb": c.MongoDB, "nats": c.NATS} {
			if text == "" {
				faults = append(faults, fmt.Errorf("role: a worker needs the setting %s, which it shares with the other nodes", name))
			}
		}
	}
	if len(faults) > 0 {
		return Config{}, nil, faults
	}
	return c, values, nil
}

// unknownVariables returns, sorted, the variables that look like settings but are not. They are no errors, since other
// programs, such as Kubernetes, set such variables too.
func unknownVariables(env map[string]string) (unknown []string) {
	known := map[string]bool{variable(configName): true, tokenVariable: true}
	for _, s := range table {
		known[variable(s.name)] = true
		known[variable(s.name+fileSuffix)] = s.secret
	}
	for name := range env {
		if strings.HasPrefix(name, envPrefix) && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// source is where the settings come from.
type source struct {
	flags *pflag.FlagSet
	env   map[string]string
	path  string         // of the TOML file; may be empty
	file  map[string]any // what has not been looked up yet
}

func readSource(flags *pflag.FlagSet, env map[string]string) (source, error) {
	s := source{flags: flags, env: env, path: env[variable(configName)]}
	if path, ok := s.flag(configName); ok {
		s.path = path
	}
	if s.path == "" {
		return s, nil
	}
	if _, err := toml.DecodeFile(s.path, &s.file); err != nil {
		return s, fmt.Errorf("%s: %w", configName, err)
	}
	return s, nil
}

func (s source) flag(name string) (string, bool) {
	f := s.flags.Lookup(name)
	if f == nil || !f.Changed {
		return "", false
	}
	return f.Value.String(), true
}

// find looks up a setting and removes it from the file's map, so that only unknown settings remain there.
func (s source) find(of setting) (value, error) {
	v := value{setting: of, text: of.def, origin: "default"}
	inFile, has := s.file[of.name]
	delete(s.file, of.name)
	if has {
		text, err := plain(inFile)
		v.text, v.origin = text, s.path
		if err != nil {
			return v, err
		}
	}
	if of.secret {
		return s.findSecret(v, has)
	}
	if text := s.env[variable(of.name)]; text != "" {
		v.text, v.origin = text, variable(of.name)
	}
	if text, ok := s.flag(of.name); ok {
		v.text, v.origin = text, "--"+of.name
	}
	return v, nil
}

// findSecret looks up a secret, or the file that contains it. Giving both forms in one place is an error.
func (s source) findSecret(v value, inFile bool) (value, error) {
	name := v.name + fileSuffix
	var path string
	if named, ok := s.file[name]; ok {
		delete(s.file, name)
		path, _ = named.(string)
		v.origin = s.path
		if inFile || path == "" {
			return v, fmt.Errorf("give either %s or the path of a file as %s", v.name, name)
		}
	}
	text, file := s.env[variable(v.name)], s.env[variable(name)]
	if text != "" || file != "" {
		v.text, path, v.origin = text, file, cmp.Or(file, variable(v.name))
		if text != "" && file != "" {
			return v, fmt.Errorf("give either %s or %s", variable(v.name), variable(name))
		}
	}
	text, inFlag := s.flag(v.name)
	file, fileInFlag := s.flag(name)
	switch {
	case inFlag && fileInFlag:
		v.origin = "--" + v.name
		return v, fmt.Errorf("give either --%s or --%s", v.name, name)
	case inFlag:
		v.text, path, v.origin = text, "", "--"+v.name
	case fileInFlag:
		path = file
	}
	if path == "" {
		return v, nil
	}
	v.origin = path
	b, err := os.ReadFile(path)
	if err == nil && len(b) == 0 {
		err = errors.New("the file is empty")
	}
	v.text = strings.TrimRight(string(b), "\r\n")
	return v, err
}

// plain turns a value of a TOML file into the text that a flag would have.
func plain(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			text, ok := v[i].(string)
			if !ok {
				return "", errors.New("must be a list of strings")
			}
			texts[i] = text
		}
		return strings.Join(texts, ","), nil
	}
	return "", errors.New("must be a string, a whole number or a list of strings")
}

func oneOf[T any](field func(*Config) *T, allowed map[string]T) func(*Config, string) error {
	return func(c *Config, text string) error {
		v, ok := allowed[text]
		if !ok {
			return fmt.Errorf("%q is not one of %s", text, strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
		}
		*field(c) = v
		return nil
	}
}

func efforts() map[string]recognition.Effort {
	all := map[string]recognition.Effort{}
	for _, e := range recognition.Efforts {
		all[string(e)] = e
	}
	return all
}

func integer(field func(*Config) *int, low, high int) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", text, low, high)
		}
		*field(c) = n
		return nil
	}
}

func number(field func(*Config) *int64, low, high int64) func(*Config, string) error {
	return func(c *Config, text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", text, low, high)
		}
		*field(c) = n
		return nil
	}
}

func duration(field func(*Config) *time.Duration, low, high time.Duration) func(*Config, string) error {
	return func(c *Config, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < low || d > high {
			return fmt.Errorf("%q is not a duration from %s to %s, such as 90s, 15m or 12h", text, low, high)
		}
		*field(c) = d
		return nil
	}
}

// durationOrZero is duration, and takes 0 for a duration too.
func durationOrZero(field func(*Config) *time.Duration, low, high time.Duration) func(*Config, string) error {
	return func(c *Config, text string) error {
		if d, err := time.ParseDuration(text); err == nil && d == 0 {
			*field(c) = 0
			return nil
		}
		if err := duration(field, low, high)(c, text); err != nil {
			return fmt.Errorf("%q is neither 0 nor a duration from %s to %s", text, low, high)
		}
		return nil
	}
}

var (
	bytesUnits = map[string]float64{"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20,
		"GiB": 1 << 30, "TB": 1e12, "TiB": 1 << 40}
	pixelUnits = map[string]float64{"": 1, "P": 1, "MP": 1e6, "GP": 1e9}
)

func quantity(field func(*Config) *int64, units map[string]float64, low, high float64) func(*Config, string) error {
	return func(c *Config, text string) error {
		number := strings.TrimRightFunc(text, unicode.IsLetter)
		unit, ok := units[text[len(number):]]
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if n *= unit; !ok || err != nil || !(n >= low && n <= high) {
			return fmt.Errorf("%q is not a number from %.0f to %.0f with one of the units %s", text, low, high,
				strings.Join(slices.Sorted(maps.Keys(units))[1:], ", "))
		}
		*field(c) = int64(n)
		return nil
	}
}

// list splits a text at its commas.
func list(text string) (items []string) {
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func prefixes(text string) (all []netip.Prefix, err error) {
	for _, item := range list(text) {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			a, err := netip.ParseAddr(item)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", item)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func checkAddr(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not of the form host:port, such as 127.0.0.1:8000 or :80", text)
	}
	return nil
}

var basePaths = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

func checkBasePath(text string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if !basePaths.MatchString(text) {
		return fmt.Errorf("%q is not a path such as /ocr, without a slash at its end", text)
	}
	if slices.Contains([]string{"api", "docs", "assets", "image", "account", "admin", "ping", "health", "ready", "metrics"}, first) {
		return fmt.Errorf("%q begins with a path of the service itself", text)
	}
	return nil
}

// checkOrigins accepts only origins as browsers write them, since others would never match.
func checkOrigins(origins []string) error {
	if slices.Contains(origins, endpoint.AnyOrigin) && len(origins) > 1 {
		return errors.New("give either * or a list of origins")
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		switch {
		case o == endpoint.AnyOrigin:
		case err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o:
			return fmt.Errorf("%q is not an origin such as https://example.org", o)
		case strings.Contains(o, "*"):
			return fmt.Errorf("%q: * is only allowed alone and means all origins", o)
		case strings.ToLower(o) != o || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
			return fmt.Errorf("%q: browsers write origins in lower case and without the default port", o)
		}
	}
	return nil
}

// checkPassword applies the rules of the account service before the first start.
func checkPassword(text string) error {
	if n := utf8.RuneCountInString(text); n < account.MinPassword || n > account.MaxPassword ||
		strings.ContainsFunc(text, unicode.IsSpace) {
		return fmt.Errorf("must have %d to %d characters and no white space", account.MinPassword, account.MaxPassword)
	}
	return nil
}

// printConfig writes the settings in force as a TOML file, with the origin of each.
func printConfig(w io.Writer, values []value) {
	for _, v := range values {
		switch {
		case v.secret && v.text == "":
			fmt.Fprintf(w, "# %s is not set\n", v.name)
		case v.secret:
			fmt.Fprintf(w, "# %s is set, from %s\n", v.name, v.origin)
		default:
			fmt.Fprintf(w, "%-*s = %s # from %s\n", longestName(), v.name, tomlString(v.text), v.origin)
		}
	}
}

// tomlString quotes a text for TOML, whose escapes are not quite those of Go.
func tomlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func longestName() (n int) {
	for _, s := range table {
		n = max(n, len(s.name))
	}
	return n
}

// printMarkdown writes docs/configuration.md.
func printMarkdown(w io.Writer) {
	fmt.Fprint(w, `# Configuration

<!-- Made by "glyphbox config --markdown"; a test keeps it in step. -->

Each setting is a flag of `+"`glyphbox serve`"+`, an environment variable and a key of a TOML file, which `+"`--config`"+` or
`+"`GLYPHBOX_CONFIG`"+` names. A flag overrides a variable, a variable the file, and the file the default. `+
		`An empty variable counts as unset.
Items of a list are separated by commas; in the file a list may also be a TOML array. `+"`glyphbox config`"+` prints the values in force and
where each comes from, as a TOML file.

Everybody on the machine can see flags. So passwords have no flag, and each secret can be given as a file that contains it.

| setting | variable | default | meaning |
|---|---|---|---|
`)
	for _, s := range table {
		name, env, def := "`--"+s.name+"`", "`"+variable(s.name)+"`", "`"+s.def+"`"
		if s.secret {
			name = "`--" + s.name + fileSuffix + "`"
			if s.flag {
				name = "`--" + s.name + "` or " + name
			}
			env += " or `" + variable(s.name+fileSuffix) + "`"
		}
		if s.def == "" {
			def = "–"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", name, env, def, s.help)
	}
	fmt.Fprint(w, "\nBytes may have a unit: `kB`, `MB`, `GB`, `TB` (powers of 1000), `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024). "+
		"Pixels: `MP`, `GP` (millions, billions).\n")
}

// database returns the address of the database or the path of its file.
func (c Config) database() string { return cmp.Or(c.Database, c.DataDir.Database()) }
