import { type Policy, policyOfTarget } from '../../campaign-policies.js';
import type { CoverageTargetRow } from '../../coverage-rows.js';
import { pageOperation, readOperation, writeOperation } from '../../operation.js';
import { all, one, run, type Steps, statement } from '../../statement.js';
import { findCorpus, sizeOf } from '../corpus/corpus-of.js';
import { type CreateJobInput, type MadeJob, queueJob } from '../jobs/create-job.js';
import { type CoverageOf, coverageToChange, knownCoverage, measuringJob } from './coverage-of.js';

/** What a report begins with. */
export interface CoverageSource {
  readonly target: CoverageTargetRow;
  /** Inputs of the corpus. */
  readonly entries: number;
  readonly measuringJobId: string | undefined;
  /** The newest report was made of this build, and of all that is in the corpus. */
  readonly isUpToDate: boolean;
}

interface Seen {
  seen_sha256: string;
  seen_revision: number;
  seen_cursor: number;
}

const seen = statement<{ id: number }, Seen>(
  'SELECT seen_sha256, seen_revision, seen_cursor FROM coverage_targets WHERE id = @id',
);
const lastEntry = statement<{ generationId: number }, { sequence: number }>(`
  SELECT sequence FROM corpus_entries WHERE generation_id = @generationId
  ORDER BY sequence DESC LIMIT 1`);
const made = statement<{ id: number; jobId: string; dueAt: number }>(
  'UPDATE coverage_targets SET job_id = @jobId, due_at = @dueAt WHERE id = @id',
);
const due = statement<{ now: number; limit: number }, CoverageOf>(`
  SELECT project, target_name AS "targetName" FROM coverage_targets
  WHERE due_at <= @now ORDER BY due_at, id LIMIT @limit`);
const postpone = statement<CoverageOf & { dueAt: number }>(`
  UPDATE coverage_targets SET due_at = @dueAt
  WHERE project = @project AND target_name = @targetName`);

/** @throws NotFoundError (coverage build) */
export const findCoverageSource = readOperation(
  'find_coverage_source',
  function* (of: CoverageOf): Steps<CoverageSource> {
    const target = yield* knownCoverage(of);
    const measuringJobId = yield* measuringJob(target);
    const corpus = yield* findCorpus(of);
    if (!corpus) return { target, entries: 0, measuringJobId, isUpToDate: false };
    const generationId = corpus.generation_id;
    const { entries } = yield* sizeOf(generationId);
    const last = (yield* one(lastEntry, { generationId }))?.sequence ?? 0;
    const before = (yield* one(seen, { id: target.id })) as Seen;
    const isUpToDate =
      before.seen_sha256 === target.target_sha256 &&
      before.seen_revision === corpus.revision &&
      before.seen_cursor >= last;
    return { target, entries, measuringJobId, isUpToDate };
  },
);

/**
 * Makes the job of a report. One that makes none is followed by the next when that is due. Throws as `createJob` does.
 *
 * @returns the id of the job that is under way already
 * @throws NotFoundError (coverage build)
 */
export const makeCoverage = writeOperation(
  'make_coverage',
  'work',
  function* (
    input: CoverageOf & { job: CreateJobInput; dueAt: number },
  ): Steps<MadeJob | { jobId: string }> {
    const target = yield* coverageToChange(input);
    const measuring = yield* measuringJob(target);
    if (measuring !== undefined) return { jobId: measuring };
    const queued = yield* queueJob(input.job);
    yield* run(made, { id: target.id, jobId: input.job.id, dueAt: input.dueAt });
    return queued;
  },
);

/** A target whose report is due, and what its newest campaign wants. */
export type DueCoverage = CoverageOf & { policy: Policy };

export const dueCoverage = pageOperation(
  'due_coverage',
  function* (page: { now: number; limit: number }): Steps<DueCoverage[]> {
    const found: DueCoverage[] = [];
    for (const of of yield* all(due, page)) {
      found.push({ ...of, policy: yield* policyOfTarget(of, 'coverage') });
    }
    return found;
  },
);

/** Makes a report due later. */
export const postponeCoverage = writeOperation(
  'postpone_coverage',
  'upkeep',
  function* (input: CoverageOf & { dueAt: number }): Steps<void> {
    yield* run(postpone, input);
  },
);
