import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../../src/client/connect.js';
import { downloadBackup } from '../../../src/client/transfer.js';
import { systemClock } from '../../../src/core/clock.js';
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

    const copy = join(scene.folder, 'copy.db');
    const connection = connect(scene.address);
    const from = systemClock.now();
    scene.mark('backup');
    await downloadBackup(connection, copy);
    connection.close();
    cpSync(join(scene.data, 'blobs'), join(scene.folder, 'blobs'), { recursive: true });
    await scene.busy('done', 3);
    await pause(isShort ? 0 : 8000);

    // Bots hold leases of a future that is gone.
    await scene.kill();
    for (const name of ['pandafuzz.db', 'pandafuzz.db-wal', 'pandafuzz.db-shm']) {
      rmSync(join(scene.data, name), { force: true });
    }
    rmSync(join(scene.data, 'blobs'), { recursive: true });
    cpSync(join(scene.folder, 'blobs'), join(scene.data, 'blobs'), { recursive: true });
    cpSync(copy, join(scene.data, 'pandafuzz.db'));
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
