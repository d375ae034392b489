// Package ppocr finds and reads lines with models of the PP-OCR family. It turns images into the input tensors of the models, and
// output tensors into characters and outlines. Models run behind the interface Session, so that the package is pure Go.
//
// A recogniser is a network with a CTC head (Graves et al., Connectionist Temporal Classification, ICML 2006): for each step along the
// line it returns a probability for each character, a space, and a blank between characters. A detector is a DBNet (Liao et al.,
// Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020): for each pixel it returns the probability that it is in
// the shrunk middle of a line.
package ppocr

import (
	"fmt"

	"glyphbox/internal/adapter/engine/read"
)

// Session runs a model. It must not be used concurrently.
type Session interface {
	// Run gives the model in, and puts what comes out into out. It fails where that has another shape.
	Run(in, out Tensor) error
}

// Tensor is an array of several dimensions, the last of which changes fastest.
type Tensor struct {
	Shape []int64
	Data  []float32
}

// tensor returns a tensor of a shape whose data are in memory, where there is enough of it. They are not set to 0.
func tensor(memory *[]float32, shape ...int) Tensor {
	t, size := Tensor{}, 1
	for _, n := range shape {
		t.Shape = append(t.Shape, int64(n))
		size *= n
	}
	if cap(*memory) < size {
		*memory = make([]float32, size)
	}
	t.Data = (*memory)[:size]
	return t
}

func checkImage(m read.RGB) error {
	if m.Width < 1 || m.Height < 1 || len(m.Pix) != 3*m.Width*m.Height {
		return fmt.Errorf("an image of %d×%d pixels cannot have %d bytes", m.Width, m.Height, len(m.Pix))
	}
	return nil
}
