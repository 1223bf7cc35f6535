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
  type CrashDecisionRow,
  type CrashGroupRow,
  type GroupBuildRow,
  type GroupStatusName,
  groupStatuses,
  type ReproductionRow,
} from '../../store/crash-rows.js';
import type { WholeCrash } from '../../store/ops/crashes/get-crash.js';
import type { ListedCrash } from '../../store/ops/crashes/list-crashes.js';
import { time } from './records.js';

/** Rows about crashes as messages of the contract. */

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
