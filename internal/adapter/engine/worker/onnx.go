package worker

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/read"
)

// secondModels are the models of the second recogniser, run by ONNX Runtime.
type secondModels struct {
	recognisers []lateRecogniser // the one to be asked first before the others
	detector    lateDetector
}

// openRuntime loads the library, once for the life of the process and before it is confined. An error says that the library is not
// for this machine.
func openRuntime(files ppocr.Files) (*secondModels, error) {
	// Otherwise the library records its use in the home folder, and sends that to its maker if it can.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return nil, err
	}
	ort.SetSharedLibraryPath(files.Library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, err
	}
	m := &secondModels{detector: sync.OnceValues(func() (*ppocr.Detector, error) {
		s, _, err := openModel(files.Detector)
		return ppocr.NewDetector(files.Detector.Name(), s), err
	})}
	for _, f := range files.Recognisers {
		m.recognisers = append(m.recognisers, lateRecogniser{f, sync.OnceValues(func() (*ppocr.Recogniser, error) {
			s, characters, err := openModel(f)
			return ppocr.NewRecogniser(f.Name(), s, characters, f.Scripts), err
		})})
	}
	return m, nil
}

// version is that of the library, such as 1.32.0.
func (m *secondModels) version() string { return ort.GetVersion() }

// load loads the models that are not loaded yet.
func (m *secondModels) load() error {
	for _, r := range m.recognisers {
		if _, err := r.load(); err != nil {
			return err
		}
	}
	_, err := m.detector()
	return err
}

// lateRecogniser is a recogniser whose model is loaded when it is first asked.
type lateRecogniser struct {
	file ppocr.ModelFile
	load func() (*ppocr.Recogniser, error)
}

// Name implements read.Recogniser.
func (r lateRecogniser) Name() string { return r.file.Name() }

// Scripts implements read.Scripted.
func (r lateRecogniser) Scripts() []string { return r.file.Scripts }

// Read implements read.Recogniser.
func (r lateRecogniser) Read(line read.RGB, letters int, charset string) ([]read.Char, error) {
	loaded, err := r.load()
	if err != nil {
		return nil, err
	}
	return loaded.Read(line, letters, charset)
}

// lateDetector loads the detector when it is first asked.
type lateDetector func() (*ppocr.Detector, error)

// Detect implements read.Detector.
func (load lateDetector) Detect(page read.RGB) ([]read.Quad, error) {
	detector, err := load()
	if err != nil {
		return nil, err
	}
	return detector.Detect(page)
}

// session is a ppocr.Session.
type session struct{ *ort.DynamicAdvancedSession }

// openModel loads a model of one input and one output, and the characters of a recogniser, which stand in its file.
func openModel(file ppocr.ModelFile) (s session, characters []string, err error) {
	fail := func(err error) (session, []string, error) {
		return session{}, nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	options, err := sessionOptions()
	if err != nil {
		return fail(err)
	}
	defer func() { _ = options.Destroy() }()
	inputs, outputs, err := ort.GetInputOutputInfoWithOptions(file.Path, options)
	if err != nil {
		return fail(err)
	}
	if len(inputs) != 1 || len(outputs) != 1 {
		return fail(fmt.Errorf("%d inputs and %d outputs; there must be one of each", len(inputs), len(outputs)))
	}
	s.DynamicAdvancedSession, err = ort.NewDynamicAdvancedSession(file.Path, []string{inputs[0].Name}, []string{outputs[0].Name}, options)
	if err != nil {
		return fail(err)
	}
	if file.Scripts == nil {
		return s, nil, nil
	}
	metadata, err := s.GetModelMetadata()
	if err != nil {
		return fail(err)
	}
	defer func() { _ = metadata.Destroy() }()
	text, ok, err := metadata.LookupCustomMetadataMap("character")
	if err != nil {
		return fail(err)
	}
	characters = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if classes := outputs[0].Dimensions[len(outputs[0].Dimensions)-1]; !ok || int64(len(characters)+2) != classes {
		return fail(fmt.Errorf("%d classes, and the file names %d characters", classes, len(characters)))
	}
	return s, characters, nil
}

// sessionOptions limit a model to the one core that its worker has.
func sessionOptions() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	return o, errors.Join(
		o.SetIntraOpNumThreads(1),
		o.SetInterOpNumThreads(1),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		o.SetCpuMemArena(false), // which would keep what the largest page took
		o.SetMemPattern(false),  // each width of a line is a shape of its own
	)
}

// largeInput is the number of values, as of a page or a very long line, from which memory is returned to the system after a model has run.
// To return it always, by mapping each tensor, would cost half of the time again.
const largeInput = 200_000

// Run implements ppocr.Session.
func (s session) Run(in, out ppocr.Tensor) (err error) {
	if len(in.Data) >= largeInput {
		defer trim()
	}
	input, err := ort.NewTensor(ort.Shape(in.Shape), in.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, input.Destroy()) }()
	output, err := ort.NewTensor(ort.Shape(out.Shape), out.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, output.Destroy()) }()
	return s.DynamicAdvancedSession.Run([]ort.Value{input}, []ort.Value{output})
}
