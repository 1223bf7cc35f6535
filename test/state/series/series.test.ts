import { describe, expect, test } from '@jest/globals';
import type { RequestContext } from '../../../src/core/context.js';
import { silentLog } from '../../../src/core/log.js';
import { JobStatistics } from '../../../src/gen/pandafuzz/v1/job.js';
import {
  GetSeriesRequest,
  type SeriesPoint,
  SeriesSubject,
} from '../../../src/gen/pandafuzz/v1/statistics_service.js';
import { Sessions } from '../../../src/state/bots/sessions.js';
import { Leases } from '../../../src/state/leases/leases.js';
import { Collector } from '../../../src/state/series/collector.js';
import { Series } from '../../../src/state/series/series.js';
import { Retention } from '../../../src/state/upkeep/retention.js';
import { addPoints } from '../../../src/store/ops/series/add-points.js';
import type { ClaimedJob } from '../../../src/store/rows.js';
import type { Store } from '../../../src/store/store.js';
import { openStore, testContext } from '../../harness.js';
import { VirtualClock } from '../../virtual-clock.js';

const jobId = (of: number) => `01a20000-0000-7000-8000-00000000000${of}`;
const botId = '01a20000-0000-7000-8000-0000000000b0';
const lookMs = 10_000;
const inBackground = <T>(_: string, work: (ctx: RequestContext) => Promise<T>) =>
  work(testContext());

/** What a master has in memory: a new one of it is a master that was started again. */
function master(store: Pick<Store, 'run'>, clock: VirtualClock) {
  const leases = new Leases({
    clock,
    times: { ttlMs: 3_600_000, offerTimeoutMs: 3_600_000 },
    onExpired: () => {},
    onEnded: (lease) => collector.leaseEnded(lease),
  });
  const intervals = { sample_interval: lookMs };
  const collector = new Collector({
    ...{ store, leases, clock, log: silentLog, inBackground, intervals },
  });
  const series = new Series({ store, clock, collector });
  return { leases, collector, series };
}

type Parts = ReturnType<typeof master>;

function begin({ leases }: Parts, of: number, engine = 'libfuzzer') {
  const job = {
    ...{ id: jobId(of), campaign: 'night', attempt: 1, fence: 1, spec: '{}', engine },
    ...{ cancel_requested_at: null, pause_requested_at: null, timed_out_at: null },
    ...{ project: 'png', target_name: 'read' },
  } as ClaimedJob;
  return leases.grant(job, { botId, ttlMs: 3_600_000, acknowledged: true });
}

async function points(
  { series }: Parts,
  subject: SeriesSubject,
  more: Partial<GetSeriesRequest> = {},
): Promise<SeriesPoint[]> {
  const request = GetSeriesRequest.create({ subject, ...more });
  return (await series.get(testContext(), request)).points;
}

const target = { name: 'read', project: 'png' };
const total = (of: readonly SeriesPoint[], figure: 'executions' | 'newGroups' | 'crashHits') =>
  of.reduce((sum, point) => sum + point[figure], 0);

