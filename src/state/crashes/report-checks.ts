import type { CrashContext } from '../../gen/pandafuzz/v1/crash.js';
import type { CrashReport } from '../../gen/pandafuzz/v1/crash_service.js';
import type { Violations } from '../messages/violations.js';

const largestReportBytes = 128 * 1024;
const mostEntries = 256;
const largestEntriesBytes = 32 * 1024;
const mostHits = 2 ** 40;

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
