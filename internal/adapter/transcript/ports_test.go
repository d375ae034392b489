package transcript

import (
	"testing"

	"glyphbox/internal/porttest"
)

func TestExporter(t *testing.T) { porttest.Exporter(t, &Exporter{}) }
