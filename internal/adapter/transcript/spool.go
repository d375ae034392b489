package transcript

import (
	"bytes"
	"io"
	"os"
)

// spool keeps text that can only be written after something that follows it is known: in memory, or in a temporary file if it is long. It
// remembers its first error, so writers need not check each.
type spool struct {
	dir  string // of the file; empty for that of the system
	head bytes.Buffer
	file *os.File // nil as long as all is in head
	size int64    // bytes that were written
	err  error
}

func (e *Exporter) spool() *spool { return &spool{dir: e.temp} }

const spoolMemory = 4 << 20 // bytes

// Write implements io.Writer.
func (s *spool) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.head.Write(b)
	s.size += int64(len(b))
	if s.head.Len() > spoolMemory {
		s.err = s.flush()
	}
	return len(b), s.err
}

// flush moves what is in memory to the file.
func (s *spool) flush() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, "glyphbox-export-*"); err != nil {
			return err
		}
		if err := os.Remove(s.file.Name()); err != nil { // so that nothing is left even if this process crashes
			return err
		}
	}
	_, err = s.head.WriteTo(s.file)
	return err
}

// reader returns all that was written. Nothing is written afterwards.
func (s *spool) reader() (io.Reader, error) {
	if s.err != nil || s.file == nil {
		return bytes.NewReader(s.head.Bytes()), s.err
	}
	return io.MultiReader(io.NewSectionReader(s.file, 0, s.size-int64(s.head.Len())), bytes.NewReader(s.head.Bytes())), nil
}

// copyTo writes all that was written. Nothing is written afterwards.
func (s *spool) copyTo(w io.Writer) error {
	all, err := s.reader()
	if err == nil {
		_, err = io.Copy(w, all)
	}
	return err
}

// Close frees everything.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
