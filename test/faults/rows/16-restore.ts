import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.js';
import { Process } from '../../processes.js';
import { pause } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

export const restore: Row = {
  number: 16,
  fault: 'a backup under writes, put back under bots that go on',
  promise: 'The copy has all that was acknowledged before it; no fence is given out twice.',
  found: ['After a restore two bots held one (job, attempt, fence), and the wrong result counted.'],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const load = scene.load({ bots: 6 });
    await scene.busy('done', 4);
    await pause(isShort ? 0 : 8000);

    const copy = join(scene.folder, 'backup');
    const from = systemClock.now();
    scene.mark('backup');
    await pandafuzz('backup', copy, '--master', scene.address);
    await scene.busy('done', 3);
    await pause(isShort ? 0 : 8000);

    // Bots hold leases of a future that is gone.
    await scene.kill();
    await pandafuzz('restore', copy, '--to', scene.data, '--force');
    await pause(10);
    const to = scene.mark('restored');
    await scene.start();
    await scene.busy('done', 3);
    await pause(isShort ? 0 : 8000);
    const outcome = await settled(scene, load, { fired: 0, gap: { from, to } });
    const epochs = scene.ask<number>('SELECT count(*) FROM epochs WHERE number > 0');
    const after = scene.ask<number>(
      'SELECT count(*) FROM attempts WHERE fence > (SELECT fence_base FROM epochs)',
    );
    return {
      ...outcome,
      fired: epochs > 0 ? after : 0,
      figures: { ...outcome.figures, 'leases after it': String(after) },
    };
  },
};

/** Runs a command as an operator would, to its end. */
async function pandafuzz(...args: string[]): Promise<void> {
  const command = new Process(args);
  const { code } = await command.exited;
  if (code !== 0) throw new Error(`pandafuzz ${args[0]} ended with ${code}: ${command.said}`);
}
