import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import Database from 'better-sqlite3';
import { connect } from '../../../src/client/connect.js';
import { pause, stopwatch } from '../load/times.js';
import type { Row } from '../row.js';
import { Scene } from '../scene.js';
import { settled } from '../settled.js';

const MiB = 2 ** 20;
/** Above which the master's own log starts over (0006-checkpoints.md), with what comes meanwhile. */
const mostLogBytes = 64 * MiB;

export const endlessReader: Row = {
  number: 7,
  fault: 'a reader of the database, and of a backup, that never ends',
  promise:
    'Writes go on. The log starts over as soon as a reader of the file ends; a client that does not read its backup keeps no reader.',
  found: [],
  async run({ seed, isShort }) {
    const scene = await Scene.set(seed);
    await scene.start();
    const load = scene.load({ paceMs: 0, operators: 6 });
    const violations: string[] = [];
    const spanMs = isShort ? 1500 : 15_000;
    const logBytes = () => statSync(join(scene.data, 'pandafuzz.db-wal')).size;
    const writes = () => scene.history.acknowledged('create');

    const reader = new Database(join(scene.data, 'pandafuzz.db'), { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM counters').get();
    const before = writes();
    await scene.busy('create', 5);
    await pause(spanMs);
    const during = writes() - before;
    const heldBytes = logBytes();
    if (during === 0) violations.push('no write was acknowledged beside a reader');
    reader.exec('COMMIT');
    reader.close();

    const connection = connect(scene.address);
    const backup = connection.system.backupDatabase({}, new Metadata());
    backup.on('error', () => {});
    backup.pause();
    const patience = stopwatch();
    let leastBytes = heldBytes;
    while (patience() < spanMs * 4 && leastBytes > mostLogBytes / 8) {
      await pause(100);
      leastBytes = Math.min(leastBytes, logBytes());
    }
    await pause(spanMs);
    if (logBytes() > mostLogBytes)
      violations.push(`the log is ${logBytes()} bytes after the reader`);
    backup.cancel();
    connection.close();
    return settled(scene, load, {
      fired: during > 0 ? 2 : 0,
      violations,
      figures: {
        'log beside the reader': `${(heldBytes / MiB).toFixed(1)} MiB`,
        'log after it': `${(logBytes() / MiB).toFixed(1)} MiB`,
        'writes beside it': String(during),
      },
    });
  },
};
