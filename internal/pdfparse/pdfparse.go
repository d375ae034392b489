// Package pdfparse parses PDF files with pdfcpu. It is for worker processes: over what strangers send it may panic, or take much memory.
package pdfparse

import (
	"bytes"
	"errors"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"glyphbox/internal/imagefile"
)

// withoutFolder keeps the parser from making a folder of its own in that of the user. It sets a variable of the library's.
var withoutFolder = sync.OnceFunc(api.DisableConfigDir)

// Configuration is for a file that the password opens. It forgives what can be forgiven, and asks nothing of the network.
func Configuration(password string) *model.Configuration {
	withoutFolder()
	c := model.NewDefaultConfiguration()
	c.UserPW, c.OwnerPW = password, password
	c.ValidationMode = model.ValidationRelaxed
	c.Offline = true
	c.PostProcessValidate = false
	return c
}

// Read parses a file that the password opens, in whatever form the file has it. It returns the bytes that were parsed, in which a lock that
// the parser does not know may have been replaced, and the password for them.
func Read(file []byte, password string) (ctx *model.Context, parsed []byte, opens string, err error) {
	parsed, passwords := imagefile.PDFUnlocked(file, password)
	for _, opens = range passwords {
		ctx, err = api.ReadContext(bytes.NewReader(parsed), Configuration(opens))
		if !errors.Is(err, pdfcpu.ErrWrongPassword) {
			break
		}
	}
	return ctx, parsed, opens, err
}
