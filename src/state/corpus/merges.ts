import type { RequestContext } from '../../core/context.js';
import { NotFoundError, PreconditionError } from '../../core/errors.js';
import { isSha256 } from '../../core/ids.js';
import type {
  CorpusKey,
  FinishMergeRequest,
  FinishMergeResponse,
  KeepMergedInputsRequest,
  KeepMergedInputsResponse,
  MergeCorpusResponse,
} from '../../gen/pandafuzz/v1/corpus_service.js';
import type { CorpusOf } from '../../store/ops/corpus/corpus-of.js';
import { finishMerge, keepMerged } from '../../store/ops/corpus/finish-merge.js';
import { findMergeSource, makeMerge } from '../../store/ops/corpus/merge-jobs.js';
import { checkLease } from '../messages/checks.js';
import { corpusOf, mergeRecord } from '../messages/corpus-records.js';
import { jobInput } from '../messages/job-input.js';
import { Violations } from '../messages/violations.js';
import { mergeSpec, mergingEngines } from './merge-spec.js';
import { handOut, type TargetJobsParts } from './target-jobs.js';

/** Inputs of one call. */
const mostInputs = 1000;

/**
 * Merges: a job has the engine choose the inputs that its coverage needs, and its bot then
 * replaces the corpus by them.
 *
 *   MergeCorpus, or the policy ──> job ──> its bot: KeepMergedInputs …, FinishMerge
 *
 * What the bot keeps is gathered beside the corpus, and takes its place with one write.
 */
export class Merges {
  constructor(private readonly parts: TargetJobsParts) {}

  /** @throws ValidationError, NotFoundError, PreconditionError NOTHING_TO_MERGE, CANNOT_MERGE */
  async begin(ctx: RequestContext, key: CorpusKey | undefined): Promise<MergeCorpusResponse> {
    const found = new Violations();
    const of = corpusOf(key, found);
    found.throwIfAny();
    return this.make(ctx, of);
  }

  /** As `begin`, for the policy. */
  async make(ctx: RequestContext, of: CorpusOf): Promise<MergeCorpusResponse> {
    const { store, clock, newId, defaults, longestMs } = this.parts;
    const source = await store.run(ctx, findMergeSource, { ...of, engines: mergingEngines });
    if (!source)
      throw new NotFoundError({ resource: 'corpus', id: `${of.project}/${of.targetName}` });
    if (source.mergingJobId) return { jobId: source.mergingJobId, underWay: true };
    if (source.entries === 0) throw refusal('NOTHING_TO_MERGE', 'the corpus is empty');
    if (!source.hasJobs) {
      throw refusal('NOTHING_TO_MERGE', 'no job of this target is left whose build could do it');
    }
    if (source.spec === undefined) throw refusal('CANNOT_MERGE', noEngine);
    const seconds = Math.ceil(longestMs / 1000);
    const spec = mergeSpec(source.spec, of, { seconds, defaults });
    const job = jobInput(spec, { id: newId(), requestId: null, now: clock.now() });
    const made = await store.run(ctx, makeMerge, { ...of, job });
    return handOut(this.parts, job.id, made);
  }

  /** @throws ValidationError, NotFoundError, StaleLeaseError, PreconditionError NO_MERGE */
  async keep(
    ctx: RequestContext,
    { lease, sha256s }: KeepMergedInputsRequest,
  ): Promise<KeepMergedInputsResponse> {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(lease, found);
    found
      .expect(
        sha256s.length >= 1 && sha256s.length <= mostInputs && sha256s.every(isSha256),
        'sha256s',
        `must be 1 to ${mostInputs} SHA-256s: 64 lower-case hex digits each`,
      )
      .throwIfAny();
    const kept = await this.parts.store.run(ctx, keepMerged, { jobId, attempt, fence, sha256s });
    return { kept };
  }

  /**
   * @throws ValidationError, NotFoundError, StaleLeaseError,
   *   PreconditionError NO_MERGE, MERGE_OUTDATED, MERGE_COVERS_LESS
   */
  async finish(ctx: RequestContext, request: FinishMergeRequest): Promise<FinishMergeResponse> {
    const found = new Violations();
    const { jobId, attempt, fence } = checkLease(request.lease, found);
    const { revision, cursor } = request;
    const before = request.before ?? { coverage: 0, features: 0 };
    const after = request.after ?? { coverage: 0, features: 0 };
    found
      .whole(revision, 'revision', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .whole(cursor, 'cursor', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .whole(before.coverage, 'before.coverage', { min: 1, max: Number.MAX_SAFE_INTEGER })
      .whole(before.features, 'before.features', { min: 0, max: Number.MAX_SAFE_INTEGER })
      .whole(after.features, 'after.features', { min: 0, max: Number.MAX_SAFE_INTEGER })
      .throwIfAny();
    if (after.coverage < before.coverage) {
      const why = `what is kept covers ${after.coverage}, and the corpus ${before.coverage}`;
      throw refusal('MERGE_COVERS_LESS', why);
    }
    const { store, clock } = this.parts;
    const input = { jobId, attempt, fence, revision, before, after, now: clock.now() };
    for (let at = { cursor, late: 0 }; ; ) {
      const done = await store.run(ctx, finishMerge, { ...input, ...at });
      if ('entriesAfter' in done) return { merge: mergeRecord(done) };
      at = done;
    }
  }
}

const noEngine = `no job of this target ran with an engine that can merge: ${mergingEngines.join(', ')} can; run one of them on this target, with a build for it`;

const refusal = (reason: string, why: string) => new PreconditionError({ reason, why });
