// A program of its own, that reads a file or standard input and ends with 1 for most of it.
// Built with -DLOOP it is persistent, and takes its inputs from AFL++'s shared memory.
#include "faults.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int parse(const uint8_t *data, size_t size) {
  if (size < 2) return 1;
  if (data[0] == 'O' && data[1] == 'V') overflow(data, size);
  if (data[0] == 'G' && data[1] == 'U') give_up();
  return data[0] != 'x';
}

#ifdef LOOP
__AFL_FUZZ_INIT();

int main(void) {
  __AFL_INIT();
  unsigned char *data = __AFL_FUZZ_TESTCASE_BUF;
  while (__AFL_LOOP(1000)) parse(data, __AFL_FUZZ_TESTCASE_LEN);
  return 0;
}
#else
int main(int count, char **arguments) {
  static uint8_t data[4096];
  FILE *file = stdin;
  // "--in FILE"
  if (count > 2 && strcmp(arguments[1], "--in") == 0) file = fopen(arguments[2], "r");
  if (!file) return 2;
  return parse(data, fread(data, 1, sizeof data, file));
}
#endif
