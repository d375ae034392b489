package ppocr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"unicode"

	"github.com/BurntSushi/toml"
)

// Files are the files of a folder of models, as its models.toml names them.
type Files struct {
	Library     string // ONNX Runtime, which runs the models; an absolute path, like the others
	Detector    ModelFile
	Recognisers []ModelFile // the one to be asked first comes first
}

// Paths returns the paths of the models, all of which may be read while models are loaded. It returns none for nil.
func (f *Files) Paths() (paths []string) {
	if f == nil {
		return nil
	}
	for _, m := range append([]ModelFile{f.Detector}, f.Recognisers...) {
		paths = append(paths, m.Path)
	}
	return paths
}

// ModelFile is the file of a model.
type ModelFile struct {
	Path    string   `toml:"file"`
	SHA256  string   `toml:"sha256"`
	Scripts []string `toml:"scripts"` // that a recogniser reads
}

// DefaultFolder returns the folder into which scripts/models downloads the models: glyphbox/models in the user's cache directory.
func DefaultFolder() (string, error) {
	caches, err := os.UserCacheDir()
	return filepath.Join(caches, "glyphbox", "models"), err
}

const listName = "models.toml"

// Find returns the files of a folder, after it has checked that each model is the one in the list. It fails with fs.ErrNotExist if the
// folder has no list.
func Find(folder string) (Files, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return Files{}, err
	}
	var list struct {
		Detector   ModelFile   `toml:"detector"`
		Recogniser []ModelFile `toml:"recogniser"`
	}
	meta, err := toml.DecodeFile(filepath.Join(folder, listName), &list)
	if err != nil {
		return Files{}, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Files{}, fmt.Errorf("%s: %s is unknown", listName, unknown[0])
	}
	if len(list.Recogniser) == 0 {
		return Files{}, fmt.Errorf("%s names no recogniser", listName)
	}
	f := Files{Library: filepath.Join(folder, libraryName()), Detector: list.Detector, Recognisers: list.Recogniser}
	if _, err := os.Stat(f.Library); err != nil {
		return Files{}, err
	}
	if err := f.Detector.find(folder); err != nil {
		return Files{}, err
	}
	for i := range f.Recognisers {
		m := &f.Recognisers[i]
		if len(m.Scripts) == 0 {
			return Files{}, fmt.Errorf("%s: %s has no scripts", listName, m.Path)
		}
		for _, s := range m.Scripts {
			if unicode.Scripts[s] == nil {
				return Files{}, fmt.Errorf("%s: %q is no script of Unicode, such as Latin or Hangul", listName, s)
			}
		}
		if err := m.find(folder); err != nil {
			return Files{}, err
		}
	}
	return f, nil
}

func libraryName() string {
	if runtime.GOOS == "darwin" {
		return "libonnxruntime.dylib"
	}
	return "libonnxruntime.so"
}

// find makes the path absolute and checks the sum.
func (m *ModelFile) find(folder string) error {
	if !filepath.IsLocal(m.Path) {
		return fmt.Errorf("%s: %q names no file in the folder", listName, m.Path)
	}
	m.Path = filepath.Join(folder, m.Path)
	file, err := os.Open(m.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != m.SHA256 {
		return fmt.Errorf("%s has the SHA-256 %s, and %s says %s", m.Path, sum, listName, m.SHA256)
	}
	return nil
}

// Name returns the name of the model: the file name without its extension.
func (m ModelFile) Name() string {
	base := filepath.Base(m.Path)
	return base[:len(base)-len(filepath.Ext(base))]
}
