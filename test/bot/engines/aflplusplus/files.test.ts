import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { foldersIn, prepareFolders } from '../../../../src/bot/engines/aflplusplus/folders.js';
import { ForeignInputs } from '../../../../src/bot/engines/aflplusplus/foreign.js';
import { Instance } from '../../../../src/bot/engines/aflplusplus/instance.js';
import type { WrittenArtifact } from '../../../../src/bot/engines/engine.js';
import { sha1Of } from '../../../../src/bot/engines/plain-names.js';
import { JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../../harness.js';

/** Folders of a run, as the bot makes them. */
function run() {
  const root = temporaryFolder();
  const folder = (name: string) => {
    mkdirSync(join(root, name));
    return join(root, name);
  };
  const of = {
    corpus: folder('corpus'),
    seeds: folder('seeds'),
    artifacts: folder('artifacts'),
    state: folder('engine'),
  };
  const rest = {
    target: '',
    sanitizerLogs: '',
    seconds: 1,
    runs: undefined,
    dictionary: undefined,
  };
  return { ...of, ...rest, spec: JobSpec.create() };
}

/** Older than a file that may be half written. */
function write(path: string, content: string): void {
  writeFileSync(path, content);
  const before = Date.now() / 1000 - 60;
  utimesSync(path, before, before);
}

function instanceOf(start: ReturnType<typeof run>) {
  const { output, before } = foldersIn(start.state);
  const folder = join(output, 'main');
  for (const name of ['queue', 'crashes', 'hangs']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const artifacts: WrittenArtifact[] = [];
  const statsBefore = join(before, 'main');
  const onArtifact = (artifact: WrittenArtifact) => void artifacts.push(artifact);
  const parts = { name: 'main', folder, statsBefore, to: start, onArtifact };
  return { instance: new Instance(parts), folder, artifacts };
}

describe("AFL++'s files", () => {
  test('finds go to the corpus once, under names without colons; seeds and imports do not', async () => {
    const start = run();
    const { instance, folder } = instanceOf(start);
    write(join(folder, 'queue', 'id:000000,time:0,execs:0,orig:a'), 'seed');
    write(join(folder, 'queue', 'id:000001,src:000000,time:7,execs:120,op:havoc,rep:2'), 'find');
    write(join(folder, 'queue', 'id:000002,sync:foreign_0,src:000000,+cov'), 'import');
    expect(await instance.look(false)).toMatchObject({ inputs: [sha1Of(Buffer.from('find'))] });
    expect(readdirSync(start.corpus)).toEqual([sha1Of(Buffer.from('find'))]);
    expect(instance.stats.executions).toBe(120);
    expect((await instance.look(false)).inputs).toEqual([]);
    write(join(folder, 'queue', 'id:000003,src:000000,time:9,execs:150,op:havoc,rep:2'), 'more');
    expect((await instance.look(false)).inputs).toHaveLength(1);
  });

  test('a file that may be half written is taken later, and at the end at once', async () => {
    const start = run();
    const { instance, folder } = instanceOf(start);
    writeFileSync(join(folder, 'queue', 'id:000000,src:000000,time:7,execs:1,op:havoc'), 'find');
    expect((await instance.look(false)).inputs).toEqual([]);
    expect((await instance.look(true)).inputs).toHaveLength(1);
  });

  test('crashes and hangs become artifacts, hangs only as suspects', async () => {
    const start = run();
    const { instance, folder, artifacts } = instanceOf(start);
    write(
      join(folder, 'crashes', 'id:000000,sig:06,src:000002,time:58,execs:253,op:havoc'),
      'boom',
    );
    write(join(folder, 'crashes', 'README.txt'), 'Command line used');
    write(join(folder, 'hangs', 'id:000000,src:000002,time:6206,execs:1000,op:havoc'), 'spin');
    await instance.look(false);
    expect(artifacts.map(({ name, isSuspect }) => [name.split('-')[0], isSuspect])).toEqual([
      ['crash', false],
      ['timeout', true],
    ]);
    expect(artifacts[0]?.output[0]?.bytes.toString()).toMatch(/main\/crashes\/id:000000,sig:06,/);
    expect(readdirSync(start.artifacts).sort()).toEqual(artifacts.map(({ name }) => name).sort());
    await instance.look(true);
    expect(artifacts).toHaveLength(2);
  });

  test('figures of a start that goes on are those since it began', async () => {
    const start = run();
    const { instance, folder } = instanceOf(start);
    writeFileSync(join(folder, 'fuzzer_stats'), 'execs_done        : 4000\n');
    await prepareFolders(start);
    writeFileSync(join(folder, 'fuzzer_stats'), 'execs_done        : 4100\n');
    await instance.look(false);
    expect(instance.stats.executions).toBe(100);
  });

  test('initial inputs are all that are not empty, or one where there is none', async () => {
    const start = run();
    await prepareFolders(start);
    const { inputs } = foldersIn(start.state);
    expect(readdirSync(inputs)).toEqual(['first']);
    mkdirSync(join(start.seeds, 'deep'));
    writeFileSync(join(start.seeds, 'deep', 'a:b,c'), 'one');
    writeFileSync(join(start.seeds, 'empty'), '');
    writeFileSync(join(start.corpus, 'a'.repeat(40)), 'two');
    await prepareFolders(start);
    expect(readdirSync(inputs).sort()).toEqual(['a'.repeat(40), 'seed-0']);
  });

  test('inputs that arrive are handed over once, each with a time of its own', async () => {
    const start = run();
    await prepareFolders(start);
    const { inputs, foreign } = foldersIn(start.state);
    const given = new ForeignInputs(start.corpus, inputs, foreign);
    for (const name of ['own', 'one', 'two']) write(join(start.corpus, name), name);
    await given.look(new Set(['own']));
    expect(readdirSync(foreign).sort()).toEqual(['one', 'two']);
    write(join(start.corpus, 'three'), 'three');
    await given.look(new Set(['own']));
    const seconds = ['one', 'two', 'three'].map((name) => statSync(join(foreign, name)).mtimeMs);
    expect(new Set(seconds).size).toBe(3);
    expect(Math.max(...seconds)).toBe(seconds[2]);
  });
});
