package ppocr

import "glyphbox/internal/adapter/engine/read"

// share is what one pixel of the result takes of the pixels of the source, along one axis.
type share struct {
	first   int
	weights []float32 // of the pixels from first on; their sum is 1
}

// shares returns the shares of the pixels of an axis that is made longer or shorter: the mean of what a pixel covers where
// it is made shorter, and the linear interpolation between two centres else.
func shares(from, to int) []share {
	all := make([]share, to)
	scale := float32(from) / float32(to)
	for i := range all {
		if scale > 1 {
			low, high := float32(i)*scale, min(float32(i+1)*scale, float32(from))
			first := min(int(low), from-1)
			var weights []float32
			for j := first; j < from && float32(j) < high; j++ {
				weights = append(weights, (min(high, float32(j+1))-max(low, float32(j)))/(high-low))
			}
			all[i] = share{first, weights}
			continue
		}
		at := max(0, (float32(i)+0.5)*scale-0.5)
		first := min(int(at), from-1)
		if part := at - float32(first); part > 0 && first+1 < from {
			all[i] = share{first, []float32{1 - part, part}}
		} else {
			all[i] = share{first, []float32{1}}
		}
	}
	return all
}

// resize returns the three planes of an image, red, green and blue, each of height rows of width values from 0 to 255.
func resize(m read.RGB, width, height int) []float32 {
	rows := make([]float32, height*m.Width*3)
	for y, s := range shares(m.Height, height) {
		row := rows[y*m.Width*3 : (y+1)*m.Width*3]
		for j, weight := range s.weights {
			source := m.Pix[(s.first+j)*m.Width*3:][:len(row)]
			for x, v := range source {
				row[x] += weight * float32(v)
			}
		}
	}
	planes := make([]float32, 3*width*height)
	plane := width * height
	columns := shares(m.Width, width)
	for y := range height {
		row := rows[y*m.Width*3 : (y+1)*m.Width*3]
		for x, s := range columns {
			var r, g, b float32
			for j, weight := range s.weights {
				p := row[(s.first+j)*3:][:3]
				r += weight * p[0]
				g += weight * p[1]
				b += weight * p[2]
			}
			at := y*width + x
			planes[at], planes[plane+at], planes[2*plane+at] = r, g, b
		}
	}
	return planes
}
