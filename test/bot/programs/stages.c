// A program of its own that reads a file, and prints how far it came in it.
#include "faults.h"
#include <stdio.h>

int main(int count, char **arguments) {
  static uint8_t data[4096];
  FILE *file = count > 1 ? fopen(arguments[count - 1], "r") : NULL;
  if (!file) return 2;
  size_t size = fread(data, 1, sizeof data, file);
  puts(size > 0 && data[0] >= 'a' ? "small" : "other");
  if (size > 1 && data[0] == 'O' && data[1] >= 'P') overflow(data, size);
  return 0;
}
