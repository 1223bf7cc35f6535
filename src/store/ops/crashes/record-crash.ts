import type { CrashReading } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { type PlacedBlob, placeBlobs } from '../blobs/place-blobs.js';
import { recordEvent } from '../events/record-event.js';
import { lockJob } from '../jobs/lock-job.js';
import { chooseReproducer } from './choose-reproducer.js';
import { type CrashLimits, countKept, fullnessOf, siblingOf, tooMany } from './crash-limits.js';
import { wantReproduction } from './crash-work.js';
import { type CrashSource, type LeaseName, sourceOf } from './find-source.js';
import { type GroupKey, groupFor, newGroup } from './new-group.js';
import { firstSighting, raiseHits } from './raise-hits.js';

export interface RecordedCrash {
  crashId: string;
  groupId: string;
  newGroup: boolean;
  duplicate: boolean;
  late: boolean;
}

/** A crash as its bot reported it, and what the reader made of the report. */
export interface RecordCrash extends LeaseName, CrashReading {
  id: string;
  /** For the group, if it is the first of one. */
  newGroupId: string;
  inputSha256: string;
  inputSizeBytes: number;
  /** Where the input is, if it was written into a pack just now. */
  placed?: readonly PlacedBlob[];
  report: string;
  /** CrashContext as protobuf JSON. */
  context: string | null;
  /** Times the attempt has met it so far. */
  hits: number;
  minimisedFrom: string | null;
  /** Of its job; absent: none. */
  limits?: CrashLimits;
  now: number;
}

interface Known {
  id: string;
  group_id: string;
  late: 0 | 1;
}

const known = statement<{ jobId: string; inputSha256: string }, Known>(
  'SELECT id, group_id, late FROM crashes WHERE job_id = @jobId AND input_sha256 = @inputSha256',
);
/** A crash, and how it stands beside others of its group. */
interface NewCrash extends RecordCrash, CrashSource {
  groupId: string;
  reproducedRank: 0 | 1;
}

const groupOf = statement<{ id: string }, { group_id: string }>(
  'SELECT group_id FROM crashes WHERE id = @id',
);
const insert = statement<NewCrash>(`
  INSERT INTO crashes (id, group_id, job_id, attempt, bot_id, project, target_name, target_sha256,
    kind, message, top_frame, access, access_size_bytes, address, security, security_why, language,
    signature_version, signature, distinction, input_sha256, input_size_bytes, found_at,
    last_met_at, hits, late, reproduced_rank, minimised_from, frames, stack, context, report)
  VALUES (@id, @groupId, @jobId, @attempt, @bot_id, @project, @target_name, @target_sha256,
    @kind, @message, @topFrame, @access, @accessSizeBytes, @address, @security, @securityWhy,
    @language, @signatureVersion, @signature, @distinction, @inputSha256, @inputSizeBytes, @now,
    @now, @hits, @late, @reproducedRank, @minimisedFrom, @frames, @stack, @context, @report)`);

/**
 * Records a crash whose input is on disk, in the group of its distinction, where people
 * split one off, or of its signature. The same input of the same job is the same crash, met
 * again. A crash from a stale lease is recorded too, marked late. One made smaller from a
 * crash of another group is a crash of its own. Of a job that has as many as are kept, one of
 * a group that the job has met is counted as hits of that one.
 *
 * @throws NotFoundError for a job, or an attempt of it, that never was; QuotaError
 */
export const recordCrash = writeOperation(
  'record_crash',
  'result',
  function* (input: RecordCrash): Steps<RecordedCrash> {
    yield* lockJob(input.jobId);
    const source = yield* sourceOf(input);
    yield* placeBlobs(input.placed ?? []);
    const again = yield* metAgain(input, source);
    if (again) return again;
    const { id: crashId, jobId, now } = input;
    const key: GroupKey = { ...source, ...input };
    const groupId = yield* groupFor(key, input.newGroupId);
    const isNew = groupId === input.newGroupId;
    if (isNew) yield* newGroup(groupId, { ...key, ...input, crashId });
    const isSmaller = yield* isMadeFrom(input.minimisedFrom, groupId);
    const minimisedFrom = isSmaller ? input.minimisedFrom : null;
    // The report of a smaller input is that of its own run, alone.
    const reproducedRank = isSmaller ? 0 : 1;
    yield* run(insert, { ...source, ...input, groupId, minimisedFrom, reproducedRank });
    yield* countKept(jobId, input.inputSizeBytes);
    yield* firstSighting({ ...input, crashId, groupId, source });
    if (!isNew) yield* chooseReproducer(groupId);
    yield* recordEvent(now, 'crash.recorded', crashId, { groupId, jobId });
    if (isNew) yield* recordEvent(now, 'crash_group.new', groupId, { crashId, jobId });
    if (isNew) yield* wantReproduction(crashId, source);
    return { crashId, groupId, newGroup: isNew, duplicate: false, late: source.late === 1 };
  },
);

/**
 * Counts a crash whose input is not needed: the same input again, or, of a job that has as
 * many as are kept, one of a group that the job has met.
 *
 * @returns undefined when the input is needed: `recordCrash` is to follow
 * @throws as `recordCrash`
 */
export const countCrash = writeOperation(
  'count_crash',
  'result',
  function* (input: RecordCrash): Steps<RecordedCrash | undefined> {
    yield* lockJob(input.jobId);
    return yield* metAgain(input, yield* sourceOf(input));
  },
);

function* metAgain(input: RecordCrash, source: CrashSource): Steps<RecordedCrash | undefined> {
  const before = yield* one(known, input);
  if (before) {
    const [crashId, groupId, late] = [before.id, before.group_id, before.late === 1];
    yield* raiseHits({ ...input, crashId, groupId, source });
    return { crashId, groupId, newGroup: false, duplicate: true, late };
  }
  const { limits, jobId, inputSizeBytes } = input;
  if (!limits) return undefined;
  const full = yield* fullnessOf(jobId, inputSizeBytes, limits);
  if (full === 'free') return undefined;
  const sibling = yield* siblingOf({ ...source, ...input }, input);
  if (sibling) {
    const { crashId, groupId, late } = sibling;
    // Totals are of one input: this one's are added to those of the sibling.
    const hits = sibling.hits + input.hits;
    yield* raiseHits({ ...input, crashId, groupId, hits, source });
    return { crashId, groupId, newGroup: false, duplicate: true, late: late === 1 };
  }
  if (full === 'over') throw tooMany(limits);
  return undefined;
}

function* isMadeFrom(id: string | null, groupId: string): Steps<boolean> {
  return id !== null && (yield* one(groupOf, { id }))?.group_id === groupId;
}
