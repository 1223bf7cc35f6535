import type { CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import type {
  CrashReport,
  ReportReproductionRequest,
} from '../../gen/pandafuzz/v1/crash_service.js';
import type { Violations } from '../messages/violations.js';

const largestReportBytes = 128 * 1024;
const mostEntries = 256;
const largestEntriesBytes = 32 * 1024;
const mostHits = 2 ** 40;
const mostRuns = 1000;
const mostRunReports = 16;
const largestLogBytes = 64 * 1024;

/** Checks a crash's report, its faults noted in `found`. */
export function checkReport(report: CrashReport, maxInputBytes: number, found: Violations): void {
  found
    .sha256(report.inputSha256, 'report.input_sha256')
    .whole(report.inputSizeBytes, 'report.input_size_bytes', { min: 0, max: maxInputBytes })
    .expect(
      Buffer.byteLength(report.report) <= largestReportBytes && report.report.isWellFormed(),
      'report.report',
      `must be at most ${largestReportBytes} bytes of well-formed text`,
    );
  checkHits(report.hits, 'report.hits', found);
  if (report.minimisedFrom !== '') found.id(report.minimisedFrom, 'report.minimised_from');
  if (report.context) checkContext(report.context, found);
}

/** Checks how often a crash was met. */
export function checkHits(hits: number, path: string, found: Violations): void {
  found.whole(hits, path, { min: 0, max: mostHits });
}

/** Checks what came of running an input again, its lease left out. */
export function checkReproduction(request: ReportReproductionRequest, found: Violations): void {
  const { crashId, runs, reports, log } = request;
  const bytes = reports.reduce((sum, { report }) => sum + Buffer.byteLength(report), 0);
  const crashed = reports.reduce((sum, { count }) => sum + count, 0);
  found
    .id(crashId, 'crash_id')
    .whole(runs, 'runs', { min: 1, max: mostRuns })
    .expect(reports.length <= mostRunReports, 'reports', `must be at most ${mostRunReports}`)
    .expect(
      bytes <= largestReportBytes && reports.every(({ report }) => report.isWellFormed()),
      'reports',
      `must be at most ${largestReportBytes} bytes of well-formed text together`,
    )
    .expect(
      Buffer.byteLength(log) <= largestLogBytes && log.isWellFormed(),
      'log',
      `must be at most ${largestLogBytes} bytes of well-formed text`,
    );
  for (const [index, { count }] of reports.slice(0, mostRunReports).entries()) {
    found.whole(count, `reports[${index}].count`, { min: 1, max: mostRuns });
  }
  found.expect(crashed <= runs, 'reports', 'must not count more runs than there were');
}

function checkContext(context: CrashContext, found: Violations): void {
  const { signal, command, environment, engine, engineVersion, targetSha256 } = context;
  const path = 'report.context';
  const entries = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  found
    .text(signal, `${path}.signal`, { max: 32 })
    .text(engine, `${path}.engine`, { max: 64 })
    .text(engineVersion, `${path}.engine_version`, { max: 256 })
    .expect(isBounded(command), `${path}.command`, bounds)
    .expect(isBounded(entries), `${path}.environment`, bounds);
  if (targetSha256 !== '') found.sha256(targetSha256, `${path}.target_sha256`);
}

const bounds = `must be at most ${mostEntries}, ${largestEntriesBytes} bytes of well-formed text in all`;

function isBounded(texts: readonly string[]): boolean {
  if (texts.length > mostEntries) return false;
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes <= largestEntriesBytes && texts.every((text) => text.isWellFormed());
}
