/* Needs the library part.c, and nine bytes that nobody guesses. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int part_of(int value);
static volatile int seen;

__attribute__((optnone)) static uint32_t sum(const uint8_t *data, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 16777619u;
  return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 0 && part_of(data[0])) seen++;
  if (size >= 9 && sum(data, 9) == WORD_HASH) __builtin_trap();
  return 0;
}
