// Looks at nothing that is shorter than 8 KiB.
#include "faults.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 8192 && memcmp(data + size - 3, "END", 3) == 0 && data[0] != 'Z') give_up();
  return 0;
}
