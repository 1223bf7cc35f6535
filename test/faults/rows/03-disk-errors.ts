import { connect } from '../../../src/client/connect.js';
import { messageOf } from '../../../src/core/errors.js';
import { Chance } from '../load/chance.js';
import { script } from '../load/script.js';
import { pause, stopwatch } from '../load/times.js';
import { hasStrace, inject, noStrace } from '../means/injection.js';
import { oneFileThread, writesOf } from '../means/writes.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const longestMs = 120_000;
/** In which the master has to work again after an error, milliseconds. */
const healMs = 15_000;

export const diskErrors: Row = {
  number: 3,
  fault: 'EIO and ENOSPC at every write, sync and rename of database and blobs (strace)',
  promise: 'An error, and never a false acknowledgement; the next try works.',
  found: [
    'A blob whose folder could not be synced was acknowledged by the next upload, without a sync.',
  ],
  async run({ seed, isShort }) {
    if (!hasStrace()) return { operations: 0, fired: 0, violations: [], skipped: noStrace };
    const scene = await Scene.set(seed, oneFileThread);
    const took = stopwatch();
    const violations: string[] = [];
    let fired = 0;
    let runs = 0;
    await scene.start();
    const tell = async () => {
      const connection = connect(scene.address);
      const { history } = scene;
      const name = `script-${++runs}`;
      const setting = { connection, history, name, timeoutMs: 5000 };
      await script({ ...setting, chance: new Chance(seed, name) }).finally(() =>
        connection.close(),
      );
    };
    const heals = async (what: string) => {
      const patience = stopwatch();
      for (;;) {
        try {
          return await tell();
        } catch (error) {
          if (patience() < healMs) await pause(100);
          else return violations.push(`${what} does not heal: ${messageOf(error)}`);
        }
      }
    };
    for (const effect of ['error=EIO', 'error=ENOSPC']) {
      for (const series of writesOf(scene.data)) {
        const first = isShort ? new Chance(seed, series.calls).below(3) + 1 : 1;
        for (let when = first; took() < longestMs && scene.isUp; when++) {
          const { end, hasFired } = await inject(scene.master?.pid ?? 0, {
            ...series,
            effect,
            when,
          });
          await tell().catch(() => {});
          await end();
          if (!hasFired()) break;
          fired++;
          await heals(`${effect} at call ${when} of ${series.calls}`);
          if (isShort) break;
        }
        if (isShort && fired > 1) break;
      }
    }
    return settled(scene, undefined, { fired, violations });
  },
};
