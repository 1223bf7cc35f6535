import { styleText } from 'node:util';
import type { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { type Job, JobState, RunNoteKind } from '../gen/pandafuzz/v1/job.js';
import { bytes, count, duration, plain } from '../operator/format.js';
import { shortest } from '../operator/short-ids.js';
import { wrapped } from '../operator/wrap.js';

/** How a session does, from what the master knows of its jobs. Times are of a monotonic clock, milliseconds. */

export interface Figures {
  readonly executions: number;
  readonly executionsPerSecond: number;
  /** Of the job that has reached most; jobs give each other what they find. */
  readonly coverage: number;
  readonly corpusFiles: number;
  readonly corpusBytes: number;
  readonly running: number;
  /** A target closed its standard error: executions and coverage are not all known. */
  readonly isSilent: boolean;
  /** What runs say of themselves that people should know; of several that differ in figures alone, one. */
  readonly notes: readonly string[];
}

export function figuresOf(jobs: readonly Job[]): Figures {
  const all = jobs.map(({ statistics }) => statistics);
  const sum = (of: 'executionsPerSecond') =>
    all.reduce((total, one) => total + (one?.[of] ?? 0), 0);
  const most = (of: 'coverage' | 'corpusFiles' | 'corpusBytes') =>
    Math.max(0, ...all.map((one) => one?.[of] ?? 0));
  return {
    executions: all.reduce(
      (total, one) => total + Math.max(one?.executions ?? 0, one?.executionsEstimate ?? 0),
      0,
    ),
    executionsPerSecond: sum('executionsPerSecond'),
    coverage: most('coverage'),
    corpusFiles: most('corpusFiles'),
    corpusBytes: most('corpusBytes'),
    isSilent: all.some((one) => one?.notes.some(({ kind }) => kind === RunNoteKind.SILENT)),
    running: jobs.filter(({ state }) => state === JobState.RUNNING).length,
    notes: onceEach(all.flatMap((one) => one?.notes.map(({ text }) => text) ?? [])),
  };
}

/** Jobs that fuzz one target say the same of it, each with its own figures. */
function onceEach(notes: readonly string[]): string[] {
  const byWords = new Map(
    notes.toReversed().map((text) => [text.replace(/(?<=\s)[\d.]+/g, '#'), text]),
  );
  return [...byWords.values()].reverse();
}

/** Nothing new for a fifth of the time so far, and for at least so long, is flat; milliseconds. */
const leastFlatMs = 60_000;
const flatShare = 0.2;
/** For the first executions, milliseconds. */
const beginWithinMs = 20_000;

/** Inputs of the engine's own were executed, as far as can be known. */
export const hasFuzzed = ({ executions, isSilent }: Figures): boolean => executions > 0 || isSilent;

/** When the time to fuzz begins: with the first executions, or when they are late. */
export const beginOf = (startedAt: number, firstAt: number | undefined): number =>
  Math.min(startedAt + beginWithinMs, firstAt ?? Number.POSITIVE_INFINITY);

/** When something new was found, from one look to the next. */
export class Finds {
  #coverage = 0;
  #files = 0;
  #lastAt: number | undefined;
  #firstAt: number | undefined;

  /** Of the first executions. */
  get firstAt(): number | undefined {
    return this.#firstAt;
  }

  /** Of the last new coverage or input. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  look(figures: Figures, now: number): void {
    const { coverage, corpusFiles } = figures;
    if (hasFuzzed(figures)) this.#firstAt ??= now;
    if (coverage > this.#coverage || corpusFiles > this.#files) this.#lastAt = now;
    this.#coverage = Math.max(this.#coverage, coverage);
    this.#files = Math.max(this.#files, corpusFiles);
  }

  /** In a word or a few, for who looks for five seconds. */
  health(figures: Figures, startedAt: number, now: number): string {
    if (figures.isSilent && figures.executions === 0) return 'executions unknown';
    if (this.#firstAt === undefined || this.#lastAt === undefined) {
      const waited = now - startedAt;
      if (waited < beginWithinMs) return 'starting';
      return figures.running > 0 ? 'no executions yet' : 'waiting';
    }
    const quietMs = now - this.#lastAt;
    const isFlat = quietMs > Math.max(leastFlatMs, (now - this.#firstAt) * flatShare);
    return isFlat ? `flat, nothing new for ${duration(quietMs)}` : 'finding';
  }
}

export interface Picture {
  readonly target: string;
  readonly health: string;
  readonly figures: Figures;
  /** Since something new was found, milliseconds. */
  readonly sinceFindMs: number | undefined;
  readonly elapsedMs: number;
  /** Absent: until it is ended. */
  readonly durationMs?: number | undefined;
  readonly groups: readonly CrashGroup[];
  /** Of this session. */
  readonly newGroups: ReadonlySet<string>;
  /** Why a job waits. */
  readonly reason: string | undefined;
}

export const headline = (picture: Picture): string =>
  `${progressLine(picture)}, ${bugs(picture.groups.length)}`;

export function progressLine(of: Pick<Picture, 'health' | 'figures' | 'elapsedMs'>): string {
  const { health, figures, elapsedMs } = of;
  return [
    duration(elapsedMs),
    health,
    `${count(figures.executions)} executions`,
    `${count(figures.executionsPerSecond)}/s`,
    `coverage ${count(figures.coverage)}`,
    `${figures.corpusFiles} inputs`,
  ].join(', ');
}

export const bugs = (number: number): string => (number === 1 ? '1 bug' : `${number} bugs`);

/** Lines and columns of the terminal. */
interface Room {
  readonly lines: number;
  readonly columns: number;
}

export function picture(given: Picture, { lines, columns }: Room): string {
  const { target, health, figures, sinceFindMs, elapsedMs, durationMs, reason } = given;
  const until = durationMs === undefined ? '' : ` of ${duration(durationMs)}`;
  const found = sinceFindMs === undefined ? '' : `, last find ${duration(sinceFindMs)} ago`;
  const head = [
    `${styleText('bold', plain(target))}  ${duration(elapsedMs)}${until}  (Ctrl-C ends it)`,
    '',
    fact('state', `${coloured(health)}${found}`),
    ...(reason === undefined ? [] : [fact('waits', plain(reason))]),
    fact('speed', speed(figures)),
    fact('coverage', count(figures.coverage)),
    fact('corpus', `${figures.corpusFiles} inputs, ${bytes(figures.corpusBytes)}`),
    ...figures.notes.slice(0, 3).flatMap((note) => noteLines(note, columns)),
    fact('bugs', given.groups.length === 0 ? 'none yet' : String(given.groups.length)),
  ];
  return ['', ...head, ...groupLines(given, lines - head.length - 3)].join('\n');
}

const speed = ({ executionsPerSecond, executions, running }: Figures) =>
  `${count(executionsPerSecond)}/s by ${running === 1 ? '1 job' : `${running} jobs`}, ` +
  `${count(executions)} in all`;

const factIndent = 12;
const fact = (name: string, value: string) => `  ${name.padEnd(factIndent - 2)}${value}`;

const idInText = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

function noteLines(note: string, columns: number): string[] {
  const text = plain(note).replace(idInText, (id) => id.slice(0, shortest));
  return wrapped(text, columns - factIndent).map((line, index) =>
    fact(index === 0 ? 'note' : '', styleText('yellow', line)),
  );
}

const coloured = (health: string) =>
  styleText(health === 'finding' ? 'green' : health === 'starting' ? 'dim' : 'yellow', health);

function groupLines({ groups, newGroups }: Picture, fit: number): string[] {
  const shown = groups.slice(0, Math.max(1, fit));
  const lines = shown.map((group) => {
    const mark = newGroups.has(group.id) ? styleText('red', '*') : ' ';
    return `   ${mark} ${groupTitle(group)}  ${hits(group)}`;
  });
  const more = groups.length - shown.length;
  return more > 0 ? [...lines, `     and ${more} more`] : lines;
}

const hits = ({ crashHits }: CrashGroup) =>
  crashHits === 1 ? '1 hit' : `${count(crashHits)} hits`;

export const groupTitle = ({ kind, topFrame }: CrashGroup): string =>
  plain(topFrame === '' ? kind : `${kind} in ${topFrame}`);
