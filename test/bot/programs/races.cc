// Two data races; ThreadSanitizer's headline names no process.
#include <cstddef>
#include <cstdint>
#include <thread>

static int reads, writes;
__attribute__((noinline)) void count_read() { reads++; }
__attribute__((noinline)) void count_write() { writes++; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  void (*count)() = nullptr;
  if (size > 1 && data[0] == 'R') count = count_read;
  if (size > 1 && data[0] == 'W') count = count_write;
  if (!count) return 0;
  std::thread one(count), other(count);
  one.join();
  other.join();
  return 0;
}
