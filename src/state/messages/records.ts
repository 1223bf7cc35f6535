import { Artifact, ArtifactKind } from '../../gen/pandafuzz/v1/artifact.js';
import { Bot, BotState } from '../../gen/pandafuzz/v1/bot.js';
import {
  Crash,
  CrashContext,
  type CrashDecision,
  CrashGroup,
  CrashGroupStatus,
  type Reproduction,
  StackFrame,
} from '../../gen/pandafuzz/v1/crash.js';
import type { GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';
import {
  Attempt,
  AttemptEnd,
  Job,
  JobOutcome,
  JobSpec,
  JobState,
  JobStatistics,
} from '../../gen/pandafuzz/v1/job.js';
import type { WholeCrash } from '../../store/ops/crashes/get-crash.js';
import type { ListedCrash } from '../../store/ops/crashes/list-crashes.js';
import {
  type ArtifactRow,
  type AttemptOutcome,
  type AttemptRow,
  type BotRow,
  type CrashDecisionRow,
  type CrashGroupRow,
  defaultProject,
  type GroupBuildRow,
  type GroupStatusName,
  groupStatuses,
  type JobRow,
  type JobStateName,
  type ReproductionRow,
} from '../../store/rows.js';

/** Rows of the store as messages of the contract. */

const time = (ms: number | null) => (ms === null ? undefined : new Date(ms));

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

/** What no bot told, the master saw: the bot's own trouble, or a bot's refusal. */
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

/** A job that was made just now, of which nothing has happened yet. */
export const newJobRecord = (id: string, spec: JobSpec, createdAt: number): Job =>
  Job.create({
    id,
    spec,
    state: JobState.PENDING,
    createdAt: new Date(createdAt),
    readyAt: spec.notBefore,
  });

/** As a row has them. */
export const storedStatistics = (statistics: JobStatistics): string =>
  JSON.stringify(JobStatistics.toJSON(statistics));

/** Jobs of 0.1.0 knew no projects. */
function storedSpec(json: string): JobSpec {
  const spec = JobSpec.fromJSON(JSON.parse(json));
  return { ...spec, project: spec.project || defaultProject };
}

/** `live`: the statistics told last, where they are newer than the row's. */
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

/** A crash of a list: without report, stack and context, and with its last reproduction alone. */
export function listedCrashRecord(row: ListedCrash): Crash {
  return Crash.create({
    id: row.id,
    groupId: row.group_id,
    jobId: row.job_id,
    attempt: row.attempt,
    botId: row.bot_id,
    project: row.project,
    targetName: row.target_name,
    kind: row.kind,
    message: row.message,
    topFrame: row.top_frame,
    access: row.access,
    accessSizeBytes: row.access_size_bytes,
    address: row.address,
    security: row.security === 1,
    securityWhy: row.security_why,
    language: row.language,
    frames: JSON.parse(row.frames),
    inputSha256: row.input_sha256,
    inputSizeBytes: row.input_size_bytes,
    foundAt: time(row.found_at),
    hits: row.hits,
    late: row.late === 1,
    minimisedFrom: row.minimised_from ?? '',
    reproductions: row.reproduction ? [reproductionRecord(row.reproduction)] : [],
  });
}

export function crashRecord(whole: WholeCrash): Crash {
  const { crash, report, stack, context, reproductions } = whole;
  return {
    ...listedCrashRecord({ ...crash, reproduction: undefined }),
    report,
    stack: storedFrames(stack),
    context: context === null ? undefined : CrashContext.fromJSON(JSON.parse(context)),
    reproductions: reproductions.map(reproductionRecord),
  };
}

const storedFrames = (stack: string): StackFrame[] =>
  (JSON.parse(stack) as unknown[]).map((frame) => StackFrame.fromJSON(frame));

const reproductionRecord = (row: ReproductionRow): Reproduction => ({
  runs: row.runs,
  crashes: row.crashes,
  targetSha256: row.target_sha256,
  botId: row.bot_id,
  at: time(row.at),
  jobId: row.job_id,
  log: row.log,
});

const groupStatusOf: Record<GroupStatusName, CrashGroupStatus> = {
  new: CrashGroupStatus.NEW,
  confirmed: CrashGroupStatus.CONFIRMED,
  fixed: CrashGroupStatus.FIXED,
  wont_fix: CrashGroupStatus.WONT_FIX,
  ignored: CrashGroupStatus.IGNORED,
};

/** @returns undefined for UNSPECIFIED and for values this version does not know */
export const groupStatusName = (status: CrashGroupStatus): GroupStatusName | undefined =>
  groupStatuses.find((name) => groupStatusOf[name] === status);

export function crashGroupRecord(row: CrashGroupRow): CrashGroup {
  return CrashGroup.create({
    id: row.id,
    project: row.project,
    targetName: row.target_name,
    kind: row.kind,
    message: row.message,
    topFrame: row.top_frame,
    frames: storedFrames(row.frames),
    security: row.security === 1,
    count: row.count,
    crashHits: row.hits,
    crashInputsKept: row.count,
    jobs: row.jobs,
    bots: row.bots,
    builds: row.builds,
    firstFoundAt: time(row.first_found_at),
    lastFoundAt: time(row.last_found_at),
    firstCrashId: row.first_crash_id,
    reproducerCrashId: row.reproducer_crash_id,
    status: groupStatusOf[row.status],
    note: row.note,
    statusSetBy: row.status_set_by,
    statusSetAt: time(row.status_set_at),
    fixedInSha256: row.fixed_in_sha256 ?? '',
    reopenedAt: time(row.reopened_at),
    mergedInto: row.merged_into ?? '',
  });
}

export const groupBuildRecord = (row: GroupBuildRow): GroupBuild => ({
  targetSha256: row.target_sha256,
  firstMetAt: time(row.first_met_at),
  lastMetAt: time(row.last_met_at),
  hits: row.hits,
  verifiedAt: time(row.verified_at),
  crashes: row.verified_crashes === 1,
});

export const crashDecisionRecord = (row: CrashDecisionRow): CrashDecision => ({
  id: row.id,
  kind: row.kind,
  groupId: row.group_id,
  toGroupId: row.to_group_id,
  crashes: row.crashes,
  by: row.decided_by,
  at: time(row.decided_at),
  undoneAt: time(row.undone_at),
});
