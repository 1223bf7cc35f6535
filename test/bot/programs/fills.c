// Writes a file of 1 MiB for each input, and removes none.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int files;
  static char bytes[1 << 20];
  char name[4096];
  if (files >= 1000) return 0;
  snprintf(name, sizeof name, "%s/big-%d", getenv("TMPDIR"), files++);
  FILE *file = fopen(name, "w");
  if (!file) return 0;
  fwrite(bytes, 1, sizeof bytes, file);
  fclose(file);
  return 0;
}
