#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A target whose lines say which inputs ran. */

static int deep(uint8_t letter) {
  if (letter == 'b')
    return 2;
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  if (data[0] == 'C')
    abort();
  if (data[0] == 'H')
    for (;;)
      pause();
  if (data[0] == 'E')
    exit(3);
  if (data[0] == 'a')
    return deep(data[1]) * 0;
  return 0;
}
