import { PreconditionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import type { MergeOnRecord } from '../../rows.js';
import { all, one, run, runEach, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { recordForTarget } from '../events/record-history.js';
import {
  type CorpusHead,
  corpusToChange,
  fewestToMerge,
  newGeneration,
  sizeOf,
  subjectOf,
} from './corpus-of.js';
import { type HeldJob, heldJob, type LeaseOf } from './holder.js';

/** Entries that were added while the merge ran, copied in one write. */
const lateAtOnce = 500;

interface Staging {
  corpusId: number;
  jobId: string;
  fence: number;
}

interface Copy {
  toId: number;
  fromId: number;
}

const staged = statement<Staging, { id: number }>(`
  SELECT id FROM corpus_generations
  WHERE corpus_id = @corpusId AND job_id = @jobId AND fence = @fence AND ended = 0`);
const stage = statement<Staging & { id: number }>(
  'UPDATE corpus_generations SET job_id = @jobId, fence = @fence WHERE id = @id',
);
const endOthers = statement<{ corpusId: number }>(`
  UPDATE corpus_generations SET ended = 1 WHERE corpus_id = @corpusId AND job_id IS NOT NULL`);
const copied = `
  INSERT INTO corpus_entries
    (generation_id, sha256, size_bytes, origin, engine, job_id, added_at)
  SELECT CAST(@toId AS BIGINT), sha256, size_bytes, origin, engine, job_id, added_at
  FROM corpus_entries WHERE generation_id = @fromId`;
const keep = statement<Copy & { sha256: string }>(`
  ${copied} AND sha256 = @sha256
  ON CONFLICT (generation_id, sha256) DO NOTHING`);
const keepLate = statement<Copy & { after: number; upTo: number }>(`
  ${copied} AND sequence > @after AND sequence <= @upTo
  ON CONFLICT (generation_id, sha256) DO NOTHING`);
const late = statement<{ fromId: number; after: number; limit: number }, { sequence: number }>(`
  SELECT sequence FROM corpus_entries WHERE generation_id = @fromId AND sequence > @after
  ORDER BY sequence LIMIT @limit`);
const replace = statement<{ id: number; generationId: number; atEntries: number; record: string }>(`
  UPDATE corpora SET generation_id = @generationId, revision = revision + 1,
    merge_due_at = NULL, merge_at_entries = @atEntries, last_merge = @record
  WHERE id = @id`);
const settle = statement<{ id: number }>(
  'UPDATE corpus_generations SET job_id = NULL, fence = NULL WHERE id = @id',
);
const end = statement<{ id: number }>('UPDATE corpus_generations SET ended = 1 WHERE id = @id');

/**
 * Notes inputs that a merge keeps.
 *
 * @returns how many were new to it
 * @throws StaleLeaseError, NotFoundError (job, corpus), PreconditionError NO_MERGE
 */
export const keepMerged = writeOperation(
  'keep_merged',
  'result',
  function* (input: LeaseOf & { sha256s: readonly string[] }): Steps<number> {
    const { corpus } = yield* mergeOf(input);
    const of = { corpusId: corpus.id, jobId: input.jobId, fence: input.fence };
    const toId = (yield* one(staged, of))?.id ?? (yield* beginStaging(of));
    const copies = input.sha256s.map((sha256) => ({ sha256, toId, fromId: corpus.generation_id }));
    return yield* runEach(keep, copies);
  },
);

/** What an earlier attempt, or an earlier job, gathered is of no use. */
function* beginStaging(of: Staging): Steps<number> {
  yield* run(endOthers, { corpusId: of.corpusId });
  const id = yield* newGeneration(of.corpusId);
  yield* run(stage, { ...of, id });
  return id;
}

export interface FinishMerge extends LeaseOf {
  /** Of the corpus that was looked at. */
  revision: number;
  /** Entries after it are kept. */
  cursor: number;
  /** Entries after the bot's cursor that were kept by earlier writes. */
  late: number;
  before: { coverage: number; features: number };
  after: { coverage: number; features: number };
  now: number;
}

/**
 * Replaces a corpus by what its merge keeps and what was added meanwhile. Where that is much,
 * only a part of it is copied, and the caller goes on from the cursor that is returned.
 *
 * @throws StaleLeaseError, NotFoundError (job, corpus),
 *   PreconditionError NO_MERGE, MERGE_OUTDATED
 */
export const finishMerge = writeOperation(
  'finish_merge',
  'result',
  function* (input: FinishMerge): Steps<MergeOnRecord | { cursor: number; late: number }> {
    const { jobId, fence, revision, cursor } = input;
    const { corpus, job } = yield* mergeOf(input);
    const recorded: MergeOnRecord | null = JSON.parse(corpus.last_merge ?? 'null');
    if (recorded?.jobId === jobId) return recorded;
    const of = { corpusId: corpus.id, jobId, fence };
    const stagedId = (yield* one(staged, of))?.id;
    if (corpus.revision !== revision || stagedId === undefined) {
      const why = 'the corpus has lost inputs since the merge began: it is to be merged anew';
      throw new PreconditionError({ reason: 'MERGE_OUTDATED', why });
    }
    const copy = { toId: stagedId, fromId: corpus.generation_id };
    const page = { ...copy, after: cursor, limit: lateAtOnce };
    const rows = yield* all(late, page);
    const upTo = rows.at(-1)?.sequence ?? cursor;
    if (rows.length > 0) yield* run(keepLate, { ...copy, after: cursor, upTo });
    const lateInAll = input.late + rows.length;
    if (rows.length === lateAtOnce) return { cursor: upTo, late: lateInAll };
    return yield* replaceCorpus({ corpus, job, stagedId, late: lateInAll }, input);
  },
);

function* replaceCorpus(
  what: { corpus: CorpusHead; job: HeldJob; stagedId: number; late: number },
  { jobId, before, after, now }: FinishMerge,
): Steps<MergeOnRecord> {
  const { corpus, job, stagedId } = what;
  const old = yield* sizeOf(corpus.generation_id);
  const kept = yield* sizeOf(stagedId);
  const record: MergeOnRecord = {
    jobId,
    at: now,
    targetSha256: job.target_sha256,
    entriesBefore: old.entries - what.late,
    entriesAfter: kept.entries - what.late,
    before,
    after,
  };
  yield* run(settle, { id: stagedId });
  yield* run(end, { id: corpus.generation_id });
  const atEntries = Math.max(kept.entries * 2, fewestToMerge);
  const to = { id: corpus.id, generationId: stagedId, atEntries, record: JSON.stringify(record) };
  yield* run(replace, to);
  const subject = subjectOf({ project: job.project, targetName: job.target_name });
  const { entriesBefore, entriesAfter } = record;
  yield* recordEvent(now, 'corpus.merged', subject, { jobId, entriesBefore, entriesAfter });
  const of = { project: job.project, targetName: job.target_name };
  const text = `corpus merged by job ${jobId}: ${entriesBefore} -> ${entriesAfter} inputs`;
  yield* recordForTarget(of, { time: now, kind: 'merged', text });
  return record;
}

function* mergeOf(lease: LeaseOf): Steps<{ corpus: CorpusHead; job: HeldJob }> {
  const job = yield* heldJob(lease);
  const of = { project: job.project, targetName: job.target_name };
  if (job.kind === 'merge') return { corpus: yield* corpusToChange(of), job };
  throw new PreconditionError({
    reason: 'NO_MERGE',
    why: 'the job of this lease merges no corpus',
  });
}
