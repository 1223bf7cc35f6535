import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type CorpusInput, corpusInput, pullCorpus, pushCorpus } from '../../src/client/corpus.js';
import { pause } from '../pause.js';
import { Process, place, reach } from '../processes.js';
import { createJob, pulledLease } from '../steps.js';

const targetName = 'killed';
const newInput = () => corpusInput(randomBytes(1 + (randomBytes(1)[0] as number)));

test('a master that is killed in the middle of pushes has every input it acknowledged, again and again', async () => {
  const { address, environment, directory } = await place();
  const acknowledged: CorpusInput[] = [];
  let master = new Process(['master'], environment);
  let connection = await reach(address);
  await createJob(connection, { targetName });
  const lease = await pulledLease(connection);
  for (let cycle = 1; cycle <= 3; cycle++) {
    const pushing = Array.from({ length: 4 }, async (_, index) => {
      for (;;) {
        const inputs = Array.from({ length: 20 * (index + 1) }, newInput);
        await pushCorpus(connection, lease, inputs);
        acknowledged.push(...inputs);
      }
    });
    const stopped = Promise.allSettled(pushing);
    while (acknowledged.length < 300 * cycle) await pause();
    master.end('SIGKILL');
    await stopped;
    await master.exited;

    master = new Process(['master'], environment);
    connection = await reach(address);
    const kept = new Set<string>();
    for await (const { sha256 } of pullCorpus(connection, { targetName })) kept.add(sha256);
    expect(acknowledged.filter(({ sha256 }) => !kept.has(sha256))).toEqual([]);
    expect(master.said).not.toContain('blob lost');
  }
  expect(readdirSync(join(directory, 'data/blobs/packs'))).toEqual(['0000000001.pack']);
});
