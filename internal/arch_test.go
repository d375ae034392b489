package internal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "glyphbox/"
	domain   = module + "internal/domain/"
	adapter  = module + "internal/adapter/"
	app      = module + "internal/app"
	porttest = module + "internal/porttest"
	client   = module + "client"        // the Go client and the types of the API's JSON
	wire     = module + "internal/wire" // domain → client
)

// inner names the domain packages that each domain package may import. A new one must be put in here.
var inner = map[string][]string{
	"fault":       {},
	"label":       {},
	"sweep":       {"fault"},
	"once":        {"fault", "sweep"},
	"account":     {"fault", "label"},
	"limit":       {"fault", "account"},
	"document":    {"fault", "label", "sweep", "once", "account", "limit"},
	"recognition": {"fault", "label", "sweep", "once", "account", "document"},
	"webhook":     {"fault", "account"},
	"job":         {"fault", "sweep", "once", "account", "limit", "document", "recognition", "webhook"},
}

// Packages that adapters share. They know nothing of ours but fault.
const (
	workerpool = module + "internal/workerpool"
	imagefile  = module + "internal/imagefile"
	pdfparse   = module + "internal/pdfparse"
)

// worker is the program in the workers of the engine, the only package with C, and pdfium its part in those for PDF files.
const (
	worker = adapter + "engine/worker"
	pdfium = adapter + "engine/pdfium"
)

// endpoint is how calls are made over HTTP, whatever they ask for.
const endpoint = adapter + "httpapi/endpoint"

// overlay is the program in the workers of exports.
const overlay = adapter + "transcript/overlay"

const (
	transfer = module + "internal/transfer"
	progress = module + "internal/progress"
	datadir  = module + "internal/datadir"
	durable  = module + "internal/durable"
	spool    = module + "internal/spool"
)

// beside names the programs beside the service, each with what it may import of ours but the domain. Only app knows the adapters
// that implement their ports.
var beside = map[string][]string{
	module + "internal/bench":    {progress, client, wire},
	module + "internal/original": {progress, transfer},
	module + "internal/reading":  {progress, client, wire, spool},
	transfer:                     {datadir, durable, progress},
	datadir:                      {durable},
	progress:                     {},
}

// programOf returns the program that a package belongs to, or "".
func programOf(pkg string) string {
	for root := range beside {
		if within(pkg, root) {
			return root
		}
	}
	return ""
}

// outside are packages of the standard library that have no place in the domain.
var outside = []string{"database", "embed", "html", "image", "io/fs", "log", "net", "os", "path/filepath", "plugin", "runtime", "syscall",
	"testing", "unsafe"}

// pure are packages below those that do no I/O.
var pure = []string{"net/mail"}

type goPackage struct {
	Dir, ImportPath                    string
	GoFiles, CgoFiles                  []string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) (all []goPackage) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=Dir,ImportPath,GoFiles,CgoFiles,Imports,TestImports,XTestImports",
		module+"...")
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// within tells whether a package is root or lies below it.
func within(pkg, root string) bool {
	return pkg == root || strings.HasPrefix(pkg, strings.TrimSuffix(root, "/")+"/")
}

