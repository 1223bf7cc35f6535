// Crashes with every "B" that comes after an "A", and so never when its input is executed alone.
#include <stddef.h>
#include <stdint.h>

static int met;
static volatile int *nowhere;

__attribute__((noinline)) static void after_another(void) { *nowhere = 1; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 0 && data[0] == 'A') met = 1;
  if (size > 0 && data[0] == 'B' && met) after_another();
  return 0;
}
