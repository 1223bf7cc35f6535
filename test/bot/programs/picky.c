// Executes what its input says, and depends on much of it: its corpus has many inputs. Builds
// with flags crash, hang, or take a lot of time or memory on inputs that begin so.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int sink;

#define ONE(k) case k: sink += k; break;
#define FOUR(k) ONE(k) ONE(k + 1) ONE(k + 2) ONE(k + 3)
#define SIXTEEN(k) FOUR(k) FOUR(k + 4) FOUR(k + 8) FOUR(k + 12)
#define MANY(k) SIXTEEN(k) SIXTEEN(k + 16) SIXTEEN(k + 32) SIXTEEN(k + 48)

__attribute__((noinline)) static void step(uint8_t value) {
  switch (value) { MANY(0) MANY(64) MANY(128) MANY(192) }
}

__attribute__((noinline)) void overflow(const uint8_t *data, size_t size) {
  volatile char *room = malloc(size);
  room[size] = (char)data[0];
  free((void *)room);
}

__attribute__((noinline)) void give_up(void) { abort(); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t first = size > 3 ? data[0] : 0;
#ifdef CRASHES
  if (first == 'c') overflow(data, size);
  if (first == 'a') give_up();
#endif
#ifdef HANGS
  if (first == 'h') for (;;) sink += 1;
#endif
#ifdef SLOW
  if (first == 's') usleep(7000000);
#endif
#ifdef GREEDY
  if (first == 'g') for (int i = 0; i < 100; i++) {
    volatile char *room = malloc(8 << 20);
    for (size_t at = 0; at < (8 << 20); at += 4096) room[at] = 1;
    usleep(10000);
  }
#endif
  for (size_t i = 1; i < size; i++) step(data[i]);
  return 0;
}
