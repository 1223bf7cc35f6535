import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { makeRunFolder } from '../../../src/bot/folders/run-folder.js';
import { boundsOf } from '../../../src/bot/runs/bounds.js';
import { CorpusPart } from '../../../src/bot/runs/corpus-part.js';
import { systemClock } from '../../../src/core/clock.js';
import { silentLog } from '../../../src/core/log.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../harness.js';
import { buildProgram } from '../programs/build.js';
import { containmentBy } from '../sandbox/contained.js';

const lease = { jobId: '01a209fc-0000-7000-8000-000000000001', attempt: 1, fence: 7 };

async function partOf(corpus: readonly string[]) {
  const spec = JobSpec.fromPartial({ targetName: 'target', engine: 'libfuzzer' });
  const workDir = temporaryFolder();
  const folder = await makeRunFolder(join(workDir, 'runs'), lease, spec);
  const containment = await containmentBy('bubblewrap', workDir);
  const run = { name: 'parts', folder: folder.path, bounds: boundsOf(spec) };
  const { tools } = await containment.forRun(run);
  await copyFile(await buildProgram('shallow.c', ['-fsanitize=fuzzer']), folder.target);
  for (const input of corpus) await writeFile(join(folder.corpus, nameOf(input)), input);
  await mkdir(folder.seeds, { recursive: true });
  const parts = {
    ...{ spec, folder, tools, log: silentLog, clock: systemClock },
    engine: libFuzzer({ symbolizer: undefined }),
    signal: new AbortController().signal,
  };
  return { folder, part: new CorpusPart(parts) };
}

const nameOf = (input: string) => createHash('sha1').update(input).digest('hex');

test('a start gets about the square root of the corpus, and an empty folder for what it finds', async () => {
  const { part } = await partOf(Array.from({ length: 98 }, (_, i) => `input ${i}`));
  const { corpus, seeds } = await part.next();
  const chosen = await readdir(seeds);
  expect(chosen.length).toBeGreaterThan(3);
  expect(chosen.length).toBeLessThanOrEqual(10);
  expect(await readdir(corpus)).toEqual([]);
});

test('what starts have found is merged: the corpus gets what it lacks, and no more', async () => {
  const { folder, part } = await partOf(['bb']);
  const { corpus } = await part.next();
  // "q" covers a branch that "bb" does not, 70 others nothing new.
  const found = ['q', ...Array.from({ length: 70 }, (_, i) => `b${i}`)];
  for (const input of found) await writeFile(join(corpus, nameOf(input)), input);
  await writeFile(join(corpus, nameOf('cut off')), 'cut');
  await part.ended();
  const merged = await readdir(folder.corpus);
  expect(merged).toContain(nameOf('q'));
  expect(merged.length).toBeLessThan(10);
  await part.close();
  expect(await readdir(folder.corpus)).toEqual(merged);
});

test('at the end all that is not merged joins the corpus', async () => {
  const { folder, part } = await partOf(['bb']);
  const { corpus } = await part.next();
  await writeFile(join(corpus, nameOf('late')), 'late');
  await part.ended();
  await part.close();
  expect((await readdir(folder.corpus)).sort()).toEqual([nameOf('bb'), nameOf('late')].sort());
});
