import { lockFromOutside } from '../../guarantees/second-process.js';
import { Chance } from '../load/chance.js';
import { pause } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const timeoutMs = 2000;
/** Of the answer behind the deadline; the load's own event loop is in it. */
const marginMs = 1000;

export const writeLock: Row = {
  number: 6,
  fault: 'another process holds the write lock, 10 ms to 30 s',
  promise: 'Every call ends by its deadline; what was refused is not written.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const load = scene.load({ timeoutMs });
    const chance = new Chance(seed, 'locks');
    const holdsMs = isShort ? [10, 300, 1500] : [10, 100, 300, 1000, 3000, 10_000, 30_000, 30];
    let fired = 0;
    await scene.busy('done', 2);
    for (const holdMs of holdsMs) {
      const { release } = await lockFromOutside(scene.data);
      fired++;
      await pause(holdMs);
      await release();
      await scene.busy('create', 2);
      await pause(chance.below(300));
    }
    const late = scene
      .read()
      .filter(({ kind }) => kind === 'create' || kind === 'cancel' || kind === 'read')
      .filter(({ askedAt, answeredAt }) => answeredAt - askedAt > timeoutMs + marginMs);
    const violations = late
      .filter(({ answeredAt }) => answeredAt !== Number.POSITIVE_INFINITY)
      .map(({ kind, askedAt, answeredAt }) => `${kind} took ${answeredAt - askedAt} ms`);
    return settled(scene, load, { fired, limits: violations });
  },
};
