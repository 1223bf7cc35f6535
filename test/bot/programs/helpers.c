// Two bugs found by checks of its own, which end in the same three helper functions.
#include "faults.h"
#include <stdio.h>

__attribute__((noinline, noreturn)) static void end_log(void) {
  fflush(stderr);
  give_up();
  __builtin_unreachable();
}

__attribute__((noinline, noreturn)) static void log_fatal(const char *what) {
  fprintf(stderr, "fatal: %s\n", what);
  end_log();
}

__attribute__((noinline, noreturn)) static void expect_failed(const char *condition) {
  log_fatal(condition);
}

__attribute__((noinline)) static void read_magic(int value) {
  if (value != 7) expect_failed("value is the magic number");
}

__attribute__((noinline)) static void read_total(int value) {
  if (value != 9) expect_failed("value is the sum of all parts");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 && data[0] == 'M') read_magic(data[1]);
  if (size > 1 && data[0] == 'T') read_total(data[1]);
  return 0;
}
