// Two bugs found by Abseil, built without exceptions: a value taken where there is an error.
#include <absl/status/statusor.h>
#include <cstddef>
#include <cstdint>

static volatile int taken;

__attribute__((noinline)) static absl::StatusOr<int> positive(int value) {
  if (value < 100) return absl::OutOfRangeError("not positive enough");
  return value;
}

__attribute__((noinline)) static void take_price(int value) { taken = positive(value).value(); }
__attribute__((noinline)) static void take_stock(int value) { taken = -positive(value).value(); }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 && data[0] == 'P') take_price(data[1]);
  if (size > 1 && data[0] == 'S') take_stock(data[1]);
  return 0;
}
