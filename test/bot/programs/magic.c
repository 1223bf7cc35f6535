// Behind eight bytes that libFuzzer finds by comparisons, and AFL++ by chance never, are branches,
// and with -DBUG one that ends it.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 12 || memcmp(data, "PandaFuz", 8) != 0) return 0;
  sink = 1;
#ifdef BUG
  abort();
#endif
  if (data[8] & 1) sink = 2;
  if (data[9] > 'x') sink = 3;
  if (data[10] == data[11]) sink = 4;
  return 0;
}
