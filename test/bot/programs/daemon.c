// Leaves a process behind that has a session of its own and follows no signal it can refuse,
// and leaks memory with each input that begins with 'L'.
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) {
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      execlp("tail", "pf-daemon", "-f", "/dev/null", (char *)NULL);
      _exit(1);
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return 0;
}

__attribute__((noinline)) static void forget(size_t size) {
  char *volatile lost = malloc(size);
  lost[0] = 1;
  lost = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 && data[0] == 'L') forget(size);
  return 0;
}
