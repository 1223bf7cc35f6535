// Takes a tenth of a second for each input: a hundred seeds take ten.
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  (void)data;
  if (size > 1) usleep(100000);
  return 0;
}
