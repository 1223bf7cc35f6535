import type { Clock } from '../../core/clock.js';
import type { RequestContext } from '../../core/context.js';
import type {
  AddCoverageFilesRequest,
  AddCoverageFilesResponse,
  CoverageFileUpload,
  FinishCoverageRequest,
  FinishCoverageResponse,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import type { CoverageDetailRow, CoverageReportRow } from '../../store/coverage-rows.js';
import {
  addCoverageFiles,
  findCoverageBase,
  finishCoverage,
  type NewCoverageFile,
} from '../../store/ops/coverage/make-report.js';
import type { Store } from '../../store/store.js';
import { checkLease } from '../messages/checks.js';
import { Violations } from '../messages/violations.js';
import { changeOf, coveredOf, type FileLines, readDetail, storedDetail } from './detail.js';
import { dayMs } from './measure.js';
import { reportRecord } from './records.js';

/** Files of one call. */
const mostFiles = 100;
const longestPath = 300;
/** Of a CoverageDetail as gzip, bytes. */
const mostDetailBytes = 256 * 1024;
const mostCounted = 100_000_000;
/** Files of the report before that are read at once. */
const readAtOnce = 10;

/** Takes the reports that bots make, and compares each with the one before. */
export class CoverageGathering {
  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws ValidationError, NotFoundError, StaleLeaseError,
   *   PreconditionError NO_COVERAGE, TOO_MANY_FILES, TOO_LARGE
   */
  async add(
    ctx: RequestContext,
    { lease: given, files }: AddCoverageFilesRequest,
  ): Promise<AddCoverageFilesResponse> {
    const found = new Violations();
    const lease = checkLease(given, found);
    const paths = new Set(files.map(({ path }) => path));
    found.expect(
      files.length >= 1 && files.length <= mostFiles && paths.size === files.length,
      'files',
      `must be 1 to ${mostFiles}, of different paths`,
    );
    for (const [index, file] of files.slice(0, mostFiles).entries()) {
      checkFile(file, `files[${index}]`, found);
    }
    found.throwIfAny();
    const compared: NewCoverageFile[] = [];
    let base: CoverageReportRow | undefined;
    for (let at = 0; at < files.length; at += readAtOnce) {
      const some = files.slice(at, at + readAtOnce);
      const of = { jobId: lease.jobId, paths: some.map(({ path }) => path) };
      const before = await this.store.run(ctx, findCoverageBase, of);
      base = before.report;
      for (const [index, file] of some.entries()) {
        const row = before.files.find(({ path }) => path === file.path);
        const isSameBuild = base?.target_sha256 === before.targetSha256;
        const now = await readDetail(Buffer.from(file.detail), `files[${at + index}].detail`);
        compared.push(await this.#compared(file, now, base && { row, isSameBuild }));
      }
    }
    const now = this.clock.now();
    const input = { ...lease, files: compared, baseId: base?.id ?? null, now };
    await this.store.run(ctx, addCoverageFiles, input);
    return {};
  }

  /** @param before undefined: there is no earlier report */
  async #compared(
    { path, sums, detail }: CoverageFileUpload,
    now: FileLines,
    before: { row: CoverageDetailRow | undefined; isSameBuild: boolean } | undefined,
  ): Promise<NewCoverageFile> {
    const row = before?.row;
    const { sourceSha256 } = now;
    const isSameSource = sourceSha256 !== '' && row?.source_sha256 === sourceSha256;
    const isComparable = before !== undefined && (!row || before.isSameBuild || isSameSource);
    const change = isComparable
      ? changeOf(now, row && (await storedDetail(row.detail)))
      : { newLines: null, lostLines: null };
    return {
      path,
      lines: now.counts.size,
      coveredLines: coveredOf(now),
      functions: sums?.functions ?? 0,
      coveredFunctions: sums?.coveredFunctions ?? 0,
      regions: sums?.regions ?? 0,
      coveredRegions: sums?.coveredRegions ?? 0,
      sourceSha256,
      ...change,
      detail: Buffer.from(detail).toString('base64'),
    };
  }

  /** @throws ValidationError, NotFoundError, StaleLeaseError, PreconditionError NO_COVERAGE */
  async finish(
    ctx: RequestContext,
    request: FinishCoverageRequest,
  ): Promise<FinishCoverageResponse> {
    const found = new Violations();
    const lease = checkLease(request.lease, found);
    const { inputs, failedInputs, tools, note, revision, cursor } = request;
    const most = Number.MAX_SAFE_INTEGER;
    found
      .whole(inputs, 'inputs', { min: 0, max: mostCounted })
      .whole(failedInputs, 'failed_inputs', { min: 0, max: mostCounted })
      .text(tools, 'tools', { min: 1, max: 64 })
      .text(note, 'note', { max: 512 })
      .whole(revision, 'revision', { min: 0, max: most })
      .whole(cursor, 'cursor', { min: 0, max: most })
      .throwIfAny();
    const now = this.clock.now();
    const words = { inputs, failedInputs, tools, note, revision, cursor };
    const input = { ...lease, ...words, now, dueAt: now + dayMs };
    return { report: reportRecord(await this.store.run(ctx, finishCoverage, input)) };
  }
}

function checkFile({ path, sums, detail }: CoverageFileUpload, at: string, found: Violations) {
  const counted = { min: 0, max: mostCounted };
  const { functions = 0, coveredFunctions = 0, regions = 0, coveredRegions = 0 } = sums ?? {};
  found
    .text(path, `${at}.path`, { min: 1, max: longestPath })
    .whole(functions, `${at}.sums.functions`, counted)
    .whole(coveredFunctions, `${at}.sums.covered_functions`, { min: 0, max: functions })
    .whole(regions, `${at}.sums.regions`, counted)
    .whole(coveredRegions, `${at}.sums.covered_regions`, { min: 0, max: regions })
    .expect(
      detail.length <= mostDetailBytes,
      `${at}.detail`,
      `must be at most ${mostDetailBytes} bytes`,
    );
}
