// Runs each input in a child: crashes come while the engine goes on.
#include "faults.h"
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || data[0] < 'A' || data[0] > 'C') return 0;
  pid_t child = fork();
  if (child == 0) {
    if (data[0] == 'A') overflow(data, size);
    if (data[0] == 'B') use_after_free(data, size);
    if (data[0] == 'C') give_up();
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return 0;
}
