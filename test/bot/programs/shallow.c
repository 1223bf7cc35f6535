// Ends with every other input, in one of two places; the second is behind "FU".
#include "faults.h"

static volatile int found;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 2 && data[0] == 'F' && data[1] == 'U') use_after_free(data, size);
  if (size > 0 && (data[0] & 1)) overflow(data, size);
  if (size > 0 && data[0] == 'q') found++;
  return 0;
}
