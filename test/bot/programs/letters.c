// Eight bugs, each in a function of its own, behind the first byte.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static volatile int found;

#define BUG(letter)                                                              \
  __attribute__((noinline)) static void bug_##letter(const uint8_t *data) {      \
    volatile char *copy = malloc(1);                                             \
    copy[1] = data[0];                                                           \
    free((void *)copy);                                                          \
  }
BUG(A) BUG(B) BUG(C) BUG(D) BUG(E) BUG(F) BUG(G) BUG(H)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  switch (data[0]) {
    case 'A': bug_A(data); break;
    case 'B': bug_B(data); break;
    case 'C': bug_C(data); break;
    case 'D': bug_D(data); break;
    case 'E': bug_E(data); break;
    case 'F': bug_F(data); break;
    case 'G': bug_G(data); break;
    case 'H': bug_H(data); break;
    default: found += data[1] == 'x';
  }
  return 0;
}