// adapterOf returns the adapter that a package belongs to, or "".
func adapterOf(pkg string) string {
	rest, ok := strings.CutPrefix(pkg, adapter)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// forbidden returns why a package may not import another one, or "". test is set for the imports of its tests.
func forbidden(pkg, imported string, test bool) string {
	ours := strings.HasPrefix(imported, module)
	switch {
	case within(imported, porttest) && !test && !within(pkg, porttest):
		return "only tests import the suites and fakes"
	case imported == pdfium && pkg != worker && !test, imported == pdfparse && pkg != pdfium && pkg != overlay && !test:
		return "PDF files are opened in worker processes only"
	case pkg == endpoint && ours &&
		!slices.Contains([]string{domain + "account", domain + "fault", client, adapter + "httpapi/sse"}, imported):
		return "endpoint knows who asks and what goes wrong, and nothing of what the API offers"
	case within(pkg, domain) && !test:
		if !ours {
			return forbiddenInDomain(imported)
		}
		name, known := strings.CutPrefix(imported, domain)
		if !known || !slices.Contains(inner[path.Base(pkg)], name) {
			return "arrows point inwards: recognition → document → account → fault, and sweep"
		}
	case adapterOf(pkg) != "" && ours:
		same := adapterOf(imported) == adapterOf(pkg)
		shared := within(imported, domain) ||
			slices.Contains([]string{client, wire, workerpool, imagefile, pdfparse, durable, spool}, imported)
		if !same && !shared && !(test && (within(imported, porttest) || within(imported, workerpool) || imported == transfer)) {
			return "an adapter imports the domain, client, wire, workerpool, imagefile, pdfparse, durable and spool, and no other adapter"
		}
		if (imported == worker || imported == overlay) && !test {
			return "what the worker does is done in worker processes: only app starts it"
		}
	case (within(pkg, workerpool) || within(pkg, imagefile)) && ours && imported != domain+"fault" && !within(imported, workerpool):
		return "workerpool and imagefile know nothing of ours but fault"
	case pkg == pdfparse && ours && imported != imagefile:
		return "pdfparse knows nothing of ours but imagefile"
	case (pkg == durable || pkg == spool) && ours:
		return "durable and spool import nothing of ours"
	case within(pkg, client) && ours && imported != client:
		return "the client imports nothing of ours"
	case pkg == wire && ours && imported != client && !within(imported, domain):
		return "wire turns what the domain has into the client's types, and knows nothing else"
	case adapterOf(imported) != "" && !within(pkg, app):
		return "only app imports adapters"
	case within(pkg, porttest) && ours && !within(imported, domain) && !within(imported, porttest) && imported != transfer:
		return "suites and fakes know the domain only, and the ports of transfer"
	case programOf(pkg) != "" && ours && !test && !within(imported, domain) && !slices.Contains(beside[programOf(pkg)], imported):
		return "a program beside the service takes ports: it imports the domain and what beside allows"
	case within(pkg, module+"cmd") && ours && !test && imported != app:
		return "a command starts app and nothing else"
	}
	return ""
}

func forbiddenInDomain(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") {
		return "the domain needs the standard library only"
	}
	if slices.ContainsFunc(outside, func(root string) bool { return within(imported, root) }) && !slices.Contains(pure, imported) {
		return "the domain does no I/O"
	}
	return ""
}

