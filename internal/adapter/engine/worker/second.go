package worker

import (
	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/protocol"
)

// openModels loads the library of the second recogniser. The worker goes on without it where it is not for this machine.
func (l *library) openModels(files *ppocr.Files) protocol.Second {
	if files == nil {
		return protocol.Second{}
	}
	second, err := openRuntime(*files)
	if err != nil {
		return protocol.Second{Missing: err.Error()}
	}
	l.second = second
	about := protocol.Second{Runtime: "onnxruntime " + second.version()}
	for _, f := range append(files.Recognisers, files.Detector) {
		about.Models = append(about.Models, f.Name())
	}
	return about
}

// loadModels loads the models of the second recogniser, so that the first region does not wait for them.
func (l *library) loadModels() error {
	if l.second == nil {
		return nil
	}
	return l.second.load()
}
