/** What a report says about one file. */
export interface CoveredFile {
  readonly path: string;
  /** Numbers of lines with code, rising. */
  readonly lines: number[];
  /** Times that each of them ran. */
  readonly counts: number[];
  functions: number;
  coveredFunctions: number;
}

/** Lines of all files together: more are not held in memory. */
const mostLines = 5_000_000;
/** Of one line of the text, characters: mangled names are long. */
const longestLine = 64 * 1024;

/** Reads "llvm-cov export -format=lcov" as it is printed. */
export class LcovReader {
  readonly files: CoveredFile[] = [];
  #file: CoveredFile | undefined;
  #rest = '';
  #lines = 0;

  /** @throws Error for more code than a report can have */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-longestLine);
    for (const line of lines) this.#read(line);
  }

  #read(line: string): void {
    if (line.startsWith('SF:')) {
      const path = line.slice(3);
      this.#file = { path, lines: [], counts: [], functions: 0, coveredFunctions: 0 };
      return;
    }
    const file = this.#file;
    if (!file) return;
    if (line.startsWith('DA:')) this.#readLine(file, line);
    else if (line.startsWith('FNF:')) file.functions = Number(line.slice(4)) || 0;
    else if (line.startsWith('FNH:')) file.coveredFunctions = Number(line.slice(4)) || 0;
    else if (line === 'end_of_record') {
      this.files.push(file);
      this.#file = undefined;
    }
  }

  #readLine(file: CoveredFile, line: string): void {
    const comma = line.indexOf(',');
    const [number, count] = [Number(line.slice(3, comma)), Number(line.slice(comma + 1))];
    if (!Number.isSafeInteger(number) || number <= (file.lines.at(-1) ?? 0) || !(count >= 0))
      return;
    this.#lines += 1;
    if (this.#lines > mostLines) {
      throw new Error(`the build has more than ${mostLines} lines of code: too many for a report`);
    }
    file.lines.push(number);
    file.counts.push(Math.min(count, Number.MAX_SAFE_INTEGER));
  }
}

/** Regions of each file, by its path, of "llvm-cov export -summary-only". */
export function readRegions(output: string): Map<string, { count: number; covered: number }> {
  const regions = new Map<string, { count: number; covered: number }>();
  const line = output.split('\n').find((text) => text.startsWith('{"data"')) ?? '';
  for (const file of filesIn(line)) {
    const { count, covered } = file?.summary?.regions ?? {};
    if (typeof file?.filename !== 'string') continue;
    if (Number.isSafeInteger(count) && Number.isSafeInteger(covered)) {
      regions.set(file.filename, { count: count as number, covered: covered as number });
    }
  }
  return regions;
}

interface SummaryOfFile {
  filename?: unknown;
  summary?: { regions?: { count?: unknown; covered?: unknown } };
}

function filesIn(json: string): (SummaryOfFile | null)[] {
  try {
    const files: unknown = JSON.parse(json).data?.[0]?.files;
    return Array.isArray(files) ? files : [];
  } catch {
    return []; // cut, or printed by another version
  }
}
