import { Chance } from '../load/chance.js';
import { pause, quantile, stopwatch } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const longestMs = 240_000;

export const killMaster: Row = {
  number: 1,
  fault: 'kill -9 of the master at random times',
  promise: 'Nothing acknowledged is lost or doubled; the master answers again by itself.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    const chance = new Chance(seed, 'kills');
    const cycles = isShort ? 3 : 200;
    const took = stopwatch();
    const recoveries: number[] = [];
    await scene.start();
    const load = scene.load();
    let kills = 0;
    while (kills < cycles && took() < longestMs) {
      await scene.busy('create', 2);
      await pause(chance.below(600));
      await scene.kill();
      kills++;
      recoveries.push(await scene.start());
    }
    return settled(scene, load, {
      fired: kills,
      figures: {
        'recovery p50': `${quantile(recoveries, 0.5).toFixed(0)} ms`,
        'recovery max': `${Math.max(...recoveries).toFixed(0)} ms`,
      },
    });
  },
};
