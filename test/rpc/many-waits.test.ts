import { once } from 'node:events';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import type { WatchJobsResponse } from '../../src/gen/pandafuzz/v1/job_service.js';
import { atEnd, runMasterFor } from '../harness.js';
import { createJob, eventually, metric, registerBot } from '../steps.js';

/** Of each kind: more than may be read or called at once. The documented limit is 10,000. */
const waits = Number(process.env['WAITS'] ?? 1200);
/** Streams of one connection. */
const ofConnection = 1000;

test('AssignJob and WatchJobs wait in their thousands without ending each other', async () => {
  const { master, connection, address } = await runMasterFor();
  const bot = await registerBot(connection, 'north');
  const connections = Array.from({ length: Math.ceil((2 * waits) / ofConnection) }, () => {
    const one = connect(address);
    atEnd(() => one.close());
    return one;
  });
  const over = (index: number) => connections[index % connections.length] ?? connection;

  let assigned = 0;
  let isOver = false;
  const failures: unknown[] = [];
  const watching: ClientReadableStream<WatchJobsResponse>[] = [];
  const seen: Promise<unknown>[] = [];
  const polling: Promise<unknown>[] = [];
  for (let index = 0; index < waits; index++) {
    const { jobs } = over(index);
    const feed = jobs.watchJobs({ cursor: 0, jobId: '' });
    feed.on('error', (error) => {
      if (!isOver) failures.push(error);
    });
    seen.push(once(feed, 'data'));
    watching.push(feed);
    const wish = { botId: bot.id, waitMs: 60_000, leaseTtlMs: 0 };
    const poll = unary(jobs, jobs.assignJob, wish, { timeoutMs: 120_000 });
    polling.push(
      poll.then(
        ({ assignment }) => {
          if (assignment) assigned += 1;
        },
        (error) => failures.push(error),
      ),
    );
  }
  const open = async (pool: string) => metric(master, `api_in_flight{pool="${pool}"}`);
  const areOpen = async () =>
    ((await open('waits')) === waits && (await open('feeds')) === waits) || undefined;
  await eventually(async () => (failures.length > 0 ? true : areOpen()));
  expect(failures).toEqual([]);

  await createJob(connection);
  await Promise.all(seen);
  await eventually(async () => (await open('waits')) === waits - 1 || undefined);
  expect({ assigned, failures }).toEqual({ assigned: 1, failures: [] });
  isOver = true;
  for (const feed of watching) feed.cancel();
  await master.stop(); // which answers those who wait
  await Promise.all(polling);
});
