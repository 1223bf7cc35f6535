// Runs for ever on some inputs.
#include <stddef.h>
#include <stdint.h>

__attribute__((noinline)) static void spin(volatile int *counter) {
  for (;;) ++*counter;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static volatile int counter;
  if (size > 1 && data[0] == 'H') spin(&counter);
  return 0;
}
