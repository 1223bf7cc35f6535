import { pause } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const ttlMs = 3000;

export const stoppedMaster: Row = {
  number: 9,
  fault: 'SIGSTOP of the master past the TTL',
  promise: 'No mass expiry: bots keep their leases.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    // Deadlines longer than the stop: a bot waits, as a real one does.
    const load = scene.load({ bots: 6, timeoutMs: 20_000 });
    await scene.busy('done', 2);
    let fired = 0;
    for (let cycle = 0; cycle < (isShort ? 1 : 4); cycle++) {
      scene.master?.end('SIGSTOP');
      await pause(ttlMs + 2000);
      scene.master?.end('SIGCONT');
      fired++;
      await scene.busy('done', 2);
    }
    const outcome = await settled(scene, load, { fired });
    const lost = scene.ask<number>("SELECT count(*) FROM attempts WHERE outcome = 'lost'");
    const violations = lost > 0 ? [`${lost} leases were lost`] : [];
    return { ...outcome, violations: [...violations, ...outcome.violations] };
  },
};
