import { join } from 'node:path';
import { unary } from '../../../client/call.js';
import { makeFolder } from '../../../core/folders.js';
import type { Logger } from '../../../core/log.js';
import { JobOutcome, StartTrouble } from '../../../gen/pandafuzz/v1/job.js';
import type { Stock } from '../../corpus/stock.js';
import { type CoverageTools, majorOf, toolsFor } from '../../engines/libfuzzer/coverage-tools.js';
import { foldersOf } from '../../sandbox/readable.js';
import { withRetries } from '../crashes/parts.js';
import type { FuzzEnd } from '../ends.js';
import { Batches, type CoverageParts, runProgram } from './batches.js';
import { LcovReader, readRegions } from './lcov.js';
import { Sources } from './sources.js';
import { CoverageUpload, type Sent } from './upload.js';

/** Of a job without a limit. */
const usualSeconds = 3600;
/** Files handled at once. */
const filesAtOnce = 32;
/** Of the summary of all files, characters. */
const mostSummary = 32 * 2 ** 20;
/** The system's own headers say nothing about a target. */
const passedOver = '^/usr/(include|lib|local/include)/';

export interface MeasureParts extends CoverageParts {
  readonly stock: Stock;
  readonly log: Logger;
}

/**
 * Runs a corpus through a coverage build, and sends the master a report of the lines that ran:
 * jobs of the kind COVERAGE.
 *
 * @throws the signal's reason when it aborts, and what the master answers
 */
export async function measure(parts: MeasureParts): Promise<FuzzEnd> {
  const { engine, spec, clock, signal } = parts;
  const tools = toolsFor(engine.coverage ?? [], parts.engineVersion);
  if (!tools) return failed('this bot has no llvm-profdata and llvm-cov (Debian: llvm)');
  const over = new AbortController();
  const limitMs = (spec.limits?.maxDurationSeconds || usualSeconds) * 1000;
  const timer = clock.schedule(limitMs, () => over.abort(new CoverageTimeError()));
  try {
    return await report({ ...parts, signal: AbortSignal.any([signal, over.signal]) }, tools);
  } catch (error) {
    if (over.signal.aborted && !signal.aborted) return failed(over.signal.reason.message);
    throw error;
  } finally {
    timer.cancel();
  }
}

const completed = (message: string): FuzzEnd => ({ outcome: JobOutcome.COMPLETED, message });
const failed = (message: string): FuzzEnd => ({ outcome: JobOutcome.FAILED, message });
const format = (count: number) => count.toLocaleString('en-US');
const many = (count: number, what: string) => `${format(count)} ${what}${count === 1 ? '' : 's'}`;

class CoverageTimeError extends Error {
  override readonly message = 'the report took longer than its job allows (corpus.coverage_time)';
}

async function report(within: MeasureParts, tools: CoverageTools): Promise<FuzzEnd> {
  const { stock, signal, folder } = within;
  await withRetries(signal, 'download of a corpus', () => stock.refresh(signal));
  const seen = { revision: stock.revision, cursor: stock.cursor };
  const inputs = await laidOut(within);
  // Without any file a libFuzzer program would begin to fuzz.
  if (inputs.length === 0) return completed('the corpus is empty: there is nothing to measure');
  const profile = await new Batches(within, tools).run(inputs);
  if (profile.unreadable !== '') return unreadable(within, tools, profile.unreadable);
  if (profile.path === undefined) {
    const all = profile.failedInputs === 1 ? 'its only input' : 'any input';
    return {
      ...failed(`the build wrote no coverage profile with ${all}: ${howToBuild}`),
      final: true,
    };
  }
  const read = await exported(within, tools, profile.path);
  if (typeof read === 'string') return failed(read);
  if (read.lcov.files.length === 0) {
    return {
      ...failed(`the build has no coverage data of its sources: ${howToBuild}`),
      final: true,
    };
  }
  const sources = await Sources.of(folder.bundle, folder.target);
  const sent = await new CoverageUpload(within, sources, read.regions).send(read.lcov.files);
  const { inputs: ran, failedInputs } = profile;
  const version = `LLVM ${tools.version}`;
  const note = noteOf(sent);
  return finish(within, { ...seen, inputs: ran, failedInputs, tools: version, note });
}

