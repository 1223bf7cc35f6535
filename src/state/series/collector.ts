import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { JobStatistics } from '../../gen/pandafuzz/v1/job.js';
import { addPoints, type SeriesPoint } from '../../store/ops/series/add-points.js';
import type { Store } from '../../store/store.js';
import type { Leases, LiveLease } from '../leases/leases.js';
import { Curve, noFigures, steps } from './curve.js';
import { type RunSum, RunSums } from './run-sums.js';
import { type CurveName, curvesOf, fleet, runKeyOf, subjectOf, targetSubject } from './subjects.js';

/** Runs or curves handled in one turn of the event loop: well under a millisecond. */
const turnSize = 500;
/** Rows in one write: small, so that other writes run in between. */
const sliceSize = 500;
/** Between two writes of what is whole, milliseconds. */
const flushEveryMs = 60_000;
/** With more curves, those of further jobs and bots have no points of 10 s: they are most of the rows. */
const mostFine = 4000;

export interface CollectorParts {
  readonly store: Pick<Store, 'run'>;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly intervals: { readonly sample_interval: number };
}

/** A run that is looked at: its curves, and the totals of the last look. */
interface Run {
  readonly curves: readonly Curve[];
  readonly sum: RunSum;
  executions: number;
  fuzzedMs: number;
  crashHits: number;
}

/**
 * Looks at every run once in an interval, and keeps what it sees as points of 10 s, 1 min and
 * 10 min, for each run and for all that it is part of. Whole points are written once a minute,
 * so a master that is killed loses the minute, and of its buckets of 10 min those that are open.
 */
export class Collector {
  /** For /metrics. */
  readonly sums: RunSums;
  readonly #task: PeriodicTask;
  /** By subject; those of one subject differ by engine. */
  readonly #subjects = new Map<string, Curve[]>();
  #size = 0;
  readonly #runs = new Map<LiveLease, Run>();
  #flushedAt: number;

