import { chownSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { handOver, writableFolders } from '../../../src/bot/sandbox/hand-over.js';
import { temporaryFolder } from '../../harness.js';

const user = 70_123;
const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('a folder that the bot makes between two starts is handed over with the next', async () => {
  const folder = temporaryFolder();
  const [out, own] = [join(folder, 'engine/out'), join(folder, 'engine/own')];
  mkdirSync(out, { recursive: true });
  await handOver(folder, await writableFolders(folder), user);
  expect(statSync(out)).toMatchObject({ uid: 0, gid: user, mode: 0o42770 });
  mkdirSync(join(out, 'again'));
  mkdirSync(own);
  chownSync(own, user, user);
  const { mode } = statSync(own);
  await handOver(folder, await writableFolders(folder), user);
  expect(statSync(join(out, 'again'))).toMatchObject({ uid: 0, gid: user, mode: 0o42770 });
  expect(statSync(own)).toMatchObject({ uid: user, mode });
});

asRoot('folders may go while they are handed over', async () => {
  const folder = temporaryFolder();
  const paths = Array.from({ length: 200 }, (_, i) => join(folder, 'replay', `${i}`, 'logs'));
  for (let turn = 0; turn < 5; turn++) {
    for (const path of paths) mkdirSync(path, { recursive: true });
    const handedOver = handOver(folder, await writableFolders(folder), user);
    for (const path of paths.toReversed()) {
      await new Promise(setImmediate);
      rmSync(dirname(path), { recursive: true });
    }
    await handedOver;
  }
  await handOver(folder, [join(folder, 'gone')], user);
});
