import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { submitJobs } from '../../src/operator/submit.js';
import { buildDemoTarget, Process, place, reach } from '../processes.js';
import { eventually, given } from '../steps.js';

/** Inputs in the corpus folders of a bot's runs: libFuzzer's own by SHA-1, those it was brought by SHA-256. */
function inputsOf(work: string): { own: number; brought: number } {
  const names = globSync('runs/*/corpus/*', { cwd: work }).map((path) => basename(path));
  const count = (digits: number) => names.filter(({ length }) => length === digits).length;
  return { own: count(40), brought: count(64) };
}

test('two bots that fuzz the same target bring each other what they find, while they fuzz', async () => {
  const { address, directory, environment } = await place();
  const targetPath = await buildDemoTarget(directory);
  new Process(['master'], environment);
  const connection = await reach(address);
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  const at = (work: string, name: string) => [
    'bot',
    '--master',
    address,
    '--name',
    name,
    '--work-dir',
    work,
    '--slots',
    '1',
    '--corpus-interval',
    '1s',
  ];
  const submission = { targetPath, spec: { engine: 'libfuzzer' }, count: 1 };

  new Process(at(first, 'first'), environment);
  const [job] = await submitJobs(connection, submission);
  const { targetName } = given(given(job).spec);
  const { corpora } = connection;
  const size = () => unary(corpora, corpora.getCorpusStats, { targetName, project: '' });
  await eventually(async () => (await size()).entries > 0 || undefined);

  new Process(at(second, 'second'), environment);
  await submitJobs(connection, submission);
  await eventually(async () => {
    const { own, brought } = inputsOf(second);
    return (own > 0 && brought > 0) || undefined;
  });
  await eventually(async () => inputsOf(first).brought > 0 || undefined);
  expect((await size()).entries).toBeGreaterThan(inputsOf(first).brought);
});
