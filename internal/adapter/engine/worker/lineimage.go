package worker

// void compressLineImages(int yes);
// long storedLineImages(void);
import "C"

// Tesseract keeps the image of each line that it reads as a PNG in memory, and decodes that to read it. lineimage.c has it store the bytes
// as they are: see docs/adr/0076-line-images.md. The functions are for the goroutine that reads.

// compressLineImages has the images of lines compressed, as Tesseract does by itself, until restore is called.
func compressLineImages() (restore func()) {
	C.compressLineImages(1)
	return func() { C.compressLineImages(0) }
}

// storedLineImages returns how many images of lines were stored without compression.
func storedLineImages() int { return int(C.storedLineImages()) }
