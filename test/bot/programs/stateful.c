// Crashes with what comes after an "A", in one of seven places, and so never with an input alone.
#include <stddef.h>
#include <stdint.h>

static int met;
static volatile int *nowhere;

#define BUG(letter) \
  __attribute__((noinline)) static void after_##letter(void) { *nowhere = #letter[0]; }

BUG(B) BUG(C) BUG(D) BUG(E) BUG(F) BUG(G) BUG(H)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const bugs[])(void) = {after_B, after_C, after_D, after_E,
                                       after_F, after_G, after_H};
  if (size > 0 && data[0] == 'A') met = 1;
  if (size > 1 && met && data[1] >= 'B' && data[1] <= 'H') bugs[data[1] - 'B']();
  return 0;
}
