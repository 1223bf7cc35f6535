// Sends its standard error to nowhere before the engine has printed a line.
#include "faults.h"
#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 && data[0] == 'A') overflow(data, size);
  if (size > 1 && data[0] == 'B') use_after_free(data, size);
  return 0;
}
