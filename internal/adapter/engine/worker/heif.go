package worker

// #cgo linux LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdint.h>
// #include <stdlib.h>
// #include <string.h>
//
// // What is used of libheif's interface, which is stable since version 1.0, so that its headers are not needed.
// typedef struct { int code, subcode; const char *message; } heif_error;
// typedef struct {
// 	uint8_t version, ignore_transformations;
// 	void (*start_progress)(int, int, void *);
// 	void (*on_progress)(int, int, void *);
// 	void (*end_progress)(int, void *);
// 	void *progress_user_data;
// 	uint8_t convert_hdr_to_8bit;
// } heif_decoding_options; // the beginning, of version 2
// typedef struct { uint8_t version; uint64_t max_image_size_pixels; } heif_security_limits; // the beginning, of version 1
//
// static struct {
// 	const char *(*get_version)(void);
// 	heif_error (*init)(void *); // loads plugins; older ones have none
// 	int (*have_decoder)(int);
// 	void *(*alloc)(void);
// 	void (*free)(void *);
// 	heif_error (*read)(void *, const void *, size_t, const void *);
// 	heif_error (*primary)(void *, void **);
// 	void (*release_handle)(const void *);
// 	int (*has_alpha)(const void *);
// 	int (*is_premultiplied)(const void *); // nil in older ones
// 	heif_decoding_options *(*options)(void);
// 	void (*free_options)(heif_decoding_options *);
// 	heif_error (*decode)(const void *, void **, int, int, const heif_decoding_options *);
// 	int (*width)(const void *, int);
// 	int (*height)(const void *, int);
// 	const uint8_t *(*plane)(const void *, int, int *);
// 	void (*release)(const void *);
// 	void (*threads)(void *, int);                // nil in older ones
// 	heif_security_limits *(*limits)(void *);     // nil in older ones
// } heif;
//
// // heifOpen loads the library and returns what is wrong, or NULL.
// static const char *heifOpen(const char *file) {
// 	static char problem[512];
// 	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
// 	if (library == NULL) {
// 		strncpy(problem, dlerror(), sizeof problem - 1);
// 		return problem;
// 	}
// 	*(void **)&heif.init = dlsym(library, "heif_init");
// 	*(void **)&heif.is_premultiplied = dlsym(library, "heif_image_handle_is_premultiplied_alpha");
// 	*(void **)&heif.threads = dlsym(library, "heif_context_set_max_decoding_threads");
// 	*(void **)&heif.limits = dlsym(library, "heif_context_get_security_limits");
// 	struct { const char *name; void *to; } needed[] = {
// 		{"heif_get_version", &heif.get_version}, {"heif_have_decoder_for_format", &heif.have_decoder},
// 		{"heif_context_alloc", &heif.alloc}, {"heif_context_free", &heif.free},
// 		{"heif_context_read_from_memory_without_copy", &heif.read},
// 		{"heif_context_get_primary_image_handle", &heif.primary}, {"heif_image_handle_release", &heif.release_handle},
// 		{"heif_image_handle_has_alpha_channel", &heif.has_alpha}, {"heif_decoding_options_alloc", &heif.options},
// 		{"heif_decoding_options_free", &heif.free_options}, {"heif_decode_image", &heif.decode},
// 		{"heif_image_get_width", &heif.width}, {"heif_image_get_height", &heif.height},
// 		{"heif_image_get_plane_readonly", &heif.plane}, {"heif_image_release", &heif.release},
// 	};
// 	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
// 		if ((*(void **)needed[i].to = dlsym(library, needed[i].name)) == NULL) return needed[i].name;
// 	}
// 	if (heif.init != NULL) {
// 		heif_error e = heif.init(NULL);
// 		if (e.code != 0) return "heif_init failed";
// 	}
// 	return NULL;
// }
//
// static const char *heifVersion(void) { return heif.get_version(); }
// static int heifDecodes(int format) { return heif.have_decoder(format); }
//
// typedef struct {
// 	int code, subcode;
// 	char message[256];
// 	void *image;
// 	const uint8_t *pixels; // 3 or 4 bytes each
// 	int width, height, stride, alpha, premultiplied;
// } heif_picture;
//
// enum { interleaved = 10, rgb = 1, rgb_bytes = 10, rgba_bytes = 11 };
//
// static int heifFailed(heif_picture *p, heif_error e) {
// 	if (e.code == 0) return 0;
// 	p->code = e.code;
// 	p->subcode = e.subcode;
// 	if (e.message != NULL) strncpy(p->message, e.message, sizeof p->message - 1);
// 	return 1;
// }
//
// static void heifDecode(const void *data, size_t size, uint64_t most, heif_picture *p) {
// 	void *context = heif.alloc(), *handle = NULL;
// 	heif_decoding_options *options = heif.options();
// 	if (heif.threads != NULL) heif.threads(context, 1);
// 	if (heif.limits != NULL) heif.limits(context)->max_image_size_pixels = most;
// 	if (options->version >= 2) options->convert_hdr_to_8bit = 1;
// 	if (!heifFailed(p, heif.read(context, data, size, NULL)) && !heifFailed(p, heif.primary(context, &handle))) {
// 		p->alpha = heif.has_alpha(handle) != 0;
// 		p->premultiplied = p->alpha && heif.is_premultiplied != NULL && heif.is_premultiplied(handle);
// 		if (!heifFailed(p, heif.decode(handle, &p->image, rgb, p->alpha ? rgba_bytes : rgb_bytes, options))) {
// 			p->width = heif.width(p->image, interleaved);
// 			p->height = heif.height(p->image, interleaved);
// 			p->pixels = heif.plane(p->image, interleaved, &p->stride);
// 		}
// 		heif.release_handle(handle);
// 	}
// 	heif.free_options(options);
// 	heif.free(context);
// }
//
// static void heifRelease(heif_picture *p) {
// 	if (p->image != NULL) heif.release(p->image);
// }
//
// #include <leptonica/allheaders.h>
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/imagefile"
)

