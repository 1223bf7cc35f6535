// Dies while a line of its own has not ended; says on both outputs what it does.
#include "faults.h"
#include <stdio.h>

__attribute__((noinline)) static void read_sound(void) { give_up(); }
__attribute__((noinline)) static void read_image(void) { give_up(); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  if (data[0] == 'S' || data[0] == 'I') {
    printf("reading a file of %zu bytes\n", size);
    fflush(stdout);
  }
  if (data[0] == 'S') fputs("sound ... ", stderr), read_sound();
  if (data[0] == 'I') fputs("image ... ", stderr), read_image();
  return 0;
}
