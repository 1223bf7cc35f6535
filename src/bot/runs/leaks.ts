import { copyFile, link, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow, makeFolder } from '../../core/folders.js';
import { type RunNote, RunNoteKind } from '../../gen/pandafuzz/v1/job.js';
import { crashContext } from '../findings/context.js';
import { keyOf } from '../findings/crash-key.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import { emptyFolder } from '../folders/run-folder.js';
import { note } from './notes.js';
import { startSideProcess } from './side-process.js';
import type { StartParts } from './start.js';

/** Between two surveys while it is fuzzed, milliseconds; longer where a survey takes long. */
const leastIntervalMs = 10 * 60_000;
/** A survey may take this part of the time. */
const surveyShare = 1 / 50;
/** Kept for the survey at the end of a run: part of its duration, within bounds, milliseconds. */
const reserve = { share: 1 / 20, leastMs: 300, mostMs: 30_000 } as const;
/** A survey that takes longer is ended, milliseconds. */
const mostSurveyMs = 60_000;
const stopGraceMs = 500;
/** New leaks that one survey looks for inputs of. */
const mostSearches = 16;
/** Leaks of one survey, by their stacks. */
const mostLeaks = 256;

/** A leak by its stack, with the report that shows it. */
interface Leak {
  readonly key: string;
  readonly hasFrames: boolean;
  readonly place: string;
  readonly report: string;
}

/**
 * Leaks of one run. The first leak that is kept ends the search for leaks with each execution:
 * a target that leaks often would end all the time. What leaks besides is found by surveys:
 * the target executes its whole corpus and reports at its exit all that is not freed, by
 * stack. A stack that is new is traced to one input of the corpus by halving it.
 */
export class Leaks {
  #areOff = false;
  #nextAtMs = Number.POSITIVE_INFINITY;
  #surveys = 0;
  #found = 0;
  #unfinished = 0;
  #ofMemory = 0;
  readonly #known = new Set<string>();

  constructor(private readonly parts: StartParts) {}

  /** Leaks are not looked for while it is fuzzed. */
  get areOff(): boolean {
    return this.#areOff;
  }