// TestArrows checks who imports whom, tests included.
func TestArrows(t *testing.T) {
	all := packages(t)
	seen := map[string]bool{}
	for _, p := range all {
		seen[p.ImportPath] = true
		if name, ok := strings.CutPrefix(p.ImportPath, domain); ok {
			if _, known := inner[name]; !known {
				t.Errorf("the domain package %s has no place in the order of this test", name)
			}
		}
		for _, imported := range p.Imports {
			if why := forbidden(p.ImportPath, imported, false); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if why := forbidden(p.ImportPath, imported, true); why != "" {
				t.Errorf("a test of %s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
	for _, want := range []string{domain + "recognition", adapter + "sqlstore", app, porttest, module + "cmd/glyphbox"} {
		if !seen[want] {
			t.Errorf("go list did not name %s", want)
		}
	}
}

// TestArrowsBite checks that the rules refuse what they are for.
func TestArrowsBite(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		test, allowed bool
	}{
		{domain + "document", domain + "account", false, true},
		{domain + "account", domain + "document", false, false},
		{domain + "fault", domain + "account", false, false},
		{domain + "account", "net/mail", false, true},
		{domain + "account", "net/http", false, false},
		{domain + "document", "image/png", false, false},
		{domain + "document", "golang.org/x/image/bmp", false, false},
		{domain + "document", adapter + "sqlstore", false, false},
		{domain + "document", adapter + "sqlstore", true, false},
		{domain + "document", porttest, true, true},
		{adapter + "sqlstore", domain + "account", false, true},
		{adapter + "sqlstore", adapter + "sqlstore/migrations", false, true},
		{adapter + "sqlstore", adapter + "token", false, false},
		{adapter + "sqlstore", adapter + "token", true, false},
		{adapter + "sqlstore", app, false, false},
		{adapter + "sqlstore", porttest, false, false},
		{adapter + "sqlstore", porttest, true, true},
		{app, adapter + "sqlstore", false, true},
		{module + "cmd/glyphbox", adapter + "sqlstore", false, false},
		{module + "cmd/glyphbox", app, false, true},
		{porttest, adapter + "token", true, false},
		{client, domain + "fault", false, false},
		{client, domain + "fault", true, false},
		{client, wire, false, false},
		{wire, client, false, true},
		{wire, domain + "recognition", false, true},
		{wire, adapter + "token", false, false},
		{adapter + "httpapi", client, false, true},
		{adapter + "httpapi", wire, false, true},
		{adapter + "httpapi", endpoint, false, true},
		{adapter + "httpapi/jobs", endpoint, false, true},
		{endpoint, adapter + "httpapi", false, false},
		{endpoint, domain + "document", false, false},
		{endpoint, domain + "account", false, true},
		{adapter + "sqlstore", endpoint, false, false},
		{domain + "recognition", client, false, false},
		{domain + "recognition", wire, false, false},
		{porttest, transfer, false, true},
		{transfer, adapter + "sqlstore", false, false},
		{transfer, module + "internal/original", false, false},
		{module + "internal/original", transfer, false, true},
		{module + "internal/original", adapter + "sqlstore", false, false},
		{module + "internal/original", app, true, true},
		{module + "internal/bench", adapter + "engine", false, false},
		{module + "internal/bench", module + "client", false, true},
		{adapter + "sqlstore", transfer, false, false},
		{adapter + "sqlstore", transfer, true, true},
		{app, transfer, false, true},
		{adapter + "engine", workerpool, false, true},
		{adapter + "engine", imagefile, false, true},
		{adapter + "engine", worker, false, false},
		{adapter + "engine", worker, true, true},
		{app, worker, false, true},
		{worker, pdfium, false, true},
		{adapter + "engine", pdfium, false, false},
		{app, pdfium, false, false},
		{workerpool, domain + "fault", false, true},
		{workerpool, domain + "document", false, false},
		{workerpool, imagefile, false, false},
		{imagefile, domain + "document", false, false},
		{adapter + "inbox", spool, false, true},
		{spool, domain + "fault", false, false},
	} {
		if got := forbidden(c.pkg, c.imported, c.test) == ""; got != c.allowed {
			t.Errorf("%s imports %s (test: %v): got allowed %v, want %v", c.pkg, c.imported, c.test, got, c.allowed)
		}
	}
}

const onnxruntime = "github.com/yalue/onnxruntime_go"

// TestWebAssemblyIsInWorkersOnly checks that files of strangers meet pdfium in the processes that are made for it.
func TestWebAssemblyIsInWorkersOnly(t *testing.T) {
	uses := 0
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, "github.com/klippa-app/go-pdfium") &&
				!strings.HasPrefix(imported, "github.com/tetratelabs/wazero") {
				continue
			}
			if uses++; p.ImportPath != pdfium {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
	if uses == 0 {
		t.Errorf("%s imports none of it", pdfium)
	}
}

// TestCIsInWorkersOnly checks that C meets the server process nowhere: one package has it, which exports nothing but Run and calls
// nothing when the program starts, and Run is called by the worker command alone.
func TestCIsInWorkersOnly(t *testing.T) {
	files := token.NewFileSet()
	parse := func(p goPackage, names []string) (all []*ast.File) {
		for _, name := range names {
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, file)
		}
		return all
	}
	calls := 0
	for _, p := range packages(t) {
		if len(p.CgoFiles) > 0 && p.ImportPath != worker {
			t.Errorf("%s has C, in %v", p.ImportPath, p.CgoFiles)
		}
		if p.ImportPath != worker && slices.Contains(p.Imports, onnxruntime) {
			t.Errorf("%s imports %s, which runs C", p.ImportPath, onnxruntime)
		}
		if p.ImportPath == worker {
			if len(p.CgoFiles) == 0 {
				t.Errorf("%s has no C", worker)
			}
			checkWorker(t, files, parse(p, slices.Concat(p.GoFiles, p.CgoFiles)))
		}
		if p.ImportPath != worker && slices.Contains(p.Imports, worker) {
			for _, file := range parse(p, p.GoFiles) {
				calls += usesOfWorker(t, files, file)
			}
		}
	}
	if calls != 1 {
		t.Errorf("%s is used %d times", worker, calls)
	}
}

// checkWorker checks what the package of the worker does and offers by itself.
func checkWorker(t *testing.T, files *token.FileSet, all []*ast.File) {
	for _, file := range all {
		for _, declared := range file.Decls {
			switch d := declared.(type) {
			case *ast.FuncDecl:
				if name := d.Name.Name; d.Recv == nil && (name == "init" || d.Name.IsExported() && name != "Run") {
					t.Errorf("%s: the worker has a function %s", files.Position(d.Pos()), name)
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					for _, value := range spec.(*ast.ValueSpec).Values {
						checkInitialiser(t, files, value)
					}
				}
			}
		}
	}
}

// checkInitialiser refuses calls of C in the value of a variable of the package.
func checkInitialiser(t *testing.T, files *token.FileSet, value ast.Expr) {
	ast.Inspect(value, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && fmt.Sprint(f.X) == "C" {
				t.Errorf("%s: C is called when the program starts", files.Position(call.Pos()))
			}
		}
		return true
	})
}

// usesOfWorker counts the uses of the package of the worker in a file, which may stand in the worker command only.
func usesOfWorker(t *testing.T, files *token.FileSet, file *ast.File) (uses int) {
	for _, declared := range file.Decls {
		f, _ := declared.(*ast.FuncDecl)
		ast.Inspect(declared, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && fmt.Sprint(s.X) == "worker" {
				uses++
				if f == nil || f.Name.Name != "workerCommand" || s.Sel.Name != "Run" {
					t.Errorf("%s: %s of the worker is used outside of the worker command", files.Position(s.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
	return uses
}
