import { join } from 'node:path';
import { done, of } from '../history/operation.js';
import { pause } from '../load/times.js';
import { fill, noSmallDisk, smallDisk } from '../means/small-disk.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const MiB = 2 ** 20;

export const fullDisk: Row = {
  number: 4,
  fault: 'a full small disk, and a kill on it',
  promise:
    'Uploads and new jobs are refused; heartbeats and results go on; the master starts again, and all heals when there is room.',
  found: ['Results had no room, and a master that was killed on a full disk did not start.'],
  async run({ seed, isShort }) {
    const disk = smallDisk(64);
    if (disk === undefined)
      return { operations: 0, fired: 0, violations: [], skipped: noSmallDisk };
    const scene = await Scene.set(seed, {
      PANDAFUZZ_DATA_DIRECTORY: join(disk, 'data'),
      PANDAFUZZ_LIMITS_MIN_DISK_FREE: '16MiB',
      PANDAFUZZ_DATABASE_PROBE_INTERVAL: '100ms',
    });
    await scene.start();
    const load = scene.load({ paceMs: 50 });
    const violations: string[] = [];
    const spanMs = isShort ? 1500 : 8000;
    await scene.busy('done', 2);
    await pause(spanMs);
    const lowAt = scene.mark('little room');
    const empty = fill(disk, 8 * MiB);
    await pause(spanMs);
    await scene.busy('beat', 4);
    const fullAt = scene.mark('full');
    const emptyMore = fill(disk, 0);
    await pause(spanMs / 2);
    await scene.busy('beat', 4);
    await scene.kill();
    await scene.start();
    await pause(spanMs);
    const healedAt = scene.mark('room again');
    emptyMore();
    empty();
    await scene.busy('create', 2);

    const seen = scene.read();
    const refusals = of(seen, 'create').filter(({ why }) => why.includes('DISK_FULL'));
    const goesOn = (kind: 'beat' | 'done', from: number, to: number) =>
      done(seen, kind).some(({ askedAt, answeredAt }) => askedAt > from && answeredAt < to);
    if (!goesOn('beat', lowAt, fullAt))
      violations.push('no heartbeat was answered with little room');
    if (!goesOn('beat', fullAt, healedAt))
      violations.push('no heartbeat was answered on a full disk');
    const healed = done(seen, 'create').some(({ askedAt }) => askedAt > healedAt);
    if (!healed) violations.push('no job could be created when there was room again');
    return settled(scene, load, { fired: refusals.length, violations });
  },
};
