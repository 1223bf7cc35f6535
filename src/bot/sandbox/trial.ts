import { systemClock } from '../../core/clock.js';
import type { Bounds } from './bounds.js';
import { startSandbox } from './sandbox.js';
import type { SandboxTools } from './tools-of-run.js';

/** For one way to show that it works, milliseconds; it takes some tens on an idle machine. */
const limitMs = 2000;
/** A busy machine may be late more than once: a bot must not run with less for that. */
const mostTries = 4;
const longestOutputBytes = 1024;

/** Far above what the trial needs. */
export const trialBounds: Bounds = {
  fileBytes: 2 ** 20,
  memoryBytes: 2 ** 30,
  processes: 512,
  diskBytes: 2 ** 30,
  network: false,
};

/** What a run must be able to do: start a process, and write to its folder. */
const script = 'test -w "$TMPDIR" && cd "$TMPDIR" && /bin/sh -c :';

/**
 * Runs a small script as a run's program would be.
 *
 * @returns why it did not work; undefined when it did
 */
export async function trial(
  tools: SandboxTools,
  folder: string,
  sh: string,
): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    const why = await once(tools, folder, sh);
    if (why !== tooLate || tries === mostTries) return why;
  }
}

const tooLate = `it did not end within ${limitMs} ms`;

async function once(tools: SandboxTools, folder: string, sh: string): Promise<string | undefined> {
  let output = '';
  const sandbox = await startSandbox(tools, {
    file: sh,
    args: ['-c', script],
    environment: {},
    cwd: folder,
    maxFileBytes: trialBounds.fileBytes,
    onOutput: (chunk) => {
      if (output.length < longestOutputBytes)
        output += chunk.toString('utf8', 0, longestOutputBytes);
    },
  });
  let isLate = false;
  const limit = systemClock.schedule(limitMs, () => {
    isLate = true;
    sandbox.kill();
  });
  try {
    const { code, signal } = await sandbox.exited;
    if (code === 0) return undefined;
    if (isLate) return tooLate;
    return output.trim() || (signal ? `killed by ${signal}` : `exit code ${code}`);
  } finally {
    limit.cancel();
  }
}
