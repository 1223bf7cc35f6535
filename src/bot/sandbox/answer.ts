import { execFile } from 'node:child_process';

/** Of an answer, bytes. */
const mostBytes = 256 * 1024;

/**
 * What a program prints when it is run on its own, both outputs together; its exit code does
 * not count. '' when it cannot be run. It is killed after `timeoutMs`.
 */
export function answerOf(
  file: string,
  args: readonly string[],
  timeoutMs: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const options = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: mostBytes,
    env: environment,
  } as const;
  return new Promise((resolve) => {
    const child = execFile(file, args, options, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    child.stdin?.end();
  });
}
