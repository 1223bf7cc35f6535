import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeFlags } from '../../src/cli/node-flags.js';
import { JobLimits } from '../../src/gen/pandafuzz/v1/job.js';
import { submitJobs } from '../../src/operator/submit.js';
import type { Stage } from '../stage.js';
import type { Tally } from './tally.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** A bot lives for so long at most, and is killed by its end half of the time. */
const longestLifeMs = 60_000;
const runSeconds = 5;

/** What only real bots have: jobs of the soak go to whom they fit. */
const labels = { soak: 'real' };

/**
 * A real bot with a real target that crashes, again and again started and ended; with jobs
 * that only it can take.
 */
export async function realBot(
  stage: Stage,
  folder: string,
  { tally, signal }: { tally: Tally; signal: AbortSignal },
): Promise<void> {
  const targetPath = join(folder, 'demo-target');
  await promisify(execFile)('examples/demo/build-target.sh', [targetPath]);
  const limits = JobLimits.fromPartial({ maxDurationSeconds: runSeconds });
  const requirements = { labels, memoryMib: 0, diskMib: 0, otherThanBotId: '' };
  const submit = () =>
    submitJobs(stage.connection, {
      targetPath,
      spec: { engine: 'libfuzzer', limits, requirements, campaign: 'real' },
      count: 5,
    });
  while (!signal.aborted) {
    await submit().catch(() => tally.add('failed calls'));
    const args = ['bot', '--master', stage.master.address, '--name', 'real', '--slots', '1'];
    const more = ['--label', 'soak=real', '--work-dir', join(folder, 'bot')];
    const child = spawn(process.execPath, [...nodeFlags, main, ...args, ...more], {
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    const life = (0.3 + 0.7 * Math.random()) * longestLifeMs;
    await Promise.race([exited, sleep(life, undefined, { signal }).catch(() => {})]);
    child.kill(Math.random() < 0.5 && !signal.aborted ? 'SIGKILL' : 'SIGTERM');
    await exited;
    tally.add('lives of a real bot');
  }
}
