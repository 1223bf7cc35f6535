import { projectName, projectNameRule } from '../../core/project.js';
import { mostNotes, noteText } from '../../core/run-notes.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type { Beat, Hello, LeaseStatus } from '../../gen/pandafuzz/v1/heartbeat.js';
import {
  JobOutcome,
  type JobResult,
  type JobStatistics,
  RunNoteKind,
} from '../../gen/pandafuzz/v1/job.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { CompleteJobInput } from '../../store/ops/jobs/complete-job.js';
import type { StartTroubleName } from '../../store/rows.js';
import { storedStatistics, troubleName } from './records.js';
import { Violations } from './violations.js';

/** Checks of messages that arrive both by unary calls and on the stream. */

/** Most slots of a bot, and so most leases. */
const mostLeases = 1024;

const longestMessageBytes = 4096;

/** Returns the lease, and notes its faults in `found`. */
export function checkLease(lease: Lease | undefined, found: Violations): Lease {
  const given = lease ?? { jobId: '', attempt: 0, fence: 0 };
  found
    .id(given.jobId, 'lease.job_id')
    .whole(given.attempt, 'lease.attempt', { min: 1, max: 2 ** 31 })
    .whole(given.fence, 'lease.fence', { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (given.botId !== undefined) found.id(given.botId, 'lease.bot_id');
  return given;
}

const longestCause = 256;

export function checkCause(cause: string, path: string, found: Violations): void {
  found.text(cause, path, { max: longestCause });
}

/** Notes a path that cannot be one in a bundle; empty: the job leaves it open. */
export function checkExecutable(path: string, at: string, found: Violations): void {
  found
    .text(path, at, { max: 256 })
    .expect(
      !path.startsWith('/') && !path.split('/').includes('..'),
      at,
      'must be a path in the bundle, without ".."',
    );
}

export const projectProblem = projectNameRule;

/** Whether a project can have this name; empty stands for the default one. */
export const isProject = (name: string): boolean => name === '' || projectName.test(name);

const outcomeNames: Partial<Record<JobOutcome, CompleteJobInput['outcome']>> = {
  [JobOutcome.COMPLETED]: 'completed',
  [JobOutcome.FAILED]: 'failed',
  [JobOutcome.CANCELLED]: 'cancelled',
  [JobOutcome.INFRASTRUCTURE]: 'infrastructure',
};

/**
 * Returns the result as it is stored, and notes its faults in `found`.
 *
 * @param latest statistics of the run's last beat, for a result without any
 */
export function checkResult(
  result: JobResult | undefined,
  latest: JobStatistics | undefined,
  found: Violations,
): Pick<CompleteJobInput, 'outcome' | 'message' | 'statistics' | 'final'> & {
  trouble: StartTroubleName | null;
  cause: string;
} {
  const outcome = result && outcomeNames[result.outcome];
  const message = result?.message ?? '';
  const reported = result?.statistics ?? latest;
  const statistics = reported && boundedStatistics(reported);
  const cause = result?.cause ?? '';
  checkCause(cause, 'result.cause', found);
  found
    .expect(outcome !== undefined, 'result.outcome', 'must say how the attempt ended')
    .expect(
      message !== '' || outcome === 'completed',
      'result.message',
      'must say why, unless the outcome is COMPLETED',
    )
    .expect(
      Buffer.byteLength(message) <= longestMessageBytes && message.isWellFormed(),
      'result.message',
      `must be at most ${longestMessageBytes} bytes of well-formed text`,
    )
    .expect(
      isAmount(statistics?.executionsPerSecond ?? 0),
      'result.statistics.executions_per_second',
      amount,
    );
  return {
    outcome: outcome as CompleteJobInput['outcome'],
    message,
    statistics: statistics ? storedStatistics(statistics) : null,
    final: outcome === 'failed' && result?.final === true,
    trouble: outcome === 'infrastructure' ? troubleName(result?.trouble) : null,
    cause: outcome === 'infrastructure' ? cause : '',
  };
}

/** Statistics whose notes are within the bounds of the contract. Most have none. */
export const boundedStatistics = (statistics: JobStatistics): JobStatistics =>
  statistics.notes.length === 0
    ? statistics
    : {
        ...statistics,
        notes: statistics.notes.slice(0, mostNotes).map(({ kind, text }) => ({
          kind: kind in RunNoteKind ? kind : RunNoteKind.UNSPECIFIED,
          text: noteText(text),
        })),
      };

/** A beat whose every status names a lease. */
export type CheckedBeat = Omit<Beat, 'leases'> & { leases: (LeaseStatus & { lease: Lease })[] };

/** @throws ValidationError */
export function checkHello(hello: Hello): void {
  new Violations()
    .id(hello.botId, 'hello.bot_id')
    .id(hello.instanceId, 'hello.instance_id')
    .whole(hello.freeSlots, 'hello.free_slots', { min: 0, max: mostLeases })
    .expect(hello.leases.length <= mostLeases, 'hello.leases', `must be at most ${mostLeases}`)
    .throwIfAny();
}

/**
 * Checks a beat. Beats are frequent and nearly all valid, so the list of faults is made
 * only for an invalid one.
 *
 * @throws ValidationError naming every bad field
 */
export function checkBeat(beat: Beat): asserts beat is CheckedBeat {
  const { freeSlots, leases, resources, health } = beat;
  const loadAverage = resources?.loadAverage ?? 0;
  const isFineBeat =
    freeSlots <= mostLeases &&
    leases.length <= mostLeases &&
    leases.every(isFine) &&
    isAmount(loadAverage) &&
    health === undefined;
  if (isFineBeat) return;
  const found = new Violations()
    .whole(freeSlots, 'beat.free_slots', { min: 0, max: mostLeases })
    .expect(leases.length <= mostLeases, 'beat.leases', `must be at most ${mostLeases}`)
    .expect(isAmount(loadAverage), 'beat.resources.load_average', amount);
  if (health) checkHealth(health, found);
  for (const [index, { lease, statistics }] of leases.slice(0, mostLeases).entries()) {
    const rate = statistics?.executionsPerSecond ?? 0;
    found
      .expect(lease !== undefined, `beat.leases[${index}].lease`, 'must be given')
      .expect(isAmount(rate), `beat.leases[${index}].statistics.executions_per_second`, amount);
  }
  found.throwIfAny();
}

const mostWarnings = 8;

function checkHealth({ problem, warnings }: BotHealth, found: Violations): void {
  found
    .text(problem, 'beat.health.problem', { max: 512 })
    .expect(
      warnings.length <= mostWarnings,
      'beat.health.warnings',
      `must be at most ${mostWarnings}`,
    );
  for (const [index, warning] of warnings.slice(0, mostWarnings).entries()) {
    found.text(warning, `beat.health.warnings[${index}]`, { min: 1, max: 256 });
  }
}

const amount = 'must be a number, and not negative';

/** Counts need no check: the decoder refuses negative ones and those beyond 2^53. */
const isAmount = (value: number) => Number.isFinite(value) && value >= 0;

const isFine = ({ lease, statistics }: LeaseStatus) =>
  lease !== undefined && (statistics === undefined || isAmount(statistics.executionsPerSecond));
