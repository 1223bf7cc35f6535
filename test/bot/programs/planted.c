// Two bugs and a hang, each behind two bytes. main() of the engine, by its entry point.
#include "faults.h"

static volatile int rounds;

static void spin(void) {
  for (;;) rounds++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  if (data[0] == 'O' && data[1] == 'V') overflow(data, size);
  if (data[0] == 'G' && data[1] == 'U') give_up();
#ifdef HANGS
  if (data[0] == 'S' && data[1] == 'P') spin();
#endif
  return 0;
}
