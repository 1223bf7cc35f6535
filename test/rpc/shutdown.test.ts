import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import type { Master } from '../../src/app.js';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
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

  test('ends long polls at once', async () => {
    const { connection, master } = await runMasterFor();
    const { id: botId } = await registerBot(connection);
    const wait = { botId, waitMs: 20_000, leaseTtlMs: 0 };
    const polled = unary(connection.jobs, connection.jobs.assignJob, wait).catch(failureOf);
    await unary(connection.bots, connection.bots.getBot, { botId }); // the poll has begun by then
    const startedAt = performance.now();
    await master.stop();
    expect(await polled).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('finishes calls in flight that can be, and answers the others UNAVAILABLE in time', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_TIMEOUTS_SHUTDOWN: '2s' };
    const { connection, master } = await runMasterFor(settings, directory);
    const { id: botId } = await registerBot(connection);
    const get = () => unary(connection.bots, connection.bots.getBot, { botId });
    const first = await blockDatabase(directory);
    const slow = get();
    await inFlight(master);
    const stopped = master.stop();
    await first.release();
    expect(await slow).toMatchObject({ bot: { id: botId } });
    await stopped;

    const again = await runMasterFor(settings, directory);
    const stuck = await blockDatabase(directory);
    const getAgain = unary(again.connection.bots, again.connection.bots.getBot, { botId });
    const failure = getAgain.catch(failureOf);
    await inFlight(again.master);
    const startedAt = performance.now();
    const stopping = again.master.stop();
    expect(await failure).toMatchObject({ code: Code.UNAVAILABLE });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await stuck.release();
    await stopping;
  });
});