const howToBuild =
  'compile and link it with clang -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer';

/** A profile is read by the version of LLVM that wrote it: another bot may have that one. */
function unreadable(
  { engineVersion }: MeasureParts,
  { version }: CoverageTools,
  words: string,
): FuzzEnd {
  const major = majorOf(engineVersion);
  const message = `llvm-profdata ${version} cannot read the build's profile: ${words}`;
  if (major === '' || major === majorOf(version)) return failed(message);
  return {
    outcome: JobOutcome.INFRASTRUCTURE,
    message: `${message}; the build was made by ${engineVersion}: install the llvm of that version`,
    trouble: StartTrouble.MISSING,
    cause: `llvm-profdata ${major}`,
  };
}

/** @returns paths of the inputs */
async function laidOut({ stock, folder }: MeasureParts): Promise<string[]> {
  const inputs = join(folder.path, 'coverage', 'inputs');
  await makeFolder(join(folder.path, 'coverage'));
  await makeFolder(inputs);
  const names = [...new Set(stock.arrivals)].filter((name) => stock.has(name));
  const paths: string[] = [];
  for (let at = 0; at < names.length; at += filesAtOnce) {
    const some = names.slice(at, at + filesAtOnce);
    const placed = await Promise.all(some.map((name) => stock.place(name, join(inputs, name))));
    paths.push(...some.filter((_name, index) => placed[index]).map((name) => join(inputs, name)));
  }
  return paths;
}

/** @returns why it failed */
async function exported(parts: MeasureParts, tools: CoverageTools, profile: string) {
  const readable = await foldersOf(tools.cov);
  const common = ['export', `-instr-profile=${profile}`, `-ignore-filename-regex=${passedOver}`];
  const run = (args: readonly string[], onText: (text: string) => void) => {
    const all = [...common, ...args, parts.folder.target];
    return runProgram(parts, { file: tools.cov, args: all, readable, onText });
  };
  let summary = '';
  await run(['-summary-only'], (text) => {
    if (summary.length < mostSummary) summary += text;
  });
  const lcov = new LcovReader();
  let tooMuch: unknown;
  const { exit, words } = await run(['-format=lcov', '-skip-functions'], (text) => {
    try {
      if (tooMuch === undefined) lcov.push(text);
    } catch (error) {
      tooMuch = error;
    }
  });
  if (tooMuch instanceof Error) return tooMuch.message;
  if (exit.code !== 0) return `llvm-cov ${tools.version} could not make a report: ${words}`;
  return { lcov, regions: readRegions(summary) };
}

function noteOf({ files, withoutSource, leftOut }: Sent): string {
  const parts = [];
  if (withoutSource > 0) {
    const some = `${withoutSource} of ${many(files, 'file')} without its`;
    parts.push(`${withoutSource === files ? 'no' : some} source in the bundle: figures alone`);
  }
  if (leftOut > 0) parts.push(`${many(leftOut, 'file')} left out: too many, or too large`);
  return parts.join('; ');
}

async function finish(
  { connection, lease, signal, log }: MeasureParts,
  words: {
    readonly revision: number;
    readonly cursor: number;
    readonly inputs: number;
    readonly failedInputs: number;
    readonly tools: string;
    readonly note: string;
  },
): Promise<FuzzEnd> {
  const { coverage } = connection;
  const { report } = await withRetries(signal, 'end of a coverage report', () =>
    unary(coverage, coverage.finishCoverage, { lease, ...words }, { signal }),
  );
  const { lines = 0, coveredLines = 0 } = report?.sums ?? {};
  log.info({ lines, coveredLines, inputs: words.inputs }, 'coverage reported');
  const { inputs, failedInputs, note } = words;
  const failing =
    failedInputs === 0
      ? []
      : [`${many(failedInputs, 'input')} left out: the build crashes or hangs`];
  const rest = [...failing, ...(note === '' ? [] : [note])].map((text) => `; ${text}`);
  const covered = `${format(coveredLines)} of ${format(lines)} lines by ${many(inputs, 'input')}`;
  return completed(`${covered}${rest.join('')}`);
}