describe('figures over time', () => {
  test('are kept in buckets of each length, for all that a run is part of', async () => {
    const [store, clock] = [await openStore(), new VirtualClock()];
    const parts = master(store, clock);
    const [one, two] = [begin(parts, 1), begin(parts, 2, 'aflplusplus')];
    for (let look = 1; look <= 66; look++) {
      clock.advance(lookMs);
      const elapsedMs = look * lookMs;
      const figures = { elapsedMs, executionsPerSecond: 10 + look, crashHits: look };
      const executions = look * 100;
      parts.leases.report(one, 2, JobStatistics.create({ ...figures, executions, coverage: look }));
      parts.leases.report(two, 2, JobStatistics.create({ ...figures, executions, coverage: 9000 }));
      await parts.collector.look();
    }
    parts.collector.foundGroup({ jobId: jobId(1), project: 'png', targetName: 'read' });
    parts.leases.end(one);
    await parts.collector.stop();

    const from = new Date(clock.now() - 3_600_000);
    const fleet = await points(parts, SeriesSubject.FLEET, { from, stepSeconds: 600 });
    expect(fleet).toHaveLength(2);
    expect(total(fleet, 'executions')).toBe(2 * 6600);
    expect(total(fleet, 'newGroups')).toBe(1);
    expect(fleet[0]).toMatchObject({ engine: '', coverage: 0, running: 2 });

    const fine = await points(parts, SeriesSubject.JOB, { from, name: jobId(1) });
    expect(fine.length).toBeGreaterThan(60);
    expect(total(fine, 'crashHits')).toBe(66);
    const minutes = await points(parts, SeriesSubject.TARGET, { from, ...target, stepSeconds: 60 });
    const engines = (engine: string) => minutes.filter((point) => point.engine === engine);
    expect(total(engines('libfuzzer'), 'executions')).toBe(6600);
    expect(engines('aflplusplus').every(({ coverage }) => coverage === 9000)).toBe(true);
    const second = engines('libfuzzer')[1];
    expect(second).toMatchObject({ coverage: 11, executions: 600, executionsPerSecond: 18.5 });
    expect(second).toMatchObject({
      leastExecutionsPerSecond: 16,
      mostExecutionsPerSecond: 21,
      running: 1,
    });
    for (const [subject, name] of [
      [SeriesSubject.BOT, botId],
      [SeriesSubject.CAMPAIGN, 'night'],
      [SeriesSubject.PROJECT, 'png'],
    ] as const) {
      const found = await points(parts, subject, { from, name, stepSeconds: 600 });
      expect(total(found, 'executions')).toBe(2 * 6600);
    }
  });

  test('of a master that was started again go on where they were', async () => {
    const [store, clock] = [await openStore(), new VirtualClock()];
    const before = master(store, clock);
    const lease = begin(before, 1);
    const report = (parts: Parts, to: typeof lease, executions: number, elapsedMs: number) => {
      clock.advance(lookMs);
      const figures = { executions, elapsedMs, executionsPerSecond: 4 };
      parts.leases.report(to, 2, JobStatistics.create(figures));
      return parts.collector.look();
    };
    await report(before, lease, 100, lookMs);
    await before.collector.stop();
    const after = master(store, clock);
    const same = begin(after, 1);
    await report(after, same, 150, 3 * lookMs);
    // So nothing says of a run that it has executed nothing, also while its bot is not heard.
    for (const curve of after.collector.curvesOf('target png/read')) {
      expect(curve.executions).toBe(150);
    }
    await report(after, same, 250, 4 * lookMs);
    await after.collector.stop();
    const found = await points(after, SeriesSubject.TARGET, { ...target, stepSeconds: 600 });
    // What was executed while nobody looked is not known to belong to this time.
    expect(found).toMatchObject([{ executions: 200, executionsPerSecond: 4, running: 1 }]);
  });

  test('that are whole are shown before they are written', async () => {
    const [store, clock] = [await openStore(), new VirtualClock()];
    const parts = master(store, clock);
    const lease = begin(parts, 1);
    for (let look = 1; look <= 3; look++) {
      clock.advance(lookMs);
      const figures = { executions: look, elapsedMs: look * lookMs };
      parts.leases.report(lease, 2, JobStatistics.create(figures));
      await parts.collector.look();
    }
    const found = await points(parts, SeriesSubject.JOB, { name: jobId(1) });
    expect(found).toMatchObject([{ executions: 1 }, { executions: 1 }]);
    const limit = { name: jobId(1), pageSize: 1 };
    expect(await points(parts, SeriesSubject.JOB, limit)).toHaveLength(1);
  });

  test('are written while sums of runs cannot be', async () => {
    const [store, clock] = [await openStore(), new VirtualClock()];
    const refusing: Pick<Store, 'run'> = {
      run: (ctx, operation, input) =>
        operation.name === 'keep_run_sums'
          ? Promise.reject(new Error('refused'))
          : store.run(ctx, operation, input),
    };
    const parts = master(refusing, clock);
    const lease = begin(parts, 1);
    const figures = JobStatistics.create({ executions: 42, elapsedMs: 1000 });
    for (let look = 1; look <= 7; look++) {
      clock.advance(lookMs);
      parts.leases.report(lease, 2, figures);
      await parts.collector.look();
    }
    // Of the minute that has begun; the one before is on disk, and no longer in memory.
    expect(parts.collector.waiting('target png/read', 10)).toHaveLength(1);
    const seen = await points(parts, SeriesSubject.TARGET, { ...target, stepSeconds: 10 });
    expect(seen.length).toBeGreaterThan(5);
    expect(total(seen, 'executions')).toBe(42);
  });
});

