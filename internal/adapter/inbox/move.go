package inbox

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"glyphbox/internal/durable"
)

// side is a file that lies beside another one.
type side struct {
	ending string // that is added to its name
	text   []byte
}

// errTaken means that a name is taken by something else.
var errTaken = errors.New("the name is taken")

// move moves a file from reading to a folder, with files beside it, under a name that is free there. It can be repeated after it broke off,
// and by two nodes at once: a hard link takes a name that is free, or finds the file there already. It tells whether it moved the file.
func (w *Watcher) move(b box, dir, file, folder string, sides ...side) bool {
	err := b.MkdirAll(path.Join(folder, path.Dir(file)), 0o777)
	for n := 1; err == nil; n++ {
		err = place(b, path.Join(dir, file), path.Join(folder, numbered(file, n)), sides)
		if !errors.Is(err, errTaken) {
			break
		}
		err = nil
	}
	if err == nil {
		err = b.Remove(path.Join(dir, file))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false // another node has moved it
	}
	w.complain(b.key(dir), "a file cannot be moved to "+folder, err)
	if err != nil {
		w.pause(b.key(path.Base(dir)), longPause)
		return false
	}
	removeEmpty(b, dir)
	return true
}

// place links a file to a name, unless it is there already, and writes the files beside it. errTaken.
func place(b box, from, to string, sides []side) error {
	for _, s := range sides {
		name := beside(to, s.ending)
		if isIrregular(b, name) {
			return errTaken
		}
		if there, err := b.ReadFile(name); err == nil && !bytes.Equal(there, s.text) {
			return errTaken
		}
	}
	if err := link(b, from, to); err != nil {
		return err
	}
	for _, s := range sides {
		if err := write(b, beside(to, s.ending), s.text); err != nil {
			return err
		}
	}
	return syncDir(b, path.Dir(to))
}

// isIrregular tells whether a name is that of something other than a file.
func isIrregular(b box, name string) bool {
	info, err := b.Lstat(name)
	return err == nil && !info.Mode().IsRegular()
}

// link gives a file another name. errTaken if that belongs to another file. If the file system has no links, it checks the name first,
// which two nodes might do at once.
func link(b box, from, to string) error {
	err := b.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there, failure := b.Lstat(to)
	if failure == nil {
		mine, err := b.Lstat(from)
		if err == nil && !os.SameFile(mine, there) {
			err = errTaken
		}
		return err
	}
	if !errors.Is(failure, fs.ErrNotExist) {
		return failure
	}
	for _, none := range []error{syscall.EPERM, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EMLINK} {
		if errors.Is(err, none) {
			return copyFile(b, from, to)
		}
	}
	return err
}

// copyFile copies a file to a name that is free.
func copyFile(b box, from, to string) error {
	in, err := open(b, from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := fill(b, to, in); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errTaken
}

// write writes a file, as a whole or not at all.
func write(b box, name string, text []byte) error {
	temp := path.Join(path.Dir(name), ".glyphbox-"+strings.ToLower(rand.Text()))
	if err := fill(b, temp, bytes.NewReader(text)); err != nil {
		return err
	}
	if err := b.Rename(temp, name); err != nil {
		return errors.Join(err, b.Remove(temp))
	}
	return nil
}

// fill writes all that r gives to a new file, and syncs its bytes. On an error there is no file.
func fill(b box, name string, r io.Reader) error {
	f, err := b.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err := durable.Copy(f, r); err != nil {
		return errors.Join(err, b.Remove(name))
	}
	return nil
}

func syncDir(b box, dir string) error {
	f, err := b.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// maxFileName is the most bytes of a name of a file.
const maxFileName = 255

// numbered returns the n-th name that a file may have: a.pdf, a (2).pdf …
func numbered(file string, n int) string {
	if n == 1 {
		return file
	}
	dir, base := path.Split(file)
	ending := path.Ext(base)
	if len(ending) > 20 {
		ending = ""
	}
	number := fmt.Sprintf(" (%d)", n)
	return dir + cut(strings.TrimSuffix(base, ending), maxFileName-len(number)-len(ending)) + number + ending
}

// beside returns the name of a file beside another one.
func beside(file, ending string) string {
	dir, base := path.Split(file)
	return dir + cut(base, maxFileName-len(ending)) + ending
}

// cut shortens a text to at most that many bytes, at the end of a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	text = text[:most]
	for i := 0; i < utf8.UTFMax-1 && len(text) > 0; i++ {
		if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text
}
