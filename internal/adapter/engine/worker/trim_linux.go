package worker

// #include <malloc.h>
//
// static void giveBack(void) {
// #ifdef __GLIBC__
// 	malloc_trim(0);
// #endif
// }
//
// static void keep(int bytes) {
// #ifdef __GLIBC__
// 	mallopt(M_MMAP_THRESHOLD, bytes);
// 	mallopt(M_TRIM_THRESHOLD, bytes);
// #endif
// }
import "C"

// kept are the bytes of free memory that malloc keeps, enough for the tensors of a line: else it gives them back after each and has the
// system clear as many for the next one.
const kept = 32 << 20

// trim gives memory that is free back to the system, which malloc does only where it happens to lie at the end of the heap.
func trim() { C.giveBack() }

// keepFree has malloc keep some free memory.
func keepFree() { C.keep(kept) }
