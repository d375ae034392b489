package transcript

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// spool takes what can only be written once something behind it is known: in memory, or in a temporary file where it is long. It remembers its
// first error, so that writers need not look at each.
type spool struct {
	head bytes.Buffer
	file *os.File // nil as long as all is in head
	err  error
}

const spoolMemory = 4 << 20 // bytes

// Write implements io.Writer.
func (s *spool) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.head.Write(b)
	if s.head.Len() > spoolMemory {
		s.err = s.flush()
	}
	return len(b), s.err
}

// flush moves what is in memory to the file.
func (s *spool) flush() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "glyphbox-export-*"); err != nil {
			return err
		}
	}
	_, err = s.head.WriteTo(s.file)
	return err
}

// copyTo writes all that was written. It is called once, and nothing is written afterwards.
func (s *spool) copyTo(w io.Writer) error {
	if s.err != nil {
		return s.err
	}
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w, s.file); err != nil {
			return err
		}
	}
	_, err := s.head.WriteTo(w)
	return err
}

// Close frees everything.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
