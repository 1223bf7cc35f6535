import { Artifact, ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { Bot, BotState, Isolation } from '../../gen/pandafuzz/v1/bot.js';
import {
  Attempt,
  AttemptEnd,
  Job,
  JobOutcome,
  JobSpec,
  JobState,
  JobStatistics,
} from '../../gen/pandafuzz/v1/job.js';
import {
  type ArtifactRow,
  type AttemptOutcome,
  type AttemptRow,
  type BotRow,
  defaultProject,
  type JobRow,
  type JobStateName,
} from '../../store/rows.js';

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
};

export function attemptRecord(row: AttemptRow): Attempt {
  return Attempt.create({
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

/** `live`: the latest statistics from memory, if they are newer than the row's. */
export function jobRecord(row: JobRow, live: JobStatistics | undefined): Job {
  const stored = row.statistics === null ? undefined : JSON.parse(row.statistics);
  const statistics = live ?? (stored && JobStatistics.fromJSON(stored));
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
    statistics,
    failedAttempts: row.failed_attempts,
    refusedAttempts: row.refused_attempts,
    lostAttempts: row.lost_attempts,
    cancelAcknowledgedAt: time(row.cancel_acknowledged_at),
    pauseRequestedAt: time(row.pause_requested_at),
    readyAt: time(row.ready_at),
    result: row.outcome
      ? { outcome: outcomes[row.outcome], message: row.message ?? '', statistics: undefined }
      : undefined,
  });
}

export function botRecord(
  row: BotRow,
  live: { online: boolean; runningJobs: number; lastSeenAt: number | undefined },
): Bot {
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
    ...(row.isolation !== Isolation.UNSPECIFIED && {
      containment: { level: row.isolation, gaps: JSON.parse(row.isolation_gaps) },
    }),
  });
}

function botState(row: BotRow, online: boolean): BotState {
  if (!online) return BotState.OFFLINE;
  return row.drain_requested_at === null ? BotState.ONLINE : BotState.DRAINING;
}

const artifactKinds = { target: ArtifactKind.TARGET, seeds: ArtifactKind.SEEDS } as const;

export function artifactKindName(kind: ArtifactKind): ArtifactRow['kind'] | undefined {
  if (kind === ArtifactKind.TARGET) return 'target';
  if (kind === ArtifactKind.SEEDS) return 'seeds';
  return undefined;
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
