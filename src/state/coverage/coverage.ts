import type { RequestContext } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import {
  CoverageLine,
  type GetCoverageFileRequest,
  type GetCoverageFileResponse,
  type GetCoverageRequest,
  type GetCoverageResponse,
  LineChange,
  type ListCoverageRequest,
  type ListCoverageResponse,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import {
  listCoverage,
  showCoverage,
  showCoverageFile,
} from '../../store/ops/coverage/show-coverage.js';
import type { Store } from '../../store/store.js';
import { isProject, projectProblem } from '../messages/checks.js';
import { cutPageBy, pageSizeOf, pairToken, readPair } from '../messages/pages.js';
import { Violations } from '../messages/violations.js';
import { type FileLines, storedDetail } from './detail.js';
import { targetOf } from './measure.js';
import { coverageRecord, fileRecord, reportRecord } from './records.js';

/** Lines of one answer. */
const mostLines = 1000;
/** Of the text of a line. */
const longestText = 2000;
const anyNumber = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** Reports of source coverage, as people look at them. */
export class CoverageReports {
  constructor(private readonly store: Pick<Store, 'run'>) {}

  /** @throws ValidationError */
  async list(ctx: RequestContext, request: ListCoverageRequest): Promise<ListCoverageResponse> {
    const { project, pageToken } = request;
    const found = new Violations().expect(isProject(project), 'project', projectProblem);
    const limit = pageSizeOf(request, found);
    const [afterProject, targetName] = readPair(pageToken, found);
    const of = project === '' ? { project: afterProject } : { project, isWithin: true };
    const page = { ...of, targetName, limit: limit + 1 };
    const shown = await this.store.run(ctx, listCoverage, page);
    const targets = shown.map(({ target }) => target);
    const { rows, nextPageToken } = cutPageBy(targets, limit + 1, (last) =>
      pairToken([last.project, last.target_name]),
    );
    return { coverage: shown.slice(0, rows.length).map(coverageRecord), nextPageToken };
  }

  /** @throws ValidationError, NotFoundError */
  async get(ctx: RequestContext, request: GetCoverageRequest): Promise<GetCoverageResponse> {
    const { reportId } = request;
    const found = new Violations();
    const of = targetOf(request, found);
    found.whole(reportId, 'report_id', anyNumber).throwIfAny();
    const shown = await this.store.run(ctx, showCoverage, { ...of, reportId });
    if (reportId !== 0 && !shown.report) throw noReport(reportId);
    return {
      coverage: coverageRecord(shown),
      reports: shown.reports.map(reportRecord),
      report: shown.report && reportRecord(shown.report),
      files: shown.files.map(fileRecord),
    };
  }

  /** @throws ValidationError, NotFoundError */
  async file(
    ctx: RequestContext,
    request: GetCoverageFileRequest,
  ): Promise<GetCoverageFileResponse> {
    const { reportId, path, fromLine } = request;
    const found = new Violations();
    const of = targetOf(request, found);
    found
      .whole(reportId, 'report_id', anyNumber)
      .text(path, 'path', { min: 1, max: 300 })
      .throwIfAny();
    const { report, file, base } = await this.store.run(ctx, showCoverageFile, {
      ...of,
      reportId,
      path,
    });
    if (!report) throw noReport(reportId);
    if (!file) throw new NotFoundError({ resource: 'file of the report', id: path });
    const now = await storedDetail(file.detail);
    const before = base && (await storedDetail(base.detail));
    const isCompared = file.new_lines !== null;
    const all = linesOf(now).filter((line) => line.number >= fromLine);
    const lines = all.slice(0, mostLines).map((line) => {
      const change = isCompared && report.base_id !== null ? changeAt(line, before) : 0;
      return CoverageLine.create({ ...line, change });
    });
    const nextLine = all[mostLines]?.number ?? 0;
    return { file: fileRecord(file), lines, nextLine, reportId: report.id };
  }
}

interface Line {
  readonly number: number;
  readonly count: number | undefined;
  readonly text: string;
}

/** Every line of the source, or without one those with code. */
function linesOf({ counts, source }: FileLines): Line[] {
  if (source === undefined) {
    return [...counts].map(([number, count]) => ({ number, count, text: '' }));
  }
  const texts = source.split('\n');
  if (texts.at(-1) === '') texts.pop();
  return texts.map((text, index) => {
    const number = index + 1;
    return { number, count: counts.get(number), text: text.slice(0, longestText).toWellFormed() };
  });
}

function changeAt({ number, count }: Line, before: FileLines | undefined): LineChange {
  if (count === undefined) return LineChange.UNSPECIFIED;
  const earlier = before?.counts.get(number) ?? 0;
  if (count > 0 && earlier === 0) return LineChange.NEW;
  return count === 0 && earlier > 0 ? LineChange.LOST : LineChange.UNSPECIFIED;
}

const noReport = (id: number) =>
  new NotFoundError({ resource: 'coverage report', id: id === 0 ? 'newest' : String(id) });
