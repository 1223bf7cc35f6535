// Leaks on a quarter of its inputs, and in another place behind "v=1".
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static volatile int sum;

__attribute__((noinline)) static char *copy_name(const uint8_t *data, size_t size) {
  char *copy = malloc(size + 1);
  memcpy(copy, data, size);
  return copy;
}

__attribute__((noinline)) static char *copy_value(const uint8_t *data, size_t size) {
  char *copy = malloc(size + 9);
  memcpy(copy, data, size);
  return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *name = copy_name(data, size);
  if (size > 0 && (data[0] & 3) == 1) {
    sum++;
#ifndef WITHOUT_LEAK
    name = NULL;
#endif
  }
  free(name);
  if (size > 2 && data[0] == 'v' && data[1] == '=' && data[2] == '1') {
    char *value = copy_value(data, size);
    sum += value[0];
    value = NULL;
  }
  return 0;
}
