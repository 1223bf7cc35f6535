// A target without bugs that takes some microseconds, as a small parser does.
#include <stddef.h>
#include <stdint.h>

static volatile uint32_t sum;

static uint32_t checksum(const uint8_t *data, size_t size) {
  uint32_t crc = 0xffffffff;
  for (int round = 0; round < 16; round++)
    for (size_t i = 0; i < size; i++) crc = (crc >> 1) ^ (data[i] * 0x01000193u);
  return crc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 4 && data[0] == 'S' && data[1] == 'T') sum += 1;
  if (size > 8 && data[4] > data[5]) sum += 2;
  sum += checksum(data, size);
  return 0;
}
