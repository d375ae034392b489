package transcript

import (
	"io"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"glyphbox/internal/domain/recognition"
)

const (
	sheetName    = "Regions"
	maxCellUnits = excelize.TotalCellChars // UTF-16 units of a cell
)

// writeXLSX writes a table as a workbook of Excel's. Texts are texts there, whatever they begin with. A text that is too long for a cell
// goes on in the rows below.
func writeXLSX(w io.Writer, t recognition.Transcript) (err error) {
	book := excelize.NewFile()
	defer book.Close()
	if err := book.SetSheetName(book.GetSheetName(0), sheetName); err != nil {
		return err
	}
	sheet, err := newSheet(book, t)
	if err != nil {
		return err
	}
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		for _, r := range rowsOf(p) {
			if err := sheet.write(r); err != nil {
				return err
			}
		}
	}
	if err := sheet.stream.Flush(); err != nil {
		return err
	}
	if _, err := book.WriteTo(w); err != nil {
		return err
	}
	return nil
}

// sheet is a table of a workbook that is being written. The rows are in a temporary file where there are many.
type sheet struct {
	stream                    *excelize.StreamWriter
	several                   bool
	rows                      int
	head, top, text, fraction int // styles
}

func newSheet(book *excelize.File, t recognition.Transcript) (*sheet, error) {
	s := &sheet{several: t.Several}
	top := &excelize.Alignment{Vertical: "top"}
	var err error
	for _, style := range []struct {
		id   *int
		form *excelize.Style
	}{
		{&s.head, &excelize.Style{Font: &excelize.Font{Bold: true}}}, {&s.top, &excelize.Style{Alignment: top}},
		{&s.text, &excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}, NumFmt: 49}}, // text
		{&s.fraction, &excelize.Style{Alignment: top, CustomNumFmt: new("0.00")}},
	} {
		if *style.id, err = book.NewStyle(style.form); err != nil {
			return nil, err
		}
	}
	if s.stream, err = book.NewStreamWriter(sheetName); err != nil {
		return nil, err
	}
	widths := []float64{7, 8, 20, 70, 11, 11}
	if s.several {
		widths = append([]float64{30}, widths...)
	}
	for i, width := range widths {
		if err := s.stream.SetColWidth(i+1, i+1, width); err != nil {
			return nil, err
		}
	}
	if err := s.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	var cells []any
	for _, name := range heading(t) {
		cells = append(cells, excelize.Cell{StyleID: s.head, Value: name})
	}
	return s, s.add(cells)
}

// write adds a region, in as many rows as its text needs.
func (s *sheet) write(r row) error {
	for _, part := range cellTexts(r.text) {
		cells := []any{excelize.Cell{StyleID: s.top, Value: r.page}, excelize.Cell{StyleID: s.top, Value: r.number},
			excelize.Cell{StyleID: s.text, Value: r.name},
			excelize.Cell{StyleID: s.text, Value: part}, excelize.Cell{StyleID: s.fraction, Value: r.confidence},
			excelize.Cell{StyleID: s.top, Value: r.confirmed}}
		if s.several {
			cells = append([]any{excelize.Cell{StyleID: s.text, Value: r.document}}, cells...)
		}
		if err := s.add(cells); err != nil {
			return err
		}
	}
	return nil
}

func (s *sheet) add(cells []any) error {
	s.rows++
	at, err := excelize.CoordinatesToCellName(1, s.rows)
	if err != nil {
		return err
	}
	return s.stream.SetRow(at, cells)
}

// cellTexts are the parts of a text that fit into cells.
func cellTexts(text string) (parts []string) {
	units, begin := 0, 0
	for i, r := range text {
		n := utf16.RuneLen(r)
		if units+n > maxCellUnits {
			parts = append(parts, text[begin:i])
			units, begin = 0, i
		}
		units += n
	}
	return append(parts, text[begin:])
}
