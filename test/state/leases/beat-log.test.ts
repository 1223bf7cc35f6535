import { expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import { silentLog } from '../../../src/core/log.js';
import { BeatLog } from '../../../src/state/leases/beat-log.js';
import { Leases } from '../../../src/state/leases/leases.js';
import { getBot } from '../../../src/store/ops/bots/get-bot.js';
import { registerBot } from '../../../src/store/ops/bots/register-bot.js';
import { openStore, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import { VirtualClock } from '../../virtual-clock.js';

const offer = {
  engines: ['libfuzzer'],
  slots: 1,
  labels: {},
  version: '1',
  memoryMib: 0,
  diskMib: 0,
  engineDetails: '[]',
};

test('many beats of many bots are one write of each, a few bots at a time', async () => {
  const store = await openStore({ connect: inProcess });
  const ctx = testContext();
  const ids = Array.from({ length: 600 }, newId);
  for (const id of ids) await store.run(ctx, registerBot, { ...offer, id, name: id, now: 1 });
  const clock = new VirtualClock();
  const leases = new Leases({
    clock,
    times: { ttlMs: 1000, offerTimeoutMs: 1000 },
    onExpired: () => {},
  });
  let writes = 0;
  const beatLog = new BeatLog({
    store,
    leases,
    clock,
    log: silentLog,
    inBackground: (_, work) => {
      writes++;
      return work(ctx);
    },
    intervalMs: 60_000,
  });
  for (const at of [5, 6, 7]) for (const id of ids) beatLog.saw(id, at);
  const [first = '', second = ''] = ids;
  expect(beatLog.lastSeenAt(first)).toBe(7);
  const flushed = beatLog.flush();
  beatLog.saw(second, 8); // while it is under way
  await flushed;
  expect(writes).toBe(3);
  for (const id of ids) expect((await store.run(ctx, getBot, id))?.last_seen_at).toBe(7);
  expect([first, second].map((id) => beatLog.lastSeenAt(id))).toEqual([7, 8]);
  await beatLog.flush();
  expect(writes).toBe(4);
  expect((await store.run(ctx, getBot, second))?.last_seen_at).toBe(8);
  expect([first, second].map((id) => beatLog.lastSeenAt(id))).toEqual([undefined, 8]);
});
