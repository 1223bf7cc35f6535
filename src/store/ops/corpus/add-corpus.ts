import { writeOperation } from '../../operation.js';
import type { CorpusOrigin } from '../../rows.js';
import { run, runEach, type Steps, statement } from '../../statement.js';
import { type PlacedBlob, placeBlobs } from '../blobs/place-blobs.js';
import { type CorpusHead, type CorpusOf, corpusToAddTo, sizeOf } from './corpus-of.js';
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

interface Adding {
  readonly entries: readonly NewCorpusEntry[];
  /** Where those of them are that were written into a pack just now; absent: none were. */
  readonly placed?: readonly PlacedBlob[];
  readonly merge: MergeWish;
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
const due = statement<{ id: number; dueAt: number; atEntries: number }>(`
  UPDATE corpora SET merge_due_at = @dueAt, merge_at_entries = @atEntries WHERE id = @id`);

/**
 * Adds inputs to the corpus of the job's target. An input that the corpus has already stays
 * as it is.
 *
 * @returns how many were new
 * @throws StaleLeaseError, NotFoundError (job)
 */
export const addCorpus = writeOperation(
  'add_corpus',
  'result',
  function* (input: LeaseOf & Adding): Steps<number> {
    const { project, target_name, engine } = yield* heldJob(input);
    const by = { engine, jobId: input.jobId };
    return yield* add({ project, targetName: target_name }, by, input);
  },
);

/**
 * Adds inputs that no job brought.
 *
 * @returns how many were new
 */
export const importCorpus = writeOperation(
  'import_corpus',
  'work',
  function* (input: CorpusOf & Adding): Steps<number> {
    return yield* add(input, { engine: '', jobId: null }, input);
  },
);

function* add(
  of: CorpusOf,
  by: { engine: string; jobId: string | null },
  { entries, placed = [], merge, now }: Adding,
): Steps<number> {
  if (entries.length === 0) return 0;
  yield* placeBlobs(placed);
  const corpus = yield* corpusToAddTo(of);
  const { generation_id: generationId } = corpus;
  const rows = entries.map((entry) => ({ ...entry, ...by, generationId, now }));
  const added = yield* runEach(insert, rows);
  if (added > 0) yield* wishForMerge(corpus, merge, now);
  return added;
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
