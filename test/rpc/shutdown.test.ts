import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import type { Master } from '../../src/app.js';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { patienceMs } from '../patience.js';
import { ScriptedBot } from '../scripted-bot.js';
import { metric, registerBot } from '../steps.js';
import { blockDatabase } from '../wire/block-database.js';

/** Once a call has come to the master. */
async function inFlight(master: Master): Promise<void> {
  while ((await metric(master, 'api_in_flight{pool="calls"}')) === 0);
}

describe('a master that stops', () => {
  test('sends its bots away with GoAway, then UNAVAILABLE', async () => {
    const { connection, master } = await runMasterFor();
    const bot = new ScriptedBot(connection, (await registerBot(connection)).id);
    await bot.hello(1);
    const stopped = master.stop();
    expect(await bot.hear('goAway')).toMatchObject({
      reason: 'the master is shutting down',
      reconnectAfterMs: 1000,
    });
    expect(await bot.ended).toBe(Code.UNAVAILABLE);
    await stopped;
  });

  test('ends long polls while calls in flight still have their time, and finishes those', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_TIMEOUTS_SHUTDOWN: '5m', PANDAFUZZ_TIMEOUTS_DATABASE_OP: '5m' };
    const { connection, master } = await runMasterFor(settings, directory);
    const { id: botId } = await registerBot(connection);
    const wait = { botId, waitMs: 20_000, leaseTtlMs: 0 };
    const limits = { timeoutMs: patienceMs };
    const polled = unary(connection.jobs, connection.jobs.assignJob, wait, limits).catch(failureOf);
    const get = () => unary(connection.bots, connection.bots.getBot, { botId }, limits);
    await get(); // the poll has begun by then
    const { release } = await blockDatabase(directory);
    let isAnswered = false;
    const slow = get().finally(() => {
      isAnswered = true;
    });
    await inFlight(master);
    const stopped = master.stop();
    expect(await polled).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(isAnswered).toBe(false);
    await release();
    expect(await slow).toMatchObject({ bot: { id: botId } });
    await stopped;
  });

  test('answers calls in flight that cannot be finished UNAVAILABLE', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_TIMEOUTS_SHUTDOWN: '1s' };
    const { connection, master } = await runMasterFor(settings, directory);
    const { id: botId } = await registerBot(connection);
    const stuck = await blockDatabase(directory);
    const get = unary(connection.bots, connection.bots.getBot, { botId });
    const failure = get.catch(failureOf);
    await inFlight(master);
    const stopping = master.stop();
    expect(await failure).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    await stuck.release();
    await stopping;
  });
});
