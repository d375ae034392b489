package worker

// #include <malloc.h>
//
// static void giveBack(void) {
// #ifdef __GLIBC__
// 	malloc_trim(0);
// #endif
// }
import "C"

// trim returns free memory to the system. malloc itself returns only memory at the end of the heap.
func trim() { C.giveBack() }
