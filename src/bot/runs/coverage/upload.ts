import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { unary } from '../../../client/call.js';
import { CoverageDetail, CoverageFileUpload } from '../../../gen/pandafuzz/v1/coverage_service.js';
import { withRetries } from '../crashes/parts.js';
import type { CoverageParts } from './batches.js';
import type { CoveredFile } from './lcov.js';
import type { Sources } from './sources.js';

/** What the contract takes. */
const mostFiles = 1000;
const longestPath = 300;
const mostDetailBytes = 256 * 1024;
const mostLinesOfFile = 300_000;
/** Details of one report, bytes: then files have no source; the contract takes 16 MiB. */
const sourcesBytes = 12 * 2 ** 20;
const mostBytes = 15 * 2 ** 20;
/** Of one call. */
const filesOfCall = 100;
const bytesOfCall = 256 * 1024;

/** What people have to know of what was sent. */
export interface Sent {
  readonly files: number;
  readonly withoutSource: number;
  /** Too many, or too large. */
  readonly leftOut: number;
}

/** Sends the files of a report with their lines and sources, within the bounds of the contract. */
export class CoverageUpload {
  #waiting: CoverageFileUpload[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #sent = { files: 0, withoutSource: 0, leftOut: 0 };

  constructor(
    private readonly parts: CoverageParts,
    private readonly sources: Sources | undefined,
    private readonly regions: ReadonlyMap<string, { count: number; covered: number }>,
  ) {}

  /** Of too many files, those with the most lines go. */
  async send(files: readonly CoveredFile[]): Promise<Sent> {
    const fitting = files.filter(
      ({ path, lines }) => isPath(path) && lines.length > 0 && lines.length <= mostLinesOfFile,
    );
    const largest = fitting.sort((a, b) => b.lines.length - a.lines.length).slice(0, mostFiles);
    this.#sent.leftOut = files.length - largest.length;
    for (const file of largest) await this.#add(file);
    await this.#flush();
    return this.#sent;
  }

  async #add(file: CoveredFile): Promise<void> {
    const { path, functions, coveredFunctions } = file;
    const lastLine = file.lines.at(-1) ?? 0;
    const isRoom = this.#bytes < sourcesBytes;
    const source = isRoom ? await this.sources?.find(path, lastLine) : undefined;
    let detail = await detailOf(file, source);
    let hasSource = source !== undefined;
    if (hasSource && detail.length > mostDetailBytes) {
      detail = await detailOf(file, undefined);
      hasSource = false;
    }
    if (detail.length > mostDetailBytes || this.#bytes + detail.length > mostBytes) {
      this.#sent.leftOut += 1;
      return;
    }
    if (this.#waitingBytes + detail.length > bytesOfCall) await this.#flush();
    const { count: regions = 0, covered: coveredRegions = 0 } = this.regions.get(path) ?? {};
    const sums = { functions, coveredFunctions, regions, coveredRegions };
    const counted = { lines: 0, coveredLines: 0, ...sums };
    this.#waiting.push(CoverageFileUpload.create({ path, sums: counted, detail }));
    this.#waitingBytes += detail.length;
    this.#bytes += detail.length;
    this.#sent.files += 1;
    if (!hasSource) this.#sent.withoutSource += 1;
    if (this.#waiting.length === filesOfCall) await this.#flush();
  }

  async #flush(): Promise<void> {
    const files = this.#waiting;
    [this.#waiting, this.#waitingBytes] = [[], 0];
    if (files.length === 0) return;
    const { connection, lease, signal } = this.parts;
    const { coverage } = connection;
    await withRetries(signal, 'files of a coverage report', () =>
      unary(coverage, coverage.addCoverageFiles, { lease, files }, { signal }),
    );
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const isPath = (path: string) =>
  path.length >= 1 && path.length <= longestPath && !control.test(path) && path.isWellFormed();

function detailOf({ lines, counts }: CoveredFile, source: string | undefined): Promise<Buffer> {
  const steps = lines.map((line, index) => line - (lines[index - 1] ?? 0));
  const detail = CoverageDetail.create({ steps, counts, ...(source !== undefined && { source }) });
  return promisify(gzip)(CoverageDetail.encode(detail).finish());
}
