#define _GNU_SOURCE
#include <dlfcn.h>
#include <leptonica/allheaders.h>

static int compressed;
static long stored;

void compressLineImages(int yes) { compressed = yes; }

long storedLineImages(void) { return stored; }

// pixWriteMem stands before the function of Leptonica by that name, and calls it. It is weak, so that a program that has Leptonica
// built in keeps that one. This program does not call it.
__attribute__((weak)) l_ok pixWriteMem(l_uint8 **data, size_t *size, PIX *pix, l_int32 format) {
	static l_ok (*leptonica)(l_uint8 **, size_t *, PIX *, l_int32);
	if (leptonica == NULL) {
		leptonica = (l_ok(*)(l_uint8 **, size_t *, PIX *, l_int32))dlsym(RTLD_NEXT, "pixWriteMem");
		if (leptonica == NULL) {
			return 1;
		}
	}
	if (format == IFF_PNG && !compressed) {
		pixSetZlibCompression(pix, 0);
		stored++;
	}
	return leptonica(data, size, pix, format);
}