  constructor(private readonly parts: CollectorParts) {
    const { clock, log, intervals } = parts;
    this.sums = new RunSums(parts);
    const work = () => this.look();
    const intervalMs = intervals.sample_interval;
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'look at figures', work });
    this.#flushedAt = clock.now();
  }

  start(): void {
    this.#task.start();
  }

  /** Writes what there is, also of buckets that go on. */
  async stop(): Promise<void> {
    await this.#task.stop();
    for (const curve of this.#curves()) {
      curve.settle(this.parts.clock.now());
      curve.close();
    }
    this.sums.settle();
    await this.#flush().catch(this.#notWritten);
    await this.sums.keep().catch(this.#notWritten);
  }

  async look(): Promise<void> {
    const { leases, clock } = this.parts;
    await inTurns(leases.all(), (lease) => this.#lookAt(lease));
    const now = clock.now();
    await inTurns(this.#curves(), (curve) => curve.settle(now));
    this.sums.settle();
    // Curves are written, and leave memory, also while sums cannot be.
    await this.sums.keep().catch(this.#notWritten);
    if (now - this.#flushedAt < flushEveryMs) return;
    this.#flushedAt = now;
    await this.#flush();
  }

  readonly #notWritten = (err: unknown) => this.parts.log.warn({ err }, 'figures not written');

  /** Takes the last figures of a run. */
  leaseEnded(lease: LiveLease): void {
    if (lease.statistics) this.#lookAt(lease, true);
    const run = this.#runs.get(lease);
    for (const part of run ? [...run.curves, run.sum] : []) part.users -= 1;
    this.#runs.delete(lease);
  }

  /** A run has met a group of crashes that was not known. */
  foundGroup(found: { jobId: string; project: string; targetName: string }): void {
    const { jobId, project, targetName } = found;
    const lease = this.parts.leases.ofJob(jobId);
    const curves = lease
      ? this.#runOf(lease).curves
      : [
          this.#curveOf({ kind: 'fleet', subject: fleet, engine: '' }),
          this.#curveOf({ kind: 'project', subject: subjectOf('project', project), engine: '' }),
          this.#curveOf({
            kind: 'target',
            subject: targetSubject(project, targetName),
            engine: '',
          }),
        ];
    const key = { project, targetName, campaign: '', engine: '' };
    const sum = lease ? this.#runOf(lease).sum : this.sums.of(key);
    for (const curve of curves) curve.add({ ...noFigures, newGroups: 1 });
    sum.add({ ...noFigures, newGroups: 1 }, this.parts.clock.now());
  }

  /** What is known of a subject now: a curve for each engine. */
  curvesOf(subject: string): readonly Curve[] {
    return this.#subjects.get(subject) ?? [];
  }

  /** Whole points of a subject that are not on disk yet. */
  waiting(subject: string, stepS: number): SeriesPoint[] {
    return this.curvesOf(subject).flatMap((curve) =>
      curve.waiting.filter((point) => point.stepS === stepS),
    );
  }

  #lookAt(lease: LiveLease, hasEnded = false): void {
    const { statistics } = lease;
    if (!statistics) return;
    const run = this.#runOf(lease);
    const { executionsPerSecond: rate, ...rest } = statistics;
    const { coverage, features, corpusFiles, corpusBytes, peakMemoryBytes, crashHits } = rest;
    const executions = executed(statistics);
    const figures = {
      running: hasEnded ? 0 : 1,
      rate: hasEnded ? 0 : rate,
      executions: Math.max(0, executions - run.executions),
      fuzzedMs: Math.max(0, statistics.elapsedMs - run.fuzzedMs),
      crashHits: Math.max(0, crashHits - run.crashHits),
      newGroups: 0,
      ...{ coverage, features, corpusFiles, corpusBytes, peakMemoryBytes },
    };
    run.executions = Math.max(run.executions, executions);
    run.fuzzedMs = Math.max(run.fuzzedMs, statistics.elapsedMs);
    run.crashHits = Math.max(run.crashHits, crashHits);
    for (const curve of run.curves) curve.add(figures);
    run.sum.add(figures, this.parts.clock.now());
  }

  #runOf(lease: LiveLease): Run {
    const known = this.#runs.get(lease);
    if (known) return known;
    const curves = curvesOf(lease).map((name) => this.#curveOf(name));
    const sum = this.sums.of(runKeyOf(lease));
    for (const part of [...curves, sum]) part.users += 1;
    const run = { curves, sum, ...this.#before(lease) };
    for (const curve of curves) curve.executions += run.executions;
    this.#runs.set(lease, run);
    return run;
  }

  /** A run that goes on from an earlier process of the master has counted before. */
  #before({ statistics, grantedAt }: LiveLease): Omit<Run, 'curves' | 'sum'> {
    const knownMs = this.parts.clock.monotonic() - grantedAt;
    if (!statistics || statistics.elapsedMs <= knownMs) {
      return { executions: 0, fuzzedMs: 0, crashHits: 0 };
    }
    const { elapsedMs: fuzzedMs, crashHits } = statistics;
    return { executions: executed(statistics), fuzzedMs, crashHits };
  }

  #curveOf(name: CurveName): Curve {
    const { subject, engine, kind } = name;
    const curves = this.#subjects.get(subject) ?? [];
    const known = curves.find((curve) => curve.name.engine === engine);
    if (known) return known;
    const isFine = (kind !== 'job' && kind !== 'bot') || this.#size < mostFine;
    const curve = new Curve(name, isFine ? steps : steps.slice(1));
    curves.push(curve);
    this.#subjects.set(subject, curves);
    this.#size += 1;
    return curve;
  }

  *#curves(): Iterable<Curve> {
    for (const curves of this.#subjects.values()) yield* curves;
  }

  /** Writes whole points, and forgets curves of which nothing is left. */
  async #flush(): Promise<void> {
    const points: SeriesPoint[] = [];
    await inTurns(this.#subjects, ([subject, curves]) => {
      for (const curve of curves) points.push(...curve.take());
      const busy = curves.filter((curve) => !curve.isIdle);
      this.#size -= curves.length - busy.length;
      if (busy.length > 0) this.#subjects.set(subject, busy);
      else this.#subjects.delete(subject);
    });
    const { store, inBackground } = this.parts;
    for (let at = 0; at < points.length; at += sliceSize) {
      const slice = points.slice(at, at + sliceSize);
      await inBackground('add_points', (ctx) => store.run(ctx, addPoints, slice));
    }
  }
}

/** Until now, as far as the engine's reports and its rate show. */
const executed = ({ executions, executionsEstimate }: JobStatistics): number =>
  Math.max(executions, executionsEstimate);

/** Handles each, and lets other work run in between. */
async function inTurns<Item>(items: Iterable<Item>, handle: (item: Item) => void): Promise<void> {
  let left = turnSize;
  for (const item of items) {
    handle(item);
    if (--left > 0) continue;
    left = turnSize;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
