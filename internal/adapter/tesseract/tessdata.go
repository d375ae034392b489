package tesseract

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glyphbox/internal/domain/recognition"
)

// tessdataPlaces are where packages put traineddata, as patterns.
var tessdataPlaces = []string{
	"/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/usr/share/tesseract/tessdata",
	"/usr/local/share/tessdata", "/opt/homebrew/share/tessdata", "/opt/local/share/tessdata",
}

// findTessdata returns the folder of the traineddata and what it has: the folder named, or that of TESSDATA_PREFIX, or the
// first of the usual places that has any.
func findTessdata(dir string) (string, []recognition.Language, error) {
	var tried []string
	if dir != "" {
		tried = []string{dir}
	} else {
		if prefix := os.Getenv("TESSDATA_PREFIX"); prefix != "" {
			tried = append(tried, prefix, filepath.Join(prefix, "tessdata"))
		}
		for _, pattern := range tessdataPlaces {
			found, _ := filepath.Glob(pattern)
			slices.Reverse(found) // the newest version first
			tried = append(tried, found...)
		}
	}
	for _, place := range tried {
		languages, err := listTessdata(place)
		if err != nil && dir != "" {
			return "", nil, fmt.Errorf("traineddata: %w", err)
		}
		if len(languages) > 0 {
			absolute, err := filepath.Abs(place)
			return absolute, languages, err
		}
	}
	if dir != "" {
		return "", nil, fmt.Errorf("there is no traineddata in %s", dir)
	}
	return "", nil, fmt.Errorf("there is no traineddata on this machine (install tesseract-ocr-eng, or name its folder with --tessdata-dir)")
}

// notLanguages are traineddata files that read nothing by themselves.
var notLanguages = []string{"osd", "equ", "snum"}

func listTessdata(dir string) (languages []recognition.Language, err error) {
	err = walkTessdata(dir, func(path, name string) error {
		code := strings.TrimSuffix(name, suffix)
		if slices.Contains(notLanguages, code) {
			return nil
		}
		language, err := readTraineddata(path)
		if err != nil {
			return nil //nolint:nilerr // not traineddata, or not for us to read: as if it were not there
		}
		language.Code = filepath.ToSlash(code)
		languages = append(languages, language)
		return nil
	})
	slices.SortFunc(languages, func(a, b recognition.Language) int { return strings.Compare(a.Code, b.Code) })
	return languages, err
}

// suffix ends the names of traineddata files.
const suffix = ".traineddata"

// walkTessdata visits the traineddata files of a folder and of those in it, with their names from the folder on.
func walkTessdata(dir string, visit func(path, name string) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(path, name)
	})
}

// joinTessdata makes a folder below temp with links to the files of several folders, of which the first counts that has a
// name, since the library looks into one folder only. A folder that is empty does no harm; one that is not there does.
func joinTessdata(temp string, dirs []string) (joined string, err error) {
	if joined, err = os.MkdirTemp(temp, "tessdata-"); err != nil {
		return "", err
	}
	for _, dir := range dirs {
		if err := linkTessdata(joined, dir); err != nil {
			return "", errors.Join(fmt.Errorf("traineddata: %w", err), os.RemoveAll(joined))
		}
	}
	if entries, err := os.ReadDir(joined); len(entries) == 0 {
		return "", errors.Join(fmt.Errorf("there is no traineddata in %s", strings.Join(dirs, ", ")), err, os.Remove(joined))
	}
	return joined, nil
}

// linkTessdata makes links in a folder to the files of another one, but for those whose names are taken.
func linkTessdata(joined, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return walkTessdata(dir, func(path, name string) error {
		link := filepath.Join(joined, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(path, link); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// The components of traineddata that make a model (tessdatamanager.h of Tesseract).
const (
	componentLegacy = 3  // TESSDATA_INTTEMP
	componentLSTM   = 17 // TESSDATA_LSTM
)

// readTraineddata looks into the table at the start of the file: a count, then an offset for each component, negative for
// one that is not there.
func readTraineddata(path string) (l recognition.Language, err error) {
	f, err := os.Open(path)
	if err != nil {
		return l, err
	}
	defer f.Close()
	var count int32
	if err := binary.Read(f, binary.LittleEndian, &count); err != nil {
		return l, err
	}
	if count < 1 || count > 256 {
		return l, fmt.Errorf("%s: %d components", path, count)
	}
	offsets := make([]int64, count)
	if err := binary.Read(f, binary.LittleEndian, offsets); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return l, err
	}
	has := func(component int) bool { return component < len(offsets) && offsets[component] > 0 }
	l.LSTM, l.Legacy = has(componentLSTM), has(componentLegacy)
	return l, nil
}
