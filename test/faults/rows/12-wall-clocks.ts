import { pause } from '../load/times.js';
import { hasFaketime, noFaketime, settableClock } from '../means/wall-clock.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const hourMs = 3_600_000;

export const wallClocks: Row = {
  number: 12,
  fault: 'the wall clock two hours off, both ways, and a restart in the past',
  promise: 'Leases are unaffected, and the order is kept.',
  found: [],
  async run({ seed, isShort }) {
    if (!hasFaketime()) return { operations: 0, fired: 0, violations: [], skipped: noFaketime };
    const scene = await Scene.set(seed);
    const clock = settableClock(scene.folder);
    Object.assign(scene.environment, clock.environment);
    await scene.start();
    const load = scene.load();
    const spanMs = isShort ? 500 : 4000;
    await scene.busy('done', 2);
    for (const hours of [2, -2, 0]) {
      clock.set(hours);
      scene.mark(`${hours} h`);
      await scene.busy('done', 2);
      await pause(spanMs);
    }
    await scene.stop();
    clock.set(-2);
    await scene.start();
    await scene.busy('done', 2);
    const outcome = await settled(scene, load, { fired: 0 });
    const lost = scene.ask<number>("SELECT count(*) FROM attempts WHERE outcome = 'lost'");
    // After the restart the master believes that it is two hours ago.
    const back = scene.ask<number>(
      'SELECT count(*) FROM events a JOIN events b ON b.sequence = a.sequence + 1 WHERE b.time < a.time - ?',
      hourMs,
    );
    const violations = lost > 0 ? [`${lost} leases were lost`] : [];
    return { ...outcome, fired: back, violations: [...violations, ...outcome.violations] };
  },
};