describe('a year of figures', () => {
  const none = {
    ...{ looks: 1, rateSum: 1, rateMin: 1, rateMax: 1, runningSum: 1, executions: 1 },
    ...{ fuzzedMs: 0, crashHits: 0, newGroups: 0, coverage: 0, features: 0 },
    ...{ corpusFiles: 0, corpusBytes: 0, peakMemoryBytes: 0 },
  };

  test('is read in pages, and forgotten by the length of its buckets', async () => {
    const [store, clock] = [await openStore(), new VirtualClock()];
    const parts = master(store, clock);
    const dayMs = 86_400_000;
    const of = (stepS: number, ageMs: number, engine: string) => {
      const time = Math.floor((clock.now() - ageMs) / (stepS * 1000)) * stepS * 1000;
      return { ...none, subject: 'target png/read', stepS, time, engine };
    };
    const ages = Array.from({ length: 1500 }, (_, at) => at * 6 * 600_000 + 600_000);
    const old = ages.flatMap((age) => [of(600, age, 'aflplusplus'), of(600, age, 'libfuzzer')]);
    await store.run(testContext(), addPoints, [...old, of(600, 380 * dayMs, 'libfuzzer')]);
    await store.run(testContext(), addPoints, [of(60, 3 * dayMs, ''), of(60, dayMs, '')]);
    await store.run(testContext(), addPoints, [of(10, dayMs, ''), of(10, 1_800_000, '')]);

    const read = {
      subject: SeriesSubject.TARGET,
      ...target,
      from: new Date(clock.now() - 360 * dayMs),
    };
    const seen: string[] = [];
    for (let pageToken = ''; ; ) {
      const request = GetSeriesRequest.create({ ...read, pageToken, pageSize: 701 });
      const page = await parts.series.get(testContext(), request);
      expect(page.stepSeconds).toBe(600);
      seen.push(...page.points.map(({ time, engine }) => `${time?.getTime()} ${engine}`));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toHaveLength(3000);

    const age = 365 * dayMs;
    await new Retention({
      ...{ store, clock, log: silentLog, inBackground, sessions: new Sessions() },
      ages: { jobs: age, events: age, samples: age, bots: age, sweep_interval: dayMs },
    }).sweep();
    const from = new Date(0);
    const left = async (stepSeconds: number) =>
      (await points(parts, SeriesSubject.TARGET, { ...target, from, stepSeconds })).length;
    expect([await left(10), await left(60), await left(600)]).toEqual([1, 1, 1000]);
  });

  test.each([
    [{}, /subject: must be one of SeriesSubject/],
    [{ subject: SeriesSubject.FLEET, name: 'x' }, /name: must be empty/],
    [{ subject: SeriesSubject.BOT, name: 'x' }, /name: must be a UUID/],
    [{ subject: SeriesSubject.TARGET, name: 'x', project: 'a/b' }, /project: /],
    [{ subject: SeriesSubject.PROJECT, name: '' }, /name: /],
    [{ subject: SeriesSubject.FLEET, stepSeconds: 30 }, /step_seconds: must be 0, 10, 60 or 600/],
    [{ subject: SeriesSubject.FLEET, pageToken: 'x' }, /page_token: /],
  ])('is refused for %j', async (wrong: Partial<GetSeriesRequest>, why) => {
    const { series } = master(await openStore(), new VirtualClock());
    const asked = series.get(testContext(), GetSeriesRequest.create(wrong));
    await expect(asked).rejects.toThrow(why);
  });
});
