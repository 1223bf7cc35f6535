import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import { readCrashReport } from '../../crash/report.js';
import { crashSignature } from '../../crash/signature.js';
import type { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type {
  CrashReport,
  ListCrashesRequest,
  ReportCrashResponse,
} from '../../gen/pandafuzz/v1/crash_service.js';
import { getCrash } from '../../store/ops/crashes/get-crash.js';
import { listCrashGroups } from '../../store/ops/crashes/list-crash-groups.js';
import { listCrashes } from '../../store/ops/crashes/list-crashes.js';
import { recordCrash } from '../../store/ops/crashes/record-crash.js';
import type { Store } from '../../store/store.js';
import { checkLease } from '../messages/checks.js';
import { cutPage, type PageRequest, readPage } from '../messages/pages.js';
import { crashGroupRecord, crashRecord } from '../messages/records.js';
import { Violations } from '../messages/violations.js';

const largestReportBytes = 128 * 1024;

/** What was found. A crash is answered for only when input and record are on disk. */
export class Crashes {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly newId: () => string,
    private readonly maxInputBytes: number,
  ) {}

  /**
   * Keeps a crash. The input goes to disk first: a record never lacks its input,
   * while an input without a record is merely sent again.
   *
   * @throws ValidationError, NotFoundError (job or attempt), DataLossError
   */
  async report(
    ctx: RequestContext,
    report: CrashReport,
    input: AsyncIterable<Uint8Array>,
  ): Promise<ReportCrashResponse> {
    const found = new Violations();
    const lease = checkLease(report.lease, found);
    this.#check(report, found);
    const { inputSha256, inputSizeBytes } = report;
    const content = { sha256: inputSha256, sizeBytes: inputSizeBytes };
    await this.store.blobs.keep(ctx, content, input);
    const cause = readCrashReport(report.report);
    return this.store.run(ctx, recordCrash, {
      id: this.newId(),
      newGroupId: this.newId(),
      jobId: lease.jobId,
      attempt: lease.attempt,
      fence: lease.fence,
      kind: cause.kind,
      frames: cause.frames.map((frame) => frame.function),
      topFrame: cause.topFrame,
      signature: crashSignature(cause),
      inputSha256,
      inputSizeBytes,
      report: report.report,
      now: this.clock.now(),
    });
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Crash> {
    new Violations().id(id, 'crash_id').throwIfAny();
    const row = await this.store.run(ctx, getCrash, id);
    if (!row) throw new NotFoundError({ resource: 'crash', id });
    return crashRecord(row, row.report);
  }

  async list(
    ctx: RequestContext,
    request: ListCrashesRequest,
  ): Promise<{ crashes: Crash[]; nextPageToken: string }> {
    const { groupId, jobId } = request;
    const found = new Violations();
    if (groupId !== '') found.id(groupId, 'group_id');
    if (jobId !== '') found.id(jobId, 'job_id');
    found.expect(
      groupId === '' || jobId === '',
      'job_id',
      'must not be given together with group_id',
    );
    const page = readPage(request, found);
    const rows = await this.store.run(ctx, listCrashes, { ...page, groupId, jobId });
    const cut = cutPage(rows, page.limit);
    const crashes = cut.rows.map((row) => crashRecord(row));
    return { crashes, nextPageToken: cut.nextPageToken };
  }

  async groups(
    ctx: RequestContext,
    request: PageRequest,
  ): Promise<{ groups: CrashGroup[]; nextPageToken: string }> {
    const page = readPage(request);
    const cut = cutPage(await this.store.run(ctx, listCrashGroups, page), page.limit);
    return { groups: cut.rows.map(crashGroupRecord), nextPageToken: cut.nextPageToken };
  }

  #check(report: CrashReport, found: Violations): void {
    found
      .sha256(report.inputSha256, 'report.input_sha256')
      .whole(report.inputSizeBytes, 'report.input_size_bytes', { min: 0, max: this.maxInputBytes })
      .expect(
        Buffer.byteLength(report.report) <= largestReportBytes && report.report.isWellFormed(),
        'report.report',
        `must be at most ${largestReportBytes} bytes of well-formed text`,
      )
      .throwIfAny();
  }
}
