package engine

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/workerpool/pooltest"

	landlockabi "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// noLandlock tells whether this kernel lacks Landlock, so that files are not refused.
func noLandlock() bool {
	_, err := landlockabi.LandlockGetABIVersion()
	return err != nil
}

// All threads of a pool's workers are confined, and the log says so where they are less so.
func TestWorkersAreConfined(t *testing.T) {
	var log bytes.Buffer
	p := start(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	ready(t, p)
	for p.Stats().Workers < 2 {
		time.Sleep(time.Millisecond) // no signal tells that the other one is up as well
	}
	pids := pooltest.WorkersOf(t, os.Getpid())
	if len(pids) != 2 {
		t.Fatalf("got the workers %v", pids)
	}
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("got %v, %v", threads, err)
		}
		for _, name := range threads {
			status, err := os.ReadFile(name)
			if err != nil {
				continue // the thread has ended
			}
			for _, want := range []string{"\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
				if !bytes.Contains(status, []byte(want)) {
					t.Errorf("%s has not %q", name, want)
				}
			}
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if got, want := strings.Contains(log.String(), "less confined"), noLandlock(); got != want {
		t.Errorf("got the log %q", log.String())
	}
}

// blankPNG is a small file of a large page: white, 8-bit RGB.
func blankPNG(t *testing.T, side int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	row := append([]byte{0}, bytes.Repeat([]byte{255}, 3*side)...)
	for range side {
		if _, err := z.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		body := append([]byte(kind), data...)
		file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
		file = append(file, body...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return file
}

// A page that needs more memory than a worker may have fails by name, alone; where there is enough, it is read.
func TestPageBeyondTheMemoryLimit(t *testing.T) {
	file := blankPNG(t, 9000) // 324 MB decoded
	bomb := orderOf(porttest.PageOf(file), document.Box{X2: 200, Y2: 50})
	for _, c := range []struct {
		limit   int64
		refused bool
	}{{256 << 20, true}, {defaultMemoryLimit, false}} {
		p := start(t, func(o *Options) { o.MemoryLimit = c.limit; o.Workers = 1 })
		readings, err := p.Recognize(t.Context(), bomb)
		if fault.Is(err, fault.Unsupported) != c.refused || !c.refused && (err != nil || readings[0].Error != nil) {
			t.Errorf("limit %d: got %+v, %v", c.limit, readings, err)
		}
		ready(t, p)
	}
}