  /** When the next survey is due, on the monotonic clock. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }

  /** Time of a run that is kept for its last survey, milliseconds. */
  reserveMs(durationMs: number): number {
    if (!this.#areOff) return 0;
    return Math.min(Math.max(durationMs * reserve.share, reserve.leastMs), reserve.mostMs);
  }

  /** A leak was met and is known. @returns whether that has changed how the target is started */
  met(): boolean {
    if (this.#areOff || !this.parts.engine.leakSurvey) return false;
    this.#areOff = true;
    this.#nextAtMs = this.parts.clock.monotonic() + leastIntervalMs;
    this.parts.log.info('leak detection off');
    return true;
  }

  /** The target used up its memory by what it leaked. */
  usedUpMemory(times: number): void {
    this.#ofMemory += times;
  }

  get note(): RunNote | undefined {
    if (!this.#areOff) return undefined;
    const surveys =
      this.#surveys === 0
        ? 'they are looked for again at the end'
        : `the corpus was tried for others: ${this.#found} new${this.#unfinished > 0 ? ', not all of it in time' : ''}`;
    const memory =
      this.#ofMemory > 0 ? `; memory ran out ${this.#ofMemory} times by what is leaked` : '';
    return note(
      RunNoteKind.LEAKS,
      `the target leaks memory, which is reported; leak detection is off for the rest of the run (detect_leaks=0), and ${surveys}${memory}`,
    );
  }

  /** Looks for leaks in the corpus. @throws the signal's reason when it aborts, and nothing else */
  async survey(): Promise<void> {
    const { clock, folder, log, signal } = this.parts;
    const startedAtMs = clock.monotonic();
    const untilMs = startedAtMs + mostSurveyMs;
    try {
      const files = await filesBelow(folder.corpus, folder.seeds);
      const found = await this.#leaksOf(files, untilMs);
      if (found) await this.#trace(files, found, untilMs);
      else this.#unfinished += 1;
    } catch (error) {
      signal.throwIfAborted();
      this.#unfinished += 1;
      log.warn({ err: error }, 'leak survey failed');
    } finally {
      await emptyFolder(folder.survey);
    }
    this.#surveys += 1;
    const tookMs = clock.monotonic() - startedAtMs;
    this.#nextAtMs = clock.monotonic() + Math.max(leastIntervalMs, tookMs / surveyShare);
  }

  /** Finds an input for each leak that is new, and keeps it. */
  async #trace(files: readonly string[], found: readonly Leak[], untilMs: number): Promise<void> {
    const { findings, clock, signal } = this.parts;
    const fresh = found.filter(
      ({ key }) => !findings.distinctCounts.has(key) && !this.#known.has(key),
    );
    if (fresh.length === 0) return;
    // What leaks without any input is nobody's.
    const always = (await this.#leaksOf([], untilMs)) ?? [];
    for (const { key } of always) this.#known.add(key);
    let searches = 0;
    for (const leak of fresh) {
      if (this.#known.has(leak.key) || findings.distinctCounts.has(leak.key)) continue;
      if (searches++ >= mostSearches || clock.monotonic() > untilMs) {
        this.#unfinished += 1;
        return;
      }
      signal.throwIfAborted();
      const path = await this.#search(files, leak, untilMs);
      if (path) await this.#keep(leak, await readFile(path));
      this.#known.add(leak.key);
    }
  }

  /** The one input that leaks so, by halves; undefined where several make it together, or time is up. */
  async #search(
    files: readonly string[],
    { key }: Leak,
    untilMs: number,
  ): Promise<string | undefined> {
    let [some, others]: (readonly string[])[] = halves(files);
    let rest = files;
    while (rest.length > 1) {
      const isHere = async (half: readonly string[]) =>
        ((await this.#leaksOf(half, untilMs)) ?? []).some((leak) => leak.key === key);
      if (this.parts.clock.monotonic() > untilMs) return undefined;
      if (await isHere(some ?? [])) rest = some ?? [];
      else if (await isHere(others ?? [])) rest = others ?? [];
      else return undefined;
      [some, others] = halves(rest);
    }
    return rest[0];
  }

  async #keep(leak: Leak, input: Buffer): Promise<void> {
    const { findings, folder, spool, lease, tally, engine, engineVersion, spec } = this.parts;
    const verdict = findings.judge(input, { ...leak, isLeak: true });
    this.#found += 1;
    if (!verdict.isKept) return;
    const command = await engine.replay({
      target: folder.target,
      input: 'input',
      sanitizerLogs: 'stderr',
      spec,
    });
    const start = { engine: engine.name, engineVersion, spec, command, environment: {} };
    const executions = tally.executions;
    const context = crashContext({ start, exit: undefined, executions, replayCommand: command });
    const onAcknowledged = (crashId: string, groupId: string) => {
      if (verdict.kept) Object.assign(verdict.kept, { crashId, groupId });
    };
    const { report } = leak;
    const crash = { lease, input, report, context, hits: verdict.hits, onAcknowledged };
    await spool.add({ ...crash, key: leak.key }, () => folder.releaseReserve());
  }

  /** All that these inputs leak; undefined when they were not all executed. */
  async #leaksOf(files: readonly string[], untilMs: number): Promise<Leak[] | undefined> {
    const { clock, engine, folder, signal, spec } = this.parts;
    await emptyFolder(folder.survey);
    const inputs = join(folder.survey, 'inputs');
    const scratch = join(folder.survey, 'scratch');
    const logsAt = join(folder.survey, 'logs');
    for (const path of [inputs, scratch, logsAt]) await makeFolder(path);
    for (const [index, file] of files.entries()) {
      const path = join(inputs, String(index));
      await link(file, path).catch(() => copyFile(file, path));
    }
    const logs = new SanitizerLogs(logsAt, this.parts.tools.secrets);
    const { target } = folder;
    const start = { target, spec, sanitizerLogs: logs.prefix, inputs, scratch };
    const command = engine.leakSurvey?.(start);
    if (!command) return undefined;
    const { exited } = await startSideProcess(this.parts, command, {
      ...{ cwd: folder.path, temporary: folder.temporary, stopGraceMs },
      limitMs: Math.max(untilMs - clock.monotonic(), 0),
    });
    const exit = await exited;
    signal.throwIfAborted();
    const report = await logs.newest();
    if (report === '') return exit.code === 0 ? [] : undefined;
    return /LeakSanitizer/.test(report) ? leaksIn(report) : undefined;
  }
}

const halves = (files: readonly string[]) => {
  const middle = Math.ceil(files.length / 2);
  return [files.slice(0, middle), files.slice(middle)];
};

/** The leaks of one report, each with a report of its own; those that hang on others are left out. */
export function leaksIn(report: string): Leak[] {
  const headline =
    /^.*ERROR: LeakSanitizer: .*$/m.exec(report)?.[0] ??
    '==1==ERROR: LeakSanitizer: detected memory leaks';
  const blocks = report.split(/\n(?=(?:Direct|Indirect) leak of )/).slice(1);
  const leaks = new Map<string, Leak>();
  for (const block of blocks.filter((text) => text.startsWith('Direct'))) {
    const stack = block.split('\n\n')[0] ?? '';
    const own = `${headline}\n\n${stack}\n\nSUMMARY: AddressSanitizer: ${stack.split(' allocated')[0]}\n`;
    const { key, hasFrames, place = '' } = keyOf(own);
    if (key !== '' && !leaks.has(key) && leaks.size < mostLeaks) {
      leaks.set(key, { key, hasFrames, place, report: own });
    }
  }
  return [...leaks.values()];
}
