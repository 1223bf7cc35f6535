#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

__attribute__((noinline)) static void overflow(const uint8_t *data, size_t size) {
  volatile char *copy = malloc(size);
  copy[size] = data[0];
  free((void *)copy);
}

__attribute__((noinline)) static void use_after_free(const uint8_t *data, size_t size) {
  volatile char *copy = malloc(size);
  free((void *)copy);
  copy[0] = data[0];
}

__attribute__((noinline)) static void give_up(void) { abort(); }
