import type { SeriesPoint } from '../../store/ops/series/add-points.js';
import { type CurveName, hasCoverage } from './subjects.js';

/** Lengths of buckets, seconds, the finest first. */
export const steps = [10, 60, 600] as const;

/** Of one run in one look, or of several together. */
export interface RunFigures {
  running: number;
  rate: number;
  executions: number;
  fuzzedMs: number;
  crashHits: number;
  newGroups: number;
  coverage: number;
  features: number;
  corpusFiles: number;
  corpusBytes: number;
  peakMemoryBytes: number;
}

export const noFigures: Readonly<RunFigures> = {
  ...{ running: 0, rate: 0, executions: 0, fuzzedMs: 0, crashHits: 0, newGroups: 0 },
  ...{ coverage: 0, features: 0, corpusFiles: 0, corpusBytes: 0, peakMemoryBytes: 0 },
};

/** What came since the last look. */
const came = ['executions', 'fuzzedMs', 'crashHits', 'newGroups'] as const;
const added = ['running', 'rate', ...came] as const;
const largest = ['coverage', 'features', 'corpusFiles', 'corpusBytes', 'peakMemoryBytes'] as const;

/** The figures of one subject and engine, looked at again and again, as points of each length. */
export class Curve {
  /** Runs that are part of it now. */
  users = 0;
  /** Of the last look. */
  latest: Readonly<RunFigures> = noFigures;
  /** Since it is in memory, with those from before of runs that an earlier process has begun. */
  executions = 0;
  /** When coverage or corpus was last larger than ever before, ms since 1970. */
  foundAt: number | undefined;
  #coverage = 0;
  #corpusFiles = 0;
  #look: RunFigures | undefined;
  readonly #open = new Map<number, SeriesPoint>();
  #done: SeriesPoint[] = [];

  /** @param stepsS lengths of its buckets, seconds */
  constructor(
    readonly name: CurveName,
    private readonly stepsS: readonly number[],
  ) {}

  /** Adds what a run, or anything else, brings to the look that goes on. */
  add(figures: Readonly<RunFigures>): void {
    this.#look ??= { ...noFigures };
    const look = this.#look;
    for (const name of added) look[name] = sumOf(look[name], figures[name]);
    look.peakMemoryBytes = Math.max(look.peakMemoryBytes, figures.peakMemoryBytes);
    if (!hasCoverage(this.name.kind)) return;
    for (const name of largest) look[name] = Math.max(look[name], figures[name]);
  }

  /** Ends the look: it becomes part of the buckets that are open at `now`, ms since 1970. */
  settle(now: number): void {
    const look = this.#look;
    this.#look = undefined;
    this.latest = look ?? noFigures;
    if (look) this.#remember(look, now);
    for (const stepS of this.stepsS) {
      const time = Math.floor(now / (stepS * 1000)) * stepS * 1000;
      const open = this.#open.get(stepS);
      if (open && open.time !== time) {
        this.#done.push(open);
        this.#open.delete(stepS);
      }
      if (!look) continue;
      const point = this.#open.get(stepS);
      if (point) merge(point, look);
      else this.#open.set(stepS, this.#first(stepS, time, look));
    }
  }

  /** Ends all buckets, as the master does. */
  close(): void {
    this.#done.push(...this.#open.values());
    this.#open.clear();
  }

  /** Points that are whole, each once. */
  take(): SeriesPoint[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** The point of this length that goes on. */
  open(stepS: number): SeriesPoint | undefined {
    return this.#open.get(stepS);
  }

  /** Whole points that are not taken yet. */
  get waiting(): readonly SeriesPoint[] {
    return this.#done;
  }

  /** Nothing is lost with it. */
  get isIdle(): boolean {
    return this.users === 0 && !this.#look && this.#open.size === 0 && this.#done.length === 0;
  }

  #remember({ executions, coverage, corpusFiles }: RunFigures, now: number): void {
    this.executions += executions;
    if (coverage > this.#coverage || corpusFiles > this.#corpusFiles) this.foundAt = now;
    this.#coverage = Math.max(this.#coverage, coverage);
    this.#corpusFiles = Math.max(this.#corpusFiles, corpusFiles);
  }

  #first(stepS: number, time: number, look: RunFigures): SeriesPoint {
    const { subject, engine } = this.name;
    const { running: runningSum, rate: rateSum, ...rest } = look;
    const rates = { rateSum, rateMin: rateSum, rateMax: rateSum };
    return { subject, engine, stepS, time, looks: 1, runningSum, ...rates, ...rest };
  }
}

/** Beyond it nothing is exact, and the database would at last refuse the sum. */
export const sumOf = (one: number, more: number): number =>
  Math.min(one + more, Number.MAX_SAFE_INTEGER);

function merge(point: SeriesPoint, look: RunFigures): void {
  point.looks += 1;
  point.rateSum += look.rate;
  point.rateMin = Math.min(point.rateMin, look.rate);
  point.rateMax = Math.max(point.rateMax, look.rate);
  point.runningSum += look.running;
  for (const name of came) point[name] = sumOf(point[name], look[name]);
  for (const name of largest) point[name] = Math.max(point[name], look[name]);
}