// heifDecoder decodes HEIC and AVIF by the system's libheif, which is loaded at run time and need not be there. A nil one decodes nothing.
type heifDecoder struct {
	formats map[string]bool // those that the library has a decoder for
}

// libheif are the names by which the loader may find the library on a system.
var libheif = map[string][]string{
	"darwin": {"libheif.1.dylib", "/opt/homebrew/lib/libheif.1.dylib", "/usr/local/lib/libheif.1.dylib"},
	"linux":  {"libheif.so.1"},
}

// The formats of libheif, by name and by its numbers for their compressions.
var (
	heifNames        = map[string]string{imagefile.HEIC: "HEIC", imagefile.AVIF: "AVIF"}
	heifCompressions = map[string]C.int{imagefile.HEIC: 1, imagefile.AVIF: 4}
)

// openHEIF loads the library with its plugins, once for the life of the process and before it is confined.
func openHEIF(names []string) (*heifDecoder, protocol.HEIF) {
	missing := "libheif is not known to this system"
	opened := false
	for _, name := range names {
		file := C.CString(name)
		problem := C.heifOpen(file)
		C.free(unsafe.Pointer(file))
		if opened = problem == nil; opened {
			break
		}
		missing = C.GoString(problem)
	}
	if !opened {
		return nil, protocol.HEIF{Missing: missing}
	}
	d := &heifDecoder{formats: map[string]bool{}}
	about := protocol.HEIF{Library: "libheif " + C.GoString(C.heifVersion())}
	var without []string
	for _, mediaType := range []string{imagefile.HEIC, imagefile.AVIF} {
		if C.heifDecodes(heifCompressions[mediaType]) != 0 {
			d.formats[mediaType], about.Formats = true, append(about.Formats, heifNames[mediaType])
		} else {
			without = append(without, heifNames[mediaType])
		}
	}
	if without != nil {
		about.Missing = about.Library + " has no plugin that decodes " + strings.Join(without, " and ")
	}
	return d, about
}

// codeWithout says that the library, or its decoder of a format, is missing.
const codeWithout = "decoder_missing"

// Errors of libheif.
const (
	heifUnsupportedFile    = 3
	heifUnsupportedFeature = 4
	heifMemory             = 6
)

// without returns a fault that says what is missing for files of a format, or nil.
func (d *heifDecoder) without(mediaType string) error {
	name := heifNames[mediaType]
	switch {
	case name == "" || d != nil && d.formats[mediaType]:
		return nil
	case d == nil:
		return fault.New(fault.Unsupported, codeWithout,
			"%s needs libheif on the server, which is not there. Save the image as JPEG.", name)
	}
	return fault.New(fault.Unsupported, codeWithout,
		"%s needs a decoder for it in the server's libheif, which is not there. Save the image as JPEG.", name)
}

// decode decodes the first picture of a file, upright, of at most that many pixels.
func (d *heifDecoder) decode(data []byte, maxPixels int64) (*pix, error) {
	if len(data) == 0 {
		return nil, errors.New("no bytes")
	}
	var c C.heif_picture
	C.heifDecode(unsafe.Pointer(&data[0]), C.size_t(len(data)), C.uint64_t(2*maxPixels), &c)
	defer C.heifRelease(&c)
	if c.code != 0 {
		err := fmt.Errorf("libheif: %s (%d, %d)", C.GoString(&c.message[0]), c.code, c.subcode)
		switch c.code {
		case heifUnsupportedFile, heifUnsupportedFeature:
			return nil, errors.Join(imagefile.VariantError("libheif says "+C.GoString(&c.message[0])), err)
		case heifMemory:
			return nil, errors.Join(imagefile.VariantError("it takes more memory than is allowed here"), err)
		}
		return nil, err
	}
	width, height, stride := int(c.width), int(c.height), int(c.stride)
	if c.pixels == nil || width <= 0 || height <= 0 {
		return nil, errors.New("libheif: no pixels")
	}
	p, err := own(C.pixCreate(C.l_int32(width), C.l_int32(height), 32), "pixCreate")
	if err != nil {
		return nil, err
	}
	from, each := unsafe.Slice((*byte)(unsafe.Pointer(c.pixels)), stride*height), 3
	if c.alpha != 0 {
		each = 4
		C.pixSetSpp(p.p, 4)
	}
	words, perRow := p.words(), int(C.pixGetWpl(p.p))
	for y := range height {
		row := from[y*stride:][:width*each]
		for x, out := 0, words[y*perRow:][:width]; x < width; x++ {
			v := row[x*each:][:each]
			r, g, b, a := uint32(v[0]), uint32(v[1]), uint32(v[2]), uint32(255)
			if each == 4 {
				a = uint32(v[3])
			}
			if c.premultiplied != 0 && a > 0 {
				r, g, b = min(r*255/a, 255), min(g*255/a, 255), min(b*255/a, 255)
			}
			out[x] = r<<24 | g<<16 | b<<8 | a
		}
	}
	return p, nil
}
