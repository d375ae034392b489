package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/adapter/engine/traineddata"
	"glyphbox/internal/domain/recognition"
)

// tessdataPlaces are where packages put traineddata, as patterns.
var tessdataPlaces = []string{
	"/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/usr/share/tesseract/tessdata",
	"/usr/local/share/tessdata", "/opt/homebrew/share/tessdata", "/opt/local/share/tessdata",
}

// tessdata is traineddata that a pool can use.
type tessdata struct {
	folder    string // an absolute path
	languages []language
	made      string // folder with links, to be removed in the end; empty: none
}

// language is an installed traineddata file.
type language struct {
	code         string // "eng", "kor", "chi_sim", "script/Hangul"
	lstm, legacy bool   // which models it has
}

func (l language) supports(mode recognition.Mode) bool {
	switch mode {
	case modeLegacy:
		return l.legacy
	case modeLSTM:
		return l.lstm
	case modeBoth:
		return l.lstm && l.legacy
	}
	return true
}

// findTessdata finds the traineddata in the folders given, or else in that of TESSDATA_PREFIX, or else in the first of the usual places
// that has any. A folder of links that it needs is made below temp.
func findTessdata(dirs []string, temp string) (found tessdata, err error) {
	if len(dirs) == 0 {
		found.folder, err = usualTessdata()
	} else {
		found.folder, found.made, err = joinTessdata(dirs, temp)
	}
	if err != nil {
		return tessdata{}, err
	}
	if found.folder, err = filepath.Abs(found.folder); err == nil {
		found.languages, err = listTessdata(found.folder)
	}
	if err == nil && len(found.languages) == 0 {
		err = fmt.Errorf("traineddata: none found in %s", strings.Join(dirs, ", "))
	}
	if err != nil {
		return tessdata{}, errors.Join(err, os.RemoveAll(found.made))
	}
	return found, nil
}

func usualTessdata() (string, error) {
	var tried []string
	if prefix := os.Getenv("TESSDATA_PREFIX"); prefix != "" {
		tried = append(tried, prefix, filepath.Join(prefix, "tessdata"))
	}
	for _, pattern := range tessdataPlaces {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found) // the newest version first
		tried = append(tried, found...)
	}
	for _, place := range tried {
		if languages, _ := listTessdata(place); len(languages) > 0 { // one that cannot be listed is as good as none
			return place, nil
		}
	}
	return "", errors.New("no traineddata found on this machine (install tesseract-ocr-eng, or name its folder with --tessdata-dir)")
}

// notLanguages are traineddata files that read nothing by themselves.
var notLanguages = []string{"osd", "equ", "snum"}

func listTessdata(dir string) (languages []language, err error) {
	err = walkTessdata(dir, func(path, name string) error {
		code := strings.TrimSuffix(name, traineddata.Suffix)
		if slices.Contains(notLanguages, code) {
			return nil
		}
		found, err := readTraineddata(path)
		if err != nil {
			return nil //nolint:nilerr // not traineddata, or not for us to read: as if it were not there
		}
		found.code = filepath.ToSlash(code)
		languages = append(languages, found)
		return nil
	})
	slices.SortFunc(languages, func(a, b language) int { return strings.Compare(a.code, b.code) })
	return languages, err
}

// walkTessdata visits the traineddata files of a folder and of those in it, with their names relative to the folder. It skips folders that
// are hidden or not readable, which mounted volumes have.
func walkTessdata(dir string, visit func(path, name string) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if path != dir && entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || errors.Is(err, fs.ErrPermission)) {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, traineddata.Suffix) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(path, name)
	})
}

// joinTessdata returns one folder for several, since the library looks into one only. If only one has files, it returns that; otherwise a
// new one with links to the files of all. Of files with the same name the first counts. A folder may be empty, but has to exist.
func joinTessdata(dirs []string, temp string) (folder, made string, err error) {
	var filled []string
	for _, dir := range dirs {
		files := 0
		if err := walkTessdata(dir, func(string, string) error { files++; return nil }); err != nil {
			return "", "", fmt.Errorf("traineddata: %w", err)
		}
		if files > 0 {
			filled = append(filled, dir)
		}
	}
	if len(filled) < 2 {
		return append(filled, dirs...)[0], "", nil
	}
	if made, err = os.MkdirTemp(temp, "tessdata-"); err != nil {
		return "", "", err
	}
	for _, dir := range filled {
		if err := linkTessdata(made, dir); err != nil {
			return "", "", errors.Join(fmt.Errorf("traineddata: %w", err), os.RemoveAll(made))
		}
	}
	return made, made, nil
}

// linkTessdata makes links in a folder to the files of another one, but for those whose names are taken.
func linkTessdata(folder, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return walkTessdata(dir, func(path, name string) error {
		link := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(path, link); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// readTraineddata tells which engines a file has models for.
func readTraineddata(path string) (l language, err error) {
	f, err := traineddata.Open(path)
	if err != nil {
		return l, err
	}
	defer f.Close()
	return language{lstm: f.Has(traineddata.LSTM), legacy: f.Has(traineddata.Legacy)}, nil
}

// tongues returns one language for each script, among those that have a model for the mode. A language that is named counts for its script.
func (t tessdata) tongues(mode recognition.Mode, named []string) []read.Tongue {
	var usable []string
	for _, l := range t.languages {
		if l.supports(mode) {
			usable = append(usable, l.code)
		}
	}
	return read.Tongues(usable, named)
}

// written are the languages that a text was taken in for a task, which may leave them open.
func (t tessdata) written(text string, task recognition.Task) []string {
	if !slices.Contains(task.Lang, recognition.AutoLang) {
		return task.Lang
	}
	return read.LangOf(text, t.tongues(task.Mode, task.Lang))
}
