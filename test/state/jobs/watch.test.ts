import { describe, expect, test } from '@jest/globals';
import type { WatchJobsResponse } from '../../../src/gen/pandafuzz/v1/job_service.js';
import { pruneEvents } from '../../../src/store/ops/events/prune-events.js';
import { atEnd, runMasterFor, testContext } from '../../harness.js';
import { createJob } from '../../steps.js';
import { Fleet, only } from '../fleet.js';

/** Changes told without gaps, over reconnects and over what is forgotten. */

/** A watcher that reads as long as it is asked to. */
function watch(fleet: Fleet, cursor: number, jobId = '') {
  const ctx = testContext();
  const changes = fleet.state.watch.changes(ctx, { cursor, jobId });
  atEnd(() => changes.return(undefined).catch(() => {}));
  const next = async (): Promise<WatchJobsResponse> => {
    const read = changes.next();
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    read.then(over, over);
    while (!isOver) {
      await fleet.settled();
      fleet.clock.advance(20); // what is written in this time is told together
    }
    return (await read).value as WatchJobsResponse;
  };
  return { next };
}

const now = async (fleet: Fleet) => (await watch(fleet, 0).next()).cursor;

describe('a watcher', () => {
  test('that came before anything had happened misses nothing when it comes again', async () => {
    const { connection } = await runMasterFor();
    const hear = async (cursor: number) => {
      const call = connection.jobs.watchJobs({ cursor, jobId: '' });
      call.on('error', () => {});
      const { value } = await call[Symbol.asyncIterator]().next();
      call.cancel();
      return value as WatchJobsResponse;
    };
    const { cursor } = await hear(0);
    expect(cursor).toBeGreaterThan(0); // 0 would mean: from now on
    const { id } = await createJob(connection);
    expect(await hear(cursor)).toMatchObject({ kind: 'job.created', job: { id } });
  });

  test('that comes again after every change has heard each of them once, in order', async () => {
    const fleet = await Fleet.open();
    const start = await now(fleet);
    const bot = await fleet.bot(1);
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.push((await fleet.create()).id);
      await fleet.settled();
      const lease = only(bot.offers());
      bot.accept(lease);
      bot.done(lease);
      await fleet.settled();
      bot.beat(1);
    }
    const heard: string[] = [];
    let cursor = start;
    while (heard.length < 20) {
      const change = await watch(fleet, cursor).next(); // a new stream for each
      expect(change.cursor).toBeGreaterThan(cursor);
      cursor = change.cursor;
      heard.push(`${change.kind} ${made.indexOf(change.job?.id ?? '')}`);
    }
    const each = ['job.created', 'job.assigned', 'job.running', 'job.completed'];
    expect(heard).toEqual(made.flatMap((_, i) => each.map((kind) => `${kind} ${i}`)));
    const third = watch(fleet, start, made[3] as string);
    for (const kind of each) expect((await third.next()).kind).toBe(kind);
  });

  test('hears of everything that is written while it reads, over more than one slice', async () => {
    const fleet = await Fleet.open();
    const cursor = await now(fleet);
    const watcher = watch(fleet, cursor);
    const heard = new Set<string>();
    const made: Promise<{ id: string }>[] = [];
    for (let i = 0; i < 450; i++) {
      made.push(fleet.create());
      if (i % 3 === 0) heard.add((await watcher.next()).job?.id ?? '');
    }
    const ids = (await Promise.all(made)).map(({ id }) => id);
    while (heard.size < ids.length) heard.add((await watcher.next()).job?.id ?? '');
    expect([...heard]).toEqual(ids);
  });

  test('whose cursor is of what was forgotten is told so, and where to begin', async () => {
    const fleet = await Fleet.open();
    const start = await now(fleet);
    for (let i = 0; i < 4; i++) await fleet.create();
    const first = await watch(fleet, start).next();
    const prune = (limit: number) =>
      fleet.store.run(testContext(), pruneEvents, { olderThan: fleet.clock.now() + 1, limit });
    await prune(first.cursor + 1); // sequences begin with 1
    for (const cursor of [start, first.cursor]) {
      await expect(watch(fleet, cursor).next()).rejects.toMatchObject({
        name: 'OutOfRangeError',
        message: expect.stringMatching(/no longer kept: list/),
      });
    }
    expect((await watch(fleet, first.cursor + 1).next()).cursor).toBe(first.cursor + 2);
  });

  test('that is up to date goes on, though all that was before has been forgotten', async () => {
    const fleet = await Fleet.open();
    for (let i = 0; i < 3; i++) await fleet.create();
    const upToDate = await now(fleet);
    const all = { olderThan: fleet.clock.now() + 1, limit: 1000 };
    expect(await fleet.store.run(testContext(), pruneEvents, all)).toBeGreaterThanOrEqual(3);
    expect(await fleet.store.run(testContext(), pruneEvents, all)).toBe(0);

    expect(await now(fleet)).toBe(upToDate);
    await expect(watch(fleet, upToDate - 2).next()).rejects.toThrow(/no longer kept/);
    await expect(watch(fleet, upToDate + 1).next()).rejects.toThrow(/of another database/);
    const watcher = watch(fleet, upToDate);
    const { id } = await fleet.create();
    expect(await watcher.next()).toMatchObject({ cursor: upToDate + 1, job: { id } });
  });
});
