/** The part of an engine's output that belongs to one artifact, or to none. */
export interface SplitReport {
  readonly report: string;
  /** As the engine wrote it, e.g. "/work/artifacts/crash-0a…"; absent if it wrote no file. */
  readonly artifactPath?: string;
  /** The input in Base64, where the engine printed it. */
  readonly inputBase64?: string;
}

const written = 'Test unit written to ';
const printed = 'Base64: ';

/**
 * Cuts the output of one start of libFuzzer into one report for each artifact.
 * The engine writes an artifact's report before the line that names its file,
 * and the input in Base64 after it. What follows the last artifact is a report
 * of its own without a path, if it is not blank.
 */
export function splitReports(output: string): SplitReport[] {
  const reports: SplitReport[] = [];
  let begin = 0;
  for (let at = output.indexOf(written); at >= 0; at = output.indexOf(written, at)) {
    const lineEnd = endOfLine(output, at);
    const artifactPath = output.slice(at + written.length, lineEnd).trimEnd();
    const afterLine = lineEnd + 1;
    const hasInput = output.startsWith(printed, afterLine);
    const end = hasInput ? endOfLine(output, afterLine) : lineEnd;
    const inputBase64 = output.slice(afterLine + printed.length, end).trimEnd();
    reports.push({
      report: output.slice(begin, lineEnd),
      artifactPath,
      ...(hasInput && { inputBase64 }),
    });
    begin = Math.min(end + 1, output.length);
    at = begin;
  }
  if (output.slice(begin).trim() !== '') reports.push({ report: output.slice(begin) });
  return reports;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
