// Crashes on the empty input, or with -DNEWLINE on a single newline only.
#include "faults.h"

static volatile int found;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
#ifdef NEWLINE
  if (size == 1 && data[0] == '\n') give_up();
#else
  if (size == 0) give_up();
#endif
  if (size > 1 && data[0] == 'q') found++;
  return 0;
}
