package worker

// #include <malloc.h>
//
// static void giveBack(void) {
// #ifdef __GLIBC__
// 	malloc_trim(0);
// #endif
// }
import "C"

// trim gives memory that is free back to the system, which malloc does only where it happens to lie at the end of the heap.
func trim() { C.giveBack() }
