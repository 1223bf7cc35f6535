import type { RequestContext } from '../../core/context.js';
import { PreconditionError } from '../../core/errors.js';
import {
  type Coverage,
  CoverageBuild,
  type MeasureCoverageRequest,
  type MeasureCoverageResponse,
  type RegisterCoverageBuildRequest,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import { findCoverageSource, makeCoverage } from '../../store/ops/coverage/coverage-jobs.js';
import type { CoverageOf } from '../../store/ops/coverage/coverage-of.js';
import { registerCoverage } from '../../store/ops/coverage/register-coverage.js';
import { handOut, type TargetJobsParts } from '../corpus/target-jobs.js';
import { checkExecutable } from '../messages/checks.js';
import { corpusOf } from '../messages/corpus-records.js';
import { jobInput } from '../messages/job-input.js';
import { Violations } from '../messages/violations.js';
import { coverageRecord } from './records.js';
import { coverageSpec } from './spec.js';

/** After a report the next is due, milliseconds. */
export const dayMs = 86_400_000;

/** Names a target of a request; what is wrong with the names is noted in `found`. */
export const targetOf = (key: CoverageOf, found: Violations): CoverageOf =>
  corpusOf(key, found, { project: 'project', targetName: 'target_name' });

/** Coverage builds, and the jobs that make reports with them. */
export class CoverageMeasures {
  constructor(private readonly parts: TargetJobsParts) {}

  /** @throws ValidationError, NotFoundError, QuotaError */
  async register(ctx: RequestContext, request: RegisterCoverageBuildRequest): Promise<Coverage> {
    const found = new Violations();
    const of = targetOf(request, found);
    const { targetSha256, executable } = request.build ?? CoverageBuild.create();
    found.sha256(targetSha256, 'build.target_sha256');
    checkExecutable(executable, 'build.executable', found);
    found.throwIfAny();
    const { store, clock } = this.parts;
    const build = { ...of, targetSha256, executable, now: clock.now() };
    return coverageRecord(await store.run(ctx, registerCoverage, build));
  }

  /** @throws ValidationError, NotFoundError, PreconditionError NOTHING_TO_MEASURE */
  async begin(
    ctx: RequestContext,
    request: MeasureCoverageRequest,
  ): Promise<MeasureCoverageResponse> {
    const found = new Violations();
    const of = targetOf(request, found);
    found.throwIfAny();
    return this.make(ctx, of);
  }

  /** Whether a new report would say the same as the newest. @throws NotFoundError */
  async isUpToDate(ctx: RequestContext, of: CoverageOf): Promise<boolean> {
    return (await this.parts.store.run(ctx, findCoverageSource, of)).isUpToDate;
  }

  /** As `begin`, for the policy. */
  async make(ctx: RequestContext, of: CoverageOf): Promise<MeasureCoverageResponse> {
    const { store, clock, newId, defaults, longestMs } = this.parts;
    const source = await store.run(ctx, findCoverageSource, of);
    if (source.measuringJobId) return { jobId: source.measuringJobId, underWay: true };
    if (source.entries === 0) {
      const why = 'the corpus of this target is empty: fuzz it, or import inputs';
      throw new PreconditionError({ reason: 'NOTHING_TO_MEASURE', why });
    }
    const seconds = Math.ceil(longestMs / 1000);
    const spec = coverageSpec(source.target, { seconds, defaults });
    const job = jobInput(spec, { id: newId(), requestId: null, now: clock.now() });
    const dueAt = job.now + dayMs;
    const made = await store.run(ctx, makeCoverage, { ...of, job, dueAt });
    return handOut(this.parts, job.id, made);
  }
}
