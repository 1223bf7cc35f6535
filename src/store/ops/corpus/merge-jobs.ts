import { type Policy, policyOfTarget } from '../../campaign-policies.js';
import { pageOperation, readOperation, writeOperation } from '../../operation.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { type CreateJobInput, type MadeJob, queueJob } from '../jobs/create-job.js';
import { type CorpusOf, corpusToChange, findCorpus, sizeOf } from './corpus-of.js';

/** What a merge of a corpus begins with. */
export interface MergeSource {
  readonly entries: number;
  /** The merge that is under way. */
  readonly mergingJobId: string | undefined;
  /** JobSpec of the target's newest job by one of the engines, as protobuf JSON. */
  readonly spec: string | undefined;
  /** The target has jobs of any engine. */
  readonly hasJobs: boolean;
}

const newest = statement<CorpusOf & { engine: string }, { id: string; spec: string }>(`
  SELECT id, spec FROM jobs
  WHERE project = @project AND target_name = @targetName AND engine = @engine AND kind = 'fuzz'
  ORDER BY id DESC LIMIT 1`);
const anyJob = statement<CorpusOf, unknown>(`
  SELECT 1 FROM jobs WHERE project = @project AND target_name = @targetName AND kind = 'fuzz'
  LIMIT 1`);
const underWay = statement<{ id: string }, { id: string }>(
  'SELECT id FROM jobs WHERE id = @id AND finished_at IS NULL',
);
const made = statement<{ id: number; jobId: string }>(
  'UPDATE corpora SET merge_job_id = @jobId, merge_due_at = NULL WHERE id = @id',
);
const due = statement<{ now: number; limit: number }, { project: string; targetName: string }>(`
  SELECT project, target_name AS "targetName" FROM corpora
  WHERE merge_due_at IS NOT NULL AND merge_due_at <= @now
  ORDER BY merge_due_at, id LIMIT @limit`);
const postpone = statement<CorpusOf & { dueAt: number }>(`
  UPDATE corpora SET merge_due_at = @dueAt
  WHERE project = @project AND target_name = @targetName`);

/**
 * @param engines that can merge
 * @returns undefined for a corpus that never was
 */
export const findMergeSource = readOperation(
  'find_merge_source',
  function* ({
    engines,
    ...of
  }: CorpusOf & { engines: readonly string[] }): Steps<MergeSource | undefined> {
    const corpus = yield* findCorpus(of);
    if (!corpus) return undefined;
    const { entries } = yield* sizeOf(corpus.generation_id);
    const merging = corpus.merge_job_id && (yield* one(underWay, { id: corpus.merge_job_id }));
    let job: { id: string; spec: string } | undefined;
    for (const engine of engines) {
      const found = yield* one(newest, { ...of, engine });
      if (found && (!job || found.id > job.id)) job = found;
    }
    const hasJobs = job !== undefined || (yield* one(anyJob, of)) !== undefined;
    return { entries, mergingJobId: merging ? merging.id : undefined, spec: job?.spec, hasJobs };
  },
);

/**
 * Makes the job of a merge. Throws as `createJob` does.
 *
 * @returns the id of the job that is under way already
 * @throws NotFoundError (corpus)
 */
export const makeMerge = writeOperation(
  'make_merge',
  'work',
  function* (input: CorpusOf & { job: CreateJobInput }): Steps<MadeJob | { jobId: string }> {
    const corpus = yield* corpusToChange(input);
    const id = corpus.merge_job_id;
    if (id !== null && (yield* one(underWay, { id }))) return { jobId: id };
    const queued = yield* queueJob(input.job);
    yield* run(made, { id: corpus.id, jobId: input.job.id });
    return queued;
  },
);

/** A corpus whose merge is due, and what the newest campaign of its target wants. */
export type DueMerge = CorpusOf & { policy: Policy };

/** Corpora whose merge is due. */
export const dueMerges = pageOperation(
  'due_merges',
  function* (page: { now: number; limit: number }): Steps<DueMerge[]> {
    const found: DueMerge[] = [];
    for (const of of yield* all(due, page)) {
      found.push({ ...of, policy: yield* policyOfTarget(of, 'merge') });
    }
    return found;
  },
);

/** Makes a merge due later, or never by itself before the corpus is added to. */
export const postponeMerge = writeOperation(
  'postpone_merge',
  'upkeep',
  function* (input: CorpusOf & { dueAt: number }): Steps<void> {
    yield* run(postpone, input);
  },
);
