import { policyOfTarget } from '../../campaign-policies.js';
import { writeOperation } from '../../operation.js';
import type { CorpusOrigin } from '../../rows.js';
import { one, run, runEach, type Steps, statement } from '../../statement.js';
import { type PlacedBlob, placeBlobs } from '../blobs/place-blobs.js';
import {
  type CorpusHead,
  type CorpusOf,
  corpusToAddTo,
  fewestToMerge,
  sizeOf,
} from './corpus-of.js';
import { heldJob, type LeaseOf } from './holder.js';

/** An input whose bytes are on disk. */
export interface NewCorpusEntry {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly origin: CorpusOrigin;
}

/** When the policy wants a corpus merged that was added to. */
export interface MergeWish {
  /** So long after the first addition, milliseconds; null: time alone is no reason. */
  readonly afterMs: number | null;
  /** Whether it is due when the corpus has doubled. */
  readonly isByGrowth: boolean;
}

/** How large a corpus may become. */
export interface CorpusBounds {
  readonly entries: number;
  readonly bytes: number;
}

export interface Added {
  /** Inputs that were new. */
  readonly added: number;
  /** Inputs that were new, and for which there is no room. */
  readonly refused: number;
  /** The bound that was met first. */
  readonly bound: keyof CorpusBounds | undefined;
}

interface Adding {
  readonly entries: readonly NewCorpusEntry[];
  /** Where those of them are that were written into a pack just now; absent: none were. */
  readonly placed?: readonly PlacedBlob[];
  readonly merge: MergeWish;
  readonly bounds: CorpusBounds;
  readonly now: number;
}

interface NewRow {
  generationId: number;
  sha256: string;
  sizeBytes: number;
  origin: CorpusOrigin;
  engine: string;
  jobId: string | null;
  now: number;
}

const insert = statement<NewRow>(`
  INSERT INTO corpus_entries
    (generation_id, sha256, size_bytes, origin, engine, job_id, added_at)
  VALUES (@generationId, @sha256, @sizeBytes, @origin, @engine, @jobId, @now)
  ON CONFLICT (generation_id, sha256) DO NOTHING`);
const known = statement<{ generationId: number; sha256: string }, unknown>(`
  SELECT 1 FROM corpus_entries WHERE generation_id = @generationId AND sha256 = @sha256`);
const due = statement<{ id: number; dueAt: number; atEntries: number }>(`
  UPDATE corpora SET merge_due_at = @dueAt, merge_at_entries = @atEntries WHERE id = @id`);

/**
 * Adds inputs to the corpus of the job's target, as many as there is room for. An input that
 * the corpus has already stays as it is.
 *
 * @throws StaleLeaseError, NotFoundError (job)
 */
export const addCorpus = writeOperation(
  'add_corpus',
  'result',
  function* (input: LeaseOf & Adding): Steps<Added> {
    const { project, target_name, engine } = yield* heldJob(input);
    const by = { engine, jobId: input.jobId };
    return yield* add({ project, targetName: target_name }, by, input);
  },
);

/** Adds inputs that no job brought, as many as there is room for. */
export const importCorpus = writeOperation(
  'import_corpus',
  'work',
  function* (input: CorpusOf & Adding): Steps<Added> {
    return yield* add(input, { engine: '', jobId: null }, input);
  },
);

function* add(of: CorpusOf, by: Bringer, input: Adding): Steps<Added> {
  const { entries, placed = [], merge, bounds, now } = input;
  if (entries.length === 0) return { added: 0, refused: 0, bound: undefined };
  yield* placeBlobs(placed);
  const corpus = yield* corpusToAddTo(of);
  const { generation_id: generationId } = corpus;
  const rows = entries.map((entry) => ({ ...entry, ...by, generationId, now }));
  const done = yield* addRows(rows, yield* sizeOf(generationId), bounds);
  if (done.added > 0) yield* wishForMerge(corpus, merge, now);
  if (done.refused > 0 && (yield* isMerged(of, merge))) yield* wishForRoom(corpus, now);
  return done;
}

interface Bringer {
  engine: string;
  jobId: string | null;
}

function* addRows(
  rows: readonly NewRow[],
  size: { readonly entries: number; readonly bytes: number },
  bounds: CorpusBounds,
): Steps<Added> {
  let { entries, bytes } = size;
  const allBytes = rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (entries + rows.length <= bounds.entries && bytes + allBytes <= bounds.bytes) {
    return { added: yield* runEach(insert, rows), refused: 0, bound: undefined };
  }
  let [added, refused] = [0, 0];
  let bound: Added['bound'];
  for (const row of rows) {
    const isMany = entries >= bounds.entries;
    if (!isMany && bytes + row.sizeBytes <= bounds.bytes) {
      if ((yield* run(insert, row)) === 0) continue;
      [added, entries, bytes] = [added + 1, entries + 1, bytes + row.sizeBytes];
    } else if (!(yield* one(known, row))) {
      refused += 1;
      bound ??= isMany ? 'entries' : 'bytes';
    }
  }
  return { added, refused, bound };
}

function* wishForMerge(corpus: CorpusHead, merge: MergeWish, now: number): Steps<void> {
  const { id, generation_id, merge_due_at: dueAt, merge_at_entries: atEntries } = corpus;
  if (merge.isByGrowth) {
    const { entries } = yield* sizeOf(generation_id);
    if (entries >= atEntries) {
      yield* run(due, { id, dueAt: Math.min(dueAt ?? now, now), atEntries: entries * 2 });
      return;
    }
  }
  if (dueAt === null && merge.afterMs !== null) {
    yield* run(due, { id, dueAt: now + merge.afterMs, atEntries });
  }
}

/** Whether a corpus is merged by itself at all: the newest campaign of its target may want it. */
function* isMerged(of: CorpusOf, merge: MergeWish): Steps<boolean> {
  if (merge.isByGrowth || merge.afterMs !== null) return true;
  return (yield* policyOfTarget(of, 'merge')) === 'on';
}

/**
 * A full corpus is merged at once, and again when it has grown by a tenth since: a corpus
 * that its merge leaves full is not merged over and over.
 */
function* wishForRoom(corpus: CorpusHead, now: number): Steps<void> {
  const { id, generation_id, merge_job_id, merge_at_entries: atEntries } = corpus;
  const { entries } = yield* sizeOf(generation_id);
  const wasMerged = merge_job_id !== null || corpus.merge_at_entries !== fewestToMerge;
  if (wasMerged && entries * 20 < atEntries * 11) return;
  yield* run(due, { id, dueAt: now, atEntries: Math.max(entries, fewestToMerge) * 2 });
}
