import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { command } from '../../../../src/bot/engines/command/command.js';
import { foldersIn, prepareFolders } from '../../../../src/bot/engines/command/folders.js';
import { CommandObserver } from '../../../../src/bot/engines/command/observer.js';
import type { WrittenArtifact } from '../../../../src/bot/engines/engine.js';
import { sha1Of } from '../../../../src/bot/engines/plain-names.js';
import { JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../../harness.js';
import { given } from '../../../steps.js';

/** Folders of a run, prepared for a start. */
async function prepared() {
  const root = temporaryFolder();
  const [corpus, seeds, artifacts, state] = ['corpus', 'seeds', 'artifacts', 'engine'].map(
    (name) => {
      mkdirSync(join(root, name));
      return join(root, name);
    },
  ) as [string, string, string, string];
  writeFileSync(join(corpus, 'b'.repeat(64)), 'of others');
  mkdirSync(join(seeds, 'deep'));
  writeFileSync(join(seeds, 'deep', 'a seed'), 'seed');
  const limits = { inputTimeoutSeconds: 3, maxInputBytes: 9 };
  const start = {
    ...{ corpus, seeds, artifacts, state, target: '/run/target', sanitizerLogs: '/l', seconds: 7 },
    ...{ runs: undefined, dictionary: undefined },
    spec: JobSpec.fromPartial({ arguments: ['--own'], environment: { MODE: 'x' }, limits }),
  };
  await prepareFolders(start);
  const written: WrittenArtifact[] = [];
  const observer = new CommandObserver(start, (artifact) => void written.push(artifact));
  const print = (...lines: string[]) => observer.push(Buffer.from(`${lines.join('\n')}\n`));
  return { start, folders: foldersIn(state), observer, written, print };
}

const textOf = ({ output }: WrittenArtifact) => output.map(({ bytes }) => bytes).join('');
const engine = command({ symbolizer: undefined });

describe('an engine of the command convention', () => {
  test('gets its action, folders and limits, and the variables of the job', async () => {
    const { start, folders } = await prepared();
    const [fuzz] = await engine.start(start);
    expect(fuzz).toMatchObject({
      file: '/run/target',
      args: ['fuzz', '--own'],
      environment: {
        MODE: 'x',
        PANDAFUZZ_CORPUS: folders.corpus,
        PANDAFUZZ_CRASHES: folders.crashes,
        PANDAFUZZ_STATE: folders.state,
        PANDAFUZZ_SECONDS: '7',
        PANDAFUZZ_INPUT_SECONDS: '3',
        PANDAFUZZ_MAX_INPUT_BYTES: '9',
        ASAN_OPTIONS: expect.stringMatching(/exitcode=134/),
      },
    });
    expect(fuzz?.environment).not.toHaveProperty('PANDAFUZZ_DICTIONARY');
    const of = { target: '/run/target', spec: start.spec, input: '/run/input' };
    const replay = await engine.replay({ ...of, sanitizerLogs: '/l' });
    expect(replay.args).toEqual(['replay', '--own']);
    expect(replay.environment['PANDAFUZZ_INPUT']).toBe('/run/input');
    const minimise = await engine.minimise?.({ ...of, output: '/run/smaller', seconds: 5 });
    expect(minimise?.environment['PANDAFUZZ_OUTPUT']).toBe('/run/smaller');
  });

  test('has figures that only grow, and fuzzes once it executed something', async () => {
    const { observer, print } = await prepared();
    print('starting up', 'pandafuzz: executions=0');
    expect(observer.progress).toMatchObject({ isSilent: false, isFuzzing: false });
    print('pandafuzz: executions=1200 loaded=20 coverage=7 memory_bytes=4096');
    print('pandafuzz: executions=900 coverage=8 features=3', 'not pandafuzz: executions=9999');
    const expected = { executions: 1200, loaded: 20, coverage: 8, features: 3, isFuzzing: true };
    expect(observer.progress).toMatchObject(expected);
    expect(observer.lastWords).toBe('starting up\nnot pandafuzz: executions=9999');
  });

  test('has its finds in the corpus under their digests, and no others', async () => {
    const { start, folders, observer } = await prepared();
    expect(readdirSync(folders.corpus).sort()).toEqual(['b'.repeat(64), 'seed-0']);
    writeFileSync(join(folders.corpus, 'my find'), 'find');
    writeFileSync(join(folders.corpus, '.part'), 'half');
    await observer.collect(false); // it may be half written
    expect(readdirSync(start.corpus)).toHaveLength(1);
    await observer.collect(true);
    const found = sha1Of(Buffer.from('find'));
    expect(readdirSync(start.corpus).sort()).toEqual([found, 'b'.repeat(64)].sort());
    expect(observer.progress.newInputs).toBe(1);
  });

  test('gets inputs that arrive, and not again those that were taken out', async () => {
    const { start, folders, observer } = await prepared();
    writeFileSync(join(start.corpus, 'c'.repeat(64)), 'arrived');
    await observer.collect(false);
    expect(readdirSync(folders.corpus)).toContain('c'.repeat(64));
    rmSync(join(start.corpus, 'b'.repeat(64)));
    await prepareFolders(start);
    expect(readdirSync(folders.corpus).sort()).toEqual(['c'.repeat(64), 'seed-0']);
  });

  test('has each crash with the lines before it, or the report beside it', async () => {
    const { start, folders, observer, written, print } = await prepared();
    const keep = (name: string, content: string) =>
      writeFileSync(join(folders.crashes, name), content);
    keep('one', 'first');
    keep('timeout-2', 'second');
    print('report of one', 'pandafuzz: crash one', 'report of two', 'pandafuzz: crash timeout-2');
    await observer.collect(false);
    expect(written.map(({ name }) => name)).toEqual([
      `crash-${sha1Of(Buffer.from('first'))}`,
      `timeout-${sha1Of(Buffer.from('second'))}`,
    ]);
    expect(textOf(given(written[0]))).toMatch(/report of one/);
    expect(textOf(given(written[0]))).not.toMatch(/report of two/);
    expect(textOf(given(written[1]))).toMatch(/report of two/);
    keep('three.report', 'ERROR: of three');
    keep('three', 'third');
    await observer.collect(false);
    expect(written).toHaveLength(2);
    const before = Date.now() / 1000 - 60;
    utimesSync(join(folders.crashes, 'three'), before, before);
    await observer.collect(false);
    expect(textOf(given(written[2]))).toMatch(/ERROR: of three/);
    const last = join(start.artifacts, given(written[2]).name);
    expect(readFileSync(last, 'utf8')).toBe('third');
  });

  test('refuses a job in its own words', async () => {
    const { observer, print } = await prepared();
    print('pandafuzz: refused there is no option --own');
    expect(observer.complaint).toBe('there is no option --own');
  });

  test('takes signals and exit codes for crashes, but those of what was not executed', () => {
    const has = (code: number | null, signal: NodeJS.Signals | null = null) =>
      engine.hasCrashed({ exit: { code, signal }, report: '' });
    expect([has(0), has(64), has(126), has(127)]).toEqual([false, false, false, false]);
    expect([has(1), has(134), has(null, 'SIGSEGV')]).toEqual([true, true, true]);
    expect(engine.hasBegun('', { code: 64, signal: null })).toBe(false);
  });
});
