import { join } from 'node:path';
import { Chance } from '../load/chance.js';
import { pause, stopwatch } from '../load/times.js';
import { hasStrace, noStrace } from '../means/injection.js';
import { cutPower, traceWrites, unsynced } from '../means/power-cut.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const longestMs = 60_000;

export const powerCut: Row = {
  number: 5,
  fault: 'what was written since the last sync is lost, garbled or cut (power cut)',
  promise: 'With `database.synchronous: full` nothing acknowledged is lost.',
  found: [],
  async run({ seed, isShort }) {
    if (!hasStrace()) return { operations: 0, fired: 0, violations: [], skipped: noStrace };
    const scene = await Scene.set(seed);
    const chance = new Chance(seed, 'power');
    const violations: string[] = [];
    const took = stopwatch();
    let spoilt = 0;
    let cuts = 0;
    const start = () => scene.start(traceWrites(join(scene.folder, `trace-${cuts}`)));
    await start();
    const load = scene.load({ paceMs: 5 });
    while (cuts === 0 || (!isShort && cuts < 40 && took() < longestMs)) {
      await scene.busy('create', 3);
      await pause(chance.below(1000));
      await scene.kill();
      const written = unsynced(join(scene.folder, `trace-${cuts}`));
      spoilt += cutPower(scene.data, written, chance);
      cuts++;
      await start();
    }
    return settled(scene, load, {
      fired: spoilt,
      violations,
      figures: { cuts: String(cuts), 'spoilt sectors': String(spoilt) },
    });
  },
};
