// Two bugs found by the checks of a logging library, which end in the same functions of it.
#include <cstddef>
#include <cstdint>
#include <glog/logging.h>

__attribute__((noinline)) void set_columns(int value) { CHECK_EQ(value, 3) << "columns"; }
__attribute__((noinline)) void set_rows(int value) { CHECK_EQ(value, 5) << "rows"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 && data[0] == 'C') set_columns(data[1]);
  if (size > 1 && data[0] == 'R') set_rows(data[1]);
  return 0;
}
