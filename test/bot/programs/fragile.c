// Overflows a buffer for inputs that begin with "BUG"; built with -DMENDED, it does not.
// With -DMOODY it does so for about every second of its runs; with -DSTRANGE it gives up
// elsewhere, and with -DBROKEN it cannot be started.
#include "faults.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int is_in_the_mood(void) {
#ifdef MOODY
  unsigned char byte = 0;
  int random = open("/dev/urandom", O_RDONLY);
  if (read(random, &byte, 1) != 1) abort();
  close(random);
  return byte & 1;
#else
  return 1;
#endif
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
#ifdef BROKEN
  _exit(3);
#endif
  return 0;
}

// For builds of the same source that differ.
const char *build = BUILD;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3 || memcmp(data, "BUG", 3) != 0 || build[0] == 0) return 0;
#if defined(STRANGE)
  give_up();
#elif !defined(MENDED)
  if (is_in_the_mood()) overflow(data, size);
#endif
  return 0;
}
