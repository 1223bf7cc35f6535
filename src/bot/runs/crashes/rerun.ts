import { unary } from '../../../client/call.js';
import type { RunReport } from '../../../gen/pandafuzz/v1/crash_service.js';
import { type CrashWorkInput, JobOutcome } from '../../../gen/pandafuzz/v1/job.js';
import { clipMiddle, longestReportBytes } from '../../findings/evidence.js';
import type { FuzzEnd } from '../ends.js';
import { bringInput, type CrashWorkParts, withRetries } from './parts.js';
import { describeTries, type InputTries } from './rerun-message.js';
import { keepTrial, type Trial, tryInput } from './trial.js';

/** What the contract allows for a log, bytes. */
const longestLogBytes = 64 * 1024;
/** Reports of one input; further ways to crash are counted with the last. */
const mostReports = 16;
/** For the text that stands for what was left out of a report, bytes. */
const gapBytes = 128;

/** Runs of an input that crashed in one way. */
interface Way {
  readonly trial: Trial;
  count: number;
}

/**
 * Runs each input of the job alone, as often as it wants, and reports what came of it:
 * jobs of the kinds REPRODUCE and VERIFY.
 *
 * @throws UnfitTargetError, the signal's reason when it aborts, and what the master answers
 */
export async function rerun(parts: CrashWorkParts): Promise<FuzzEnd> {
  const { spec, clock } = parts;
  const endsAtMs = clock.monotonic() + (spec.limits?.maxDurationSeconds || 3600) * 1000;
  const inputs = spec.crashWork?.inputs ?? [];
  const done: InputTries[] = [];
  for (const input of inputs) {
    if (clock.monotonic() >= endsAtMs) break;
    done.push(await rerunInput(input, parts, endsAtMs));
  }
  return { outcome: JobOutcome.COMPLETED, message: describeTries(done, inputs.length) };
}

async function rerunInput(
  input: CrashWorkInput,
  parts: CrashWorkParts,
  endsAtMs: number,
): Promise<InputTries> {
  const { spec, clock } = parts;
  const content = await bringInput(parts, input);
  const ways = new Map<string, Way>();
  const wanted = spec.crashWork?.runs || 1;
  let runs = 0;
  let log = '';
  while (runs < wanted && (runs === 0 || clock.monotonic() < endsAtMs)) {
    const trial = await tryInput(content, parts);
    runs += 1;
    log = trial.report;
    if (!trial.isCrash) continue;
    const known = ways.get(trial.key) ?? (ways.size < mostReports ? undefined : lastOf(ways));
    if (known) known.count += 1;
    else ways.set(trial.key, { trial, count: 1 });
  }
  const crashed = [...ways.values()].reduce((sum, { count }) => sum + count, 0);
  const own = await report(parts, input.crashId, { runs, log, ways: [...ways.values()] });
  const [first] = ways.values();
  // An input that crashes in another way than it was found with is a crash of its own.
  if (first && own === 0) await keepTrial(content, first.trial, parts);
  return { wanted, runs, crashed, own };
}

const lastOf = (ways: ReadonlyMap<string, Way>): Way | undefined => [...ways.values()].at(-1);

/** @returns runs that crashed into the crash's own group */
async function report(
  { connection, lease, signal }: CrashWorkParts,
  crashId: string,
  { runs, log, ways }: { runs: number; log: string; ways: readonly Way[] },
): Promise<number> {
  const roomBytes = Math.floor(longestReportBytes / Math.max(ways.length, 1)) - gapBytes;
  const reports = ways.map(({ trial, count }): RunReport => {
    return { report: clipMiddle(trial.report, roomBytes).toWellFormed(), count };
  });
  const request = {
    lease,
    crashId,
    runs,
    reports,
    log: clipMiddle(log, longestLogBytes - gapBytes).toWellFormed(),
  };
  const { crashes } = await withRetries(signal, 'report of a reproduction', () =>
    unary(connection.crashes, connection.crashes.reportReproduction, request, { signal }),
  );
  return crashes;
}
