import { connect } from '../../../src/client/connect.js';
import { Chance } from '../load/chance.js';
import { script } from '../load/script.js';
import { stopwatch } from '../load/times.js';
import { hasStrace, inject, noStrace } from '../means/injection.js';
import { oneFileThread, writesOf } from '../means/writes.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const longestMs = 150_000;

/** The nth call of each series, until the script has fewer. */
export const killAtWrites: Row = {
  number: 2,
  fault: 'kill at every write and sync of a fixed script (strace)',
  promise: 'Each write is whole or not at all, and there if it was acknowledged.',
  found: [],
  async run({ seed, isShort }) {
    if (!hasStrace()) return { operations: 0, fired: 0, violations: [], skipped: noStrace };
    const scene = await Scene.set(seed, oneFileThread);
    const took = stopwatch();
    const violations: string[] = [];
    let fired = 0;
    let runs = 0;
    await scene.start();
    const dies = async (fault: Parameters<typeof inject>[1]) => {
      const master = scene.master;
      const { end, hasFired, fired } = await inject(master?.pid ?? 0, fault);
      const connection = connect(scene.address);
      const chance = new Chance(seed, `script-${++runs}`);
      const { history } = scene;
      const isDead = Promise.race([master?.exited, fired()]).then(() => true);
      const work = script({ connection, history, chance, name: `script-${runs}`, timeoutMs: 5000 });
      const isWhole = await Promise.race([
        work.then(
          () => false,
          () => false,
        ),
        isDead,
      ]);
      // Until strace lets go, nobody sees the end of the process.
      await end();
      await work.catch(() => {});
      connection.close();
      return isWhole === true || hasFired();
    };
    for (const series of writesOf(scene.data)) {
      const first = isShort ? new Chance(seed, series.calls).below(4) + 1 : 1;
      for (let when = first; took() < longestMs; when++) {
        if (!(await dies({ ...series, effect: 'signal=KILL', when }))) break;
        fired++;
        await scene.master?.exited;
        violations.push(...scene.judge().map(({ rule, what }) => `${rule}: ${what}`));
        await scene.start();
        if (isShort) break;
      }
      if (isShort) break;
    }
    return settled(scene, undefined, { fired, violations });
  },
};
