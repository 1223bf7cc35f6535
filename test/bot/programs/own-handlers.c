// Handles fatal signals itself, and ends as if all were well: two bugs, behind "A" and "B".
#include "faults.h"
#include <signal.h>
#include <unistd.h>

static volatile int *nowhere;

static void good_bye(int number) { _exit(0); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  signal(SIGSEGV, good_bye);
  signal(SIGABRT, good_bye);
  if (size > 1 && data[0] == 'A') give_up();
  if (size > 1 && data[0] == 'B') *nowhere = 1;
  return 0;
}
