import { describe, expect, test } from '@jest/globals';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import { testContext } from '../../harness.js';
import { cancel, Fleet, only, pause, runFor, running, timeouts } from '../fleet.js';

/** What people are told of a job that does not run, and of a bot that does not work. */

const ofJob = (fleet: Fleet, id: string) => fleet.state.explain.job(testContext(), id);
const ofBot = async (fleet: Fleet, id: string) =>
  (await fleet.state.explain.bot(testContext(), id)).reasons;

describe('a job is explained', () => {
  test('at each step of its way', async () => {
    const fleet = await Fleet.open();
    const { id } = await fleet.create();
    const said = async () => (await ofJob(fleet, id)).reasons;
    expect(await said()).toEqual(['no bot is online']);
    await pause(fleet, id);
    expect(await said()).toEqual(['it is paused, until somebody resumes it']);
    await fleet.state.jobs.resume(testContext(), id);
    const bot = await fleet.bot(1);
    const lease = only(bot.offers());
    expect(await said()).toEqual([
      `it was offered to bot ${bot.botId}, which has not answered yet`,
    ]);
    bot.accept(lease);
    await fleet.settled();
    expect(await said()).toEqual([]);
    await cancel(fleet, id);
    expect(await said()).toEqual([
      `it is being cancelled: bot ${bot.botId} has not acknowledged that yet`,
    ]);
    bot.say({ $case: 'cancelAck', value: { lease } });
    await fleet.settled();
    expect(await said()).toEqual([`it is being cancelled: bot ${bot.botId} is stopping it`]);
    bot.done(lease, JobOutcome.CANCELLED);
    await fleet.settled();
    expect(await said()).toEqual(['it is cancelled']);
  });

  test('by the time that is over for its run', async () => {
    const { fleet, id, lease, bot } = await running({ timeouts: timeouts({ run: 10 }) });
    await runFor(fleet, bot, lease, 11_000);
    const { reasons } = await ofJob(fleet, id);
    expect(reasons).toEqual([
      `it is being stopped, as its time is over: bot ${bot.botId} has not acknowledged that yet`,
    ]);
  });

  test('by what most bots lack, and who goes first', async () => {
    const fleet = await Fleet.open();
    const first = await fleet.create();
    const urgent = await fleet.create({ priority: 3 });
    const { id } = await fleet.create();
    for (let i = 0; i < 3; i++) await fleet.bot(1, { engines: ['other'] });
    await fleet.bot(0);
    expect(await ofJob(fleet, id)).toEqual({
      reasons: [
        '3 of 4 bots online: the bot does not run libfuzzer',
        '1 of 4 bots online: the bot has no free slot',
        '2 jobs of the same kind go first',
      ],
      rank: 2,
      ahead: [urgent.id, first.id],
    });
  });
});

describe('a bot is explained', () => {
  test('when it is away, full, without slots, or at rest', async () => {
    const { fleet, lease, bot } = await running();
    await fleet.create();
    bot.beat(0, [lease]);
    expect(await ofBot(fleet, bot.botId)).toEqual([]); // it works
    bot.done(lease, JobOutcome.INFRASTRUCTURE);
    await fleet.settled();
    expect(await ofBot(fleet, bot.botId)).toEqual([
      'it is held back for another 1 s, then it gets one job to try: its last start failed: because',
    ]);
    await fleet.pass(1500);
    expect(await ofBot(fleet, bot.botId)).toEqual([
      'it gets one job at a time until one starts, as its last start failed: because',
    ]);
    const idle = await fleet.bot(0);
    expect(await ofBot(fleet, idle.botId)).toEqual(['it has announced no free slot']);
    bot.leave();
    expect(await ofBot(fleet, bot.botId)).toEqual(['it is offline: it holds no heartbeat stream']);
  });

  test('by the limits and the needs of what waits', async () => {
    const fleet = await Fleet.open();
    const bot = await fleet.bot(4);
    expect(await ofBot(fleet, bot.botId)).toEqual(['no job waits']);
    const terms = { key: 'narrow', weight: 1, maxParallel: 1 };
    await fleet.state.campaigns.set(testContext(), terms);
    for (let i = 0; i < 3; i++) await fleet.create({ campaign: 'narrow' });
    await fleet.create({
      requirements: { labels: { zone: 'east' }, memoryMib: 0, diskMib: 9, otherThanBotId: '' },
    });
    await fleet.settled();
    expect(await ofBot(fleet, bot.botId)).toEqual([
      '2 jobs wait, but its campaign runs 1 jobs already, as many as it may at once',
      '1 job waits, but this bot has no label zone (east is asked for) and offers no stated amount of disk, not 9 MiB',
    ]);
  });
});
