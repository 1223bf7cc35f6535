import { defaultProject } from '../../core/project.js';
import { Artifact, ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { Bot, BotEngine, type BotHealth, BotState } from '../../gen/pandafuzz/v1/bot.js';
import { Isolation } from '../../gen/pandafuzz/v1/isolation.js';
import {
  Attempt,
  AttemptEnd,
  Job,
  JobOutcome,
  JobSpec,
  JobState,
  JobStatistics,
  StartTrouble,
} from '../../gen/pandafuzz/v1/job.js';
import type {
  ArtifactKindName,
  ArtifactRow,
  AttemptOutcome,
  AttemptRow,
  BotRow,
  JobRow,
  JobStateName,
  StartTroubleName,
} from '../../store/rows.js';
import { addStatistics } from '../../store/statistics.js';

/** Rows of the store as messages of the contract. */

export const time = (ms: number | null) => (ms === null ? undefined : new Date(ms));

const jobStates: Record<JobStateName, JobState> = {
  pending: JobState.PENDING,
  assigned: JobState.ASSIGNED,
  running: JobState.RUNNING,
  completed: JobState.COMPLETED,
  cancelled: JobState.CANCELLED,
  dead: JobState.DEAD,
  paused: JobState.PAUSED,
};

export const jobStateOf = (name: JobStateName): JobState => jobStates[name];

/** @returns undefined for UNSPECIFIED and for values this version does not know */
export function jobStateName(state: JobState): JobStateName | undefined {
  return (Object.keys(jobStates) as JobStateName[]).find((name) => jobStates[name] === state);
}

/** Outcomes that no bot reports are the master's: a loss, a refusal, a timeout. */
const outcomes: Record<AttemptOutcome, JobOutcome> = {
  completed: JobOutcome.COMPLETED,
  failed: JobOutcome.FAILED,
  cancelled: JobOutcome.CANCELLED,
  infrastructure: JobOutcome.INFRASTRUCTURE,
  rejected: JobOutcome.FAILED,
  unanswered: JobOutcome.INFRASTRUCTURE,
  lost: JobOutcome.INFRASTRUCTURE,
  timed_out: JobOutcome.FAILED,
  not_stopped: JobOutcome.INFRASTRUCTURE,
};

const attemptEnds: Record<AttemptOutcome, AttemptEnd> = {
  completed: AttemptEnd.COMPLETED,
  failed: AttemptEnd.FAILED,
  cancelled: AttemptEnd.CANCELLED,
  infrastructure: AttemptEnd.INFRASTRUCTURE,
  rejected: AttemptEnd.REJECTED,
  unanswered: AttemptEnd.UNANSWERED,
  lost: AttemptEnd.LOST,
  timed_out: AttemptEnd.TIMED_OUT,
  not_stopped: AttemptEnd.NOT_STOPPED,
};

const troubles: Record<StartTroubleName, StartTrouble> = {
  machine: StartTrouble.MACHINE,
  missing: StartTrouble.MISSING,
};

/** @returns null for UNSPECIFIED and for values this version does not know */
export const troubleName = (trouble: StartTrouble | undefined): StartTroubleName | null =>
  (Object.keys(troubles) as StartTroubleName[]).find((name) => troubles[name] === trouble) ?? null;

/**
 * @param live the latest statistics from memory, of an attempt that runs
 * @param flushed those on disk of an attempt that runs
 */
export function attemptRecord(
  row: AttemptRow,
  live?: LiveFigures,
  flushed: string | null = null,
): Attempt {
  const text = row.ended_at === null ? flushed : row.statistics;
  const stored = text === null ? undefined : JSON.parse(text);
  return Attempt.create({
    statistics: live?.statistics ?? (stored && JobStatistics.fromJSON(stored)),
    trouble: row.trouble ? troubles[row.trouble] : StartTrouble.UNSPECIFIED,
    cause: row.cause ?? '',
    final: row.final === 1,
    attempt: row.attempt,
    fence: row.fence,
    botId: row.bot_id,
    assignedAt: time(row.assigned_at),
    acknowledgedAt: time(row.acknowledged_at),
    endedAt: time(row.ended_at),
    end: row.outcome ? attemptEnds[row.outcome] : AttemptEnd.UNSPECIFIED,
    message: row.message ?? '',
  });
}

/** A job that was just created. */
export const newJobRecord = (id: string, spec: JobSpec, createdAt: number): Job =>
  Job.create({
    id,
    spec,
    state: JobState.PENDING,
    createdAt: new Date(createdAt),
    readyAt: spec.notBefore,
  });

/** Statistics as a row stores them. */
export const storedStatistics = (statistics: JobStatistics): string =>
  JSON.stringify(JobStatistics.toJSON(statistics));

/** Jobs of 0.1.0 knew no projects. */
function storedSpec(json: string): JobSpec {
  const spec = JobSpec.fromJSON(JSON.parse(json));
  return { ...spec, project: spec.project || defaultProject };
}

/** Statistics of a run, and when they came, ms since 1970. */
interface LiveFigures {
  readonly statistics: JobStatistics;
  readonly at: number;
}

/** Statistics over all attempts. Those of a job that has ended have the mean as their rate. */
function totalOf(row: JobRow, live: LiveFigures | undefined): JobStatistics | undefined {
  const total = totalFigures(row, live);
  if (!total || row.finished_at === null) return total;
  const { executions, elapsedMs } = total;
  return elapsedMs > 0 ? { ...total, executionsPerSecond: (executions * 1000) / elapsedMs } : total;
}

function totalFigures(row: JobRow, live: LiveFigures | undefined): JobStatistics | undefined {
  const { earlier_statistics: earlier, statistics: stored } = row;
  if (earlier === null && live) return live.statistics;
  const now = live ? storedStatistics(live.statistics) : stored;
  const total = addStatistics(earlier, now);
  return total === null ? undefined : JobStatistics.fromJSON(JSON.parse(total));
}

/** `live`: the latest statistics from memory, if they are newer than the row's. */
export function jobRecord(row: JobRow, live: LiveFigures | undefined): Job {
  return Job.create({
    id: row.id,
    state: jobStates[row.state],
    spec: storedSpec(row.spec),
    attempt: row.attempt,
    fence: row.fence,
    botId: row.bot_id ?? '',
    createdAt: time(row.created_at),
    startedAt: time(row.started_at),
    finishedAt: time(row.finished_at),
    cancelRequestedAt: time(row.cancel_requested_at),
    statistics: totalOf(row, live),
    statisticsAt: time(live?.at ?? row.statistics_at),
    failedAttempts: row.failed_attempts,
    refusedAttempts: row.refused_attempts,
    lostAttempts: row.lost_attempts,
    cancelAcknowledgedAt: time(row.cancel_acknowledged_at),
    pauseRequestedAt: time(row.pause_requested_at),
    readyAt: time(row.ready_at),
    result: row.outcome
      ? {
          outcome: outcomes[row.outcome],
          message: row.message ?? '',
          statistics: undefined,
          ...(row.final === 1 && { final: true }),
        }
      : undefined,
  });
}

/** What only memory has of a bot. */
interface LiveBot {
  readonly online: boolean;
  readonly runningJobs: number;
  readonly lastSeenAt: number | undefined;
  readonly health: BotHealth | undefined;
  readonly hold: Hold | undefined;
  readonly rivalRefusedAt: number | undefined;
}

/** Starts that failed in a row. */
export interface Hold {
  readonly failedStarts: number;
  /** Until when it is given nothing, ms since 1970; undefined: it may try. */
  readonly untilMs: number | undefined;
  readonly why: string;
}

export function botRecord(row: BotRow, live: LiveBot): Bot {
  return Bot.create({
    id: row.id,
    name: row.name,
    state: botState(row, live.online),
    engines: JSON.parse(row.engines),
    slots: row.slots,
    labels: JSON.parse(row.labels),
    version: row.version,
    registeredAt: time(row.registered_at),
    lastSeenAt: time(Math.max(row.last_seen_at, live.lastSeenAt ?? 0)),
    runningJobs: live.runningJobs,
    memoryMib: row.memory_mib,
    diskMib: row.disk_mib,
    drainRequestedAt: time(row.drain_requested_at),
    drainAcknowledgedAt: time(row.drain_acknowledged_at),
    drainedAt: time(row.drained_at),
    engineDetails: JSON.parse(row.engine_details).map(BotEngine.fromJSON),
    ...(row.isolation !== Isolation.UNSPECIFIED && {
      containment: {
        level: row.isolation,
        gaps: JSON.parse(row.isolation_gaps),
        runsAsRoot: row.runs_as_root === 1,
      },
    }),
    health: live.health,
    heldUntil: time(live.hold?.untilMs ?? null),
    heldWhy: live.hold?.why ?? '',
    failedStarts: live.hold?.failedStarts ?? 0,
    wantedName: row.wanted_name,
    rivalRefusedAt: time(live.rivalRefusedAt ?? null),
  });
}

function botState(row: BotRow, online: boolean): BotState {
  if (!online) return BotState.OFFLINE;
  return row.drain_requested_at === null ? BotState.ONLINE : BotState.DRAINING;
}

const artifactKinds: Record<ArtifactKindName, ArtifactKind> = {
  target: ArtifactKind.TARGET,
  seeds: ArtifactKind.SEEDS,
  bundle: ArtifactKind.BUNDLE,
  dictionary: ArtifactKind.DICTIONARY,
};

/** @returns undefined for UNSPECIFIED and for values this version does not know */
export function artifactKindName(kind: ArtifactKind): ArtifactKindName | undefined {
  const names = Object.keys(artifactKinds) as ArtifactKindName[];
  return names.find((name) => artifactKinds[name] === kind);
}

export function artifactRecord(row: ArtifactRow): Artifact {
  return Artifact.create({
    sha256: row.sha256,
    kind: artifactKinds[row.kind],
    name: row.name,
    sizeBytes: row.size_bytes,
    createdAt: time(row.created_at),
  });
}
