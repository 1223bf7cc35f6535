import { spawn } from 'node:child_process';
import { systemClock } from '../../src/core/clock.js';
import { readCrashReport } from '../../src/crash/report.js';

export interface Replay {
  /** The target failed again, in the same way and the same place. */
  readonly same: boolean;
  /** What it did instead, otherwise. */
  readonly saw: string;
}

const limitMs = 30_000;
const longestReport = 1 << 20;

/** Runs the target on one input, and compares how it fails with what was recorded. */
export async function replay(
  target: string,
  inputPath: string,
  recorded: { kind: string; topFrame: string },
): Promise<Replay> {
  const { code, report } = await run(target, inputPath);
  if (code === 0) return { same: false, saw: 'it did not crash' };
  const { kind, topFrame } = readCrashReport(report);
  const same = kind === recorded.kind && topFrame === recorded.topFrame;
  return { same, saw: `${kind} in ${topFrame}` };
}

function run(target: string, inputPath: string): Promise<{ code: number | null; report: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(target, [inputPath], { stdio: ['ignore', 'ignore', 'pipe'] });
    const timer = systemClock.schedule(limitMs, () => child.kill('SIGKILL'));
    let report = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (report.length < longestReport) report += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      timer.cancel();
      resolve({ code, report });
    });
  });
}
