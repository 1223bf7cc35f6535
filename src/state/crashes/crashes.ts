import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import { type Crash, CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import type {
  CrashReport,
  ListCrashesRequest,
  ReportCrashHitsRequest,
  ReportCrashResponse,
} from '../../gen/pandafuzz/v1/crash_service.js';
import type { CrashLimits } from '../../store/ops/crashes/crash-limits.js';
import {
  type CrashSource,
  findSource,
  type LeaseName,
} from '../../store/ops/crashes/find-source.js';
import { getCrash } from '../../store/ops/crashes/get-crash.js';
import { listCrashes } from '../../store/ops/crashes/list-crashes.js';
import { countCrash, type RecordCrash, recordCrash } from '../../store/ops/crashes/record-crash.js';
import { reportHits } from '../../store/ops/crashes/report-hits.js';
import type { Store } from '../../store/store.js';
import { checkLease, isProject, projectProblem } from '../messages/checks.js';
import { crashRecord, listedCrashRecord } from '../messages/crash-records.js';
import { cutPage, readPage } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import type { FrameLists } from './frame-lists.js';
import type { ReportReader } from './reading/readers.js';
import type { Regrouping } from './regrouping.js';
import { checkHits, checkReport } from './report-checks.js';

/** Crashes whose hits one call brings. */
const mostCrashes = 1000;
/** Results of running a crash again that GetCrash shows. */
const shownReproductions = 16;

export interface CrashesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly readers: ReportReader;
  readonly regrouping: Regrouping;
  readonly frameLists: FrameLists;
  /** Called for each new group, once it is on disk. */
  readonly foundGroup: (found: { jobId: string; project: string; targetName: string }) => void;
  readonly maxInputBytes: number;
  /** Of one job. */
  readonly limits: CrashLimits;
}

/** Crashes. A report is answered after input and record are on disk. */
export class Crashes {
  constructor(private readonly parts: CrashesParts) {}

  /**
   * Records a crash. A report from an attempt that never was is refused before a byte of
   * the input is read. The input goes to disk first: a record never lacks its input, while
   * an input without a record is merely sent again.
   *
   * @throws ValidationError, NotFoundError (attempt, or the crash it was made from),
   *   DataLossError, DiskFullError
   */
  async report(
    ctx: RequestContext,
    report: CrashReport,
    input: AsyncIterable<Uint8Array>,
  ): Promise<ReportCrashResponse> {
    const { store, maxInputBytes, limits } = this.parts;
    const found = new Violations();
    const lease = checkLease(report.lease, found);
    checkReport(report, maxInputBytes, found);
    found.throwIfAny();
    const { inputSha256: sha256, inputSizeBytes: sizeBytes } = report;
    const minimisedFrom = report.minimisedFrom || null;
    const source = await store.run(ctx, findSource, { lease, minimisedFrom });
    const crash = await this.#read(ctx, report, { lease, source });
    const isFull =
      source.crashes_kept >= limits.crashes || source.crash_bytes_kept + sizeBytes > limits.bytes;
    const counted = isFull && (await store.run(ctx, countCrash, crash));
    if (counted) return counted;
    await store.room.expect(sizeBytes, 'found');
    const batch = store.blobs.batch();
    try {
      await batch.add(ctx, { sha256, sizeBytes }, input);
      const placed = await batch.settle(ctx);
      const recorded = await store.run(ctx, recordCrash, { ...crash, placed });
      if (recorded.newGroup) {
        const { project, target_name: targetName } = source;
        this.parts.foundGroup({ jobId: lease.jobId, project, targetName });
      }
      return recorded;
    } finally {
      batch.end();
    }
  }

  /** The crash as it is to be recorded. */
  async #read(
    ctx: RequestContext,
    report: CrashReport,
    { lease, source }: { lease: LeaseName; source: CrashSource },
  ): Promise<RecordCrash> {
    const { readers, regrouping, frameLists, newId, clock, limits } = this.parts;
    const { inputSha256, inputSizeBytes, context } = report;
    const text = storable(report.report);
    const reading = await readers.read({
      report: text,
      targetName: source.target_name,
      passedOver: frameLists.of(source.project),
    });
    await regrouping.caughtUp(ctx.signal);
    return {
      ...reading,
      id: newId(),
      newGroupId: newId(),
      now: clock.now(),
      jobId: lease.jobId,
      attempt: lease.attempt,
      fence: lease.fence,
      ...(lease.botId !== undefined && { botId: lease.botId }),
      inputSha256,
      inputSizeBytes,
      minimisedFrom: report.minimisedFrom || null,
      report: text,
      hits: report.hits || 1,
      context: context ? JSON.stringify(CrashContext.toJSON(context)) : null,
      limits,
    };
  }

  /** @throws ValidationError, NotFoundError (attempt or crash) */
  async reportHits(ctx: RequestContext, request: ReportCrashHitsRequest): Promise<void> {
    const found = new Violations();
    const { jobId, attempt, fence, botId } = checkLease(request.lease, found);
    const { length } = request.hits;
    found.expect(length >= 1 && length <= mostCrashes, 'hits', `must be 1 to ${mostCrashes}`);
    for (const [index, { crashId, hits }] of request.hits.slice(0, mostCrashes).entries()) {
      found.id(crashId, `hits[${index}].crash_id`);
      checkHits(hits, `hits[${index}].hits`, found);
    }
    found.throwIfAny();
    const { store, clock } = this.parts;
    const lease = { jobId, attempt, fence, botId };
    await store.run(ctx, reportHits, { lease, hits: request.hits, now: clock.now() });
  }

  /** @throws ValidationError, NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Crash> {
    new Violations().id(id, 'crash_id').throwIfAny();
    const input = { id, reproductions: shownReproductions };
    const whole = await this.parts.store.run(ctx, getCrash, input);
    if (!whole) throw new NotFoundError({ resource: 'crash', id });
    return crashRecord(whole);
  }

  /** @throws ValidationError */
  async list(
    ctx: RequestContext,
    request: ListCrashesRequest,
  ): Promise<{ crashes: Crash[]; nextPageToken: string }> {
    const { groupId, jobId, project = '' } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    if (groupId !== '') found.id(groupId, 'group_id');
    if (jobId !== '') found.id(jobId, 'job_id');
    found.expect(
      groupId === '' || jobId === '',
      'job_id',
      'must not be given together with group_id',
    );
    const page = readPage(request, found);
    const chosen = { ...page, groupId, jobId, project };
    const rows = await this.parts.store.run(ctx, listCrashes, chosen);
    const cut = cutPage(rows, page.limit);
    return { crashes: cut.rows.map(listedCrashRecord), nextPageToken: cut.nextPageToken };
  }
}

/** A text as every database takes it: PostgreSQL has no place for a NUL. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd');
