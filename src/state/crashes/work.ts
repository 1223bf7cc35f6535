import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { PreconditionError } from '../../core/errors.js';
import { defaultProject } from '../../core/project.js';
import type {
  MinimiseCrashRequest,
  MinimiseCrashResponse,
  ReportReproductionRequest,
  ReportReproductionResponse,
  ReproduceCrashRequest,
  ReproduceCrashResponse,
  VerifyBuildRequest,
  VerifyBuildResponse,
} from '../../gen/pandafuzz/v1/crash_service.js';
import { findSource } from '../../store/ops/crashes/find-source.js';
import { reportReproduction } from '../../store/ops/crashes/report-reproduction.js';
import { findBuildToVerify, findCrashToRun } from '../../store/ops/crashes/work-sources.js';

import type { Store } from '../../store/store.js';
import { checkExecutable, checkLease } from '../messages/checks.js';
import { Violations } from '../messages/violations.js';
import type { FrameLists } from './frame-lists.js';
import type { ReportReader } from './reading/readers.js';
import type { Regrouping } from './regrouping.js';
import { checkReproduction } from './report-checks.js';
import type { WorkJobs } from './work-jobs.js';
import { canMinimise } from './work-spec.js';

const mostRuns = 1000;
const longestSeconds = 86_400;
/** Inputs that a job may try: what the contract allows. */
const mostInputs = 1000;

export interface CrashWorkParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly readers: ReportReader;
  readonly regrouping: Regrouping;
  readonly frameLists: FrameLists;
  readonly jobs: WorkJobs;
  readonly settings: MasterConfig['crashes'];
}

/** Work on crashes by command, and what comes of it. */
export class CrashWork {
  constructor(private readonly parts: CrashWorkParts) {}

  /** @throws ValidationError, NotFoundError */
  async reproduce(
    ctx: RequestContext,
    { id, runs }: ReproduceCrashRequest,
  ): Promise<ReproduceCrashResponse> {
    new Violations().id(id, 'id').whole(runs, 'runs', { min: 0, max: mostRuns }).throwIfAny();
    const { store, jobs, settings } = this.parts;
    const crash = await store.run(ctx, findCrashToRun, id);
    const jobId = await jobs.reproduce(ctx, crash, runs || settings.runs);
    return { jobId: jobId ?? '', crashId: crash.crashId };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError CANNOT_MINIMISE */
  async minimise(
    ctx: RequestContext,
    { id, seconds }: MinimiseCrashRequest,
  ): Promise<MinimiseCrashResponse> {
    const bounds = { min: 0, max: longestSeconds };
    new Violations().id(id, 'id').whole(seconds, 'seconds', bounds).throwIfAny();
    const { store, jobs, settings } = this.parts;
    const crash = await store.run(ctx, findCrashToRun, id);
    if (!canMinimise(crash)) {
      const why = 'the engine that found this crash has no way to make inputs smaller';
      throw new PreconditionError({ reason: 'CANNOT_MINIMISE', why });
    }
    const limits = {
      runs: settings.runs,
      seconds: seconds || Math.ceil(settings.minimise_time / 1000),
    };
    const jobId = await jobs.minimise(ctx, crash, limits);
    return { jobId: jobId ?? '', crashId: crash.crashId };
  }

  /** @throws ValidationError, NotFoundError, PreconditionError NOTHING_TO_VERIFY */
  async verify(ctx: RequestContext, request: VerifyBuildRequest): Promise<VerifyBuildResponse> {
    const { targetSha256, executable } = request;
    const found = new Violations()
      .sha256(targetSha256, 'target_sha256')
      .text(request.project, 'project', { max: 64 })
      .text(request.targetName, 'target_name', { max: 128 });
    checkExecutable(executable, 'executable', found);
    found.throwIfAny();
    const { store, jobs, settings } = this.parts;
    const project = request.project || defaultProject;
    const of = { project, targetName: request.targetName, targetSha256 };
    const build = await store.run(ctx, findBuildToVerify, { ...of, limit: mostInputs });
    const { targetName } = build;
    const on = { ...of, targetName, executable, runs: settings.runs, afterGroupId: '' };
    const jobId = await jobs.verify(ctx, build, on);
    return { jobId: jobId ?? '', groups: build.reproducers.length };
  }

  /** @throws ValidationError, NotFoundError, StaleLeaseError, PreconditionError WRONG_KIND */
  async report(
    ctx: RequestContext,
    request: ReportReproductionRequest,
  ): Promise<ReportReproductionResponse> {
    const found = new Violations();
    const { jobId, attempt, fence, botId } = checkLease(request.lease, found);
    checkReproduction(request, found);
    found.throwIfAny();
    const { store, clock, newId, readers, regrouping, frameLists, settings } = this.parts;
    const lease = { jobId, attempt, fence, botId };
    const source = await store.run(ctx, findSource, { lease, minimisedFrom: null });
    const reports = await Promise.all(
      request.reports.map(async ({ report, count }) => ({
        count,
        ...(await readers.read({
          report: report.replaceAll('\0', '\ufffd'),
          targetName: source.target_name,
          passedOver: frameLists.of(source.project),
        })),
      })),
    );
    await regrouping.caughtUp(ctx.signal);
    const { crashId, runs } = request;
    const crashes = await store.run(ctx, reportReproduction, {
      id: newId(),
      lease,
      crashId,
      runs,
      now: clock.now(),
      reports: reports.map(({ signature, distinction, count }) => ({
        signature,
        distinction,
        count,
      })),
      log: request.log.replaceAll('\0', '\ufffd'),
      minimise: settings.minimise === 'on',
    });
    return { crashes };
  }
}
