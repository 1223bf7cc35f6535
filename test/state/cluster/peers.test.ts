import { expect, test } from '@jest/globals';
import { ShuttingDownError } from '../../../src/core/errors.js';
import type { Cluster, ClusterListener } from '../../../src/store/cluster.js';
import { testContext } from '../../harness.js';
import { given } from '../../steps.js';
import { Fleet, only } from '../fleet.js';

/** A cluster that a test plays: what the rules of a master do about it. */
class PlayedCluster implements Cluster {
  readonly id = 1;
  readonly peers = [];
  isMember = true;
  listener: ClusterListener | undefined;

  listen(listener: ClusterListener): void {
    this.listener = listener;
  }

  alone(_: string, work: () => Promise<void>): Promise<void> {
    return work();
  }
}

async function memberWithRun() {
  const fleet = await Fleet.open();
  const cluster = new PlayedCluster();
  await fleet.state.stop();
  Object.assign(fleet.store, { cluster });
  await fleet.start();
  const { id } = await fleet.create();
  const bot = await fleet.bot(1);
  const lease = only(bot.offers());
  bot.accept(lease);
  await fleet.settled();
  return { fleet, cluster, id, bot, lease };
}

test('a master that may be taken for dead answers no beat and ends no lease; then it goes on', async () => {
  const { fleet, cluster, id, bot, lease } = await memberWithRun();
  bot.beat(0, [lease]);
  expect(bot.take('beatAck')).toHaveLength(1);
  cluster.isMember = false;
  bot.beat(0, [lease]);
  await fleet.pass(45_000); // more than a TTL
  expect(bot.take('beatAck')).toEqual([]);
  cluster.isMember = true;
  given(cluster.listener).backAgain();
  const [answer] = bot.take('beatAck');
  expect(given(answer?.leases[0]).remainingTtlMs).toBe(30_000);
  expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING', attempts: [{}] });
});

test('a master that was declared dead sends its bots away, and ends none of its leases', async () => {
  const { fleet, cluster, id, bot, lease } = await memberWithRun();
  given(cluster.listener).declaredDead();
  expect(bot.take('goAway')).toHaveLength(1);
  expect(bot.error).toBeInstanceOf(ShuttingDownError);
  expect(fleet.state.sessionParts.leases.size).toBe(0);
  await fleet.pass(60_000);
  expect(await fleet.job(id)).toMatchObject({ state: 'RUNNING' });
  // Its result is taken all the same.
  const result = { outcome: 1, message: '', statistics: undefined };
  const receipt = await fleet.state.jobs.complete(testContext(), { ...lease }, result);
  expect(receipt.jobId).toBe(id);
});
