import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { WrittenArtifact } from '../../../../src/bot/engines/engine.js';
import { blockOf, readFigures } from '../../../../src/bot/engines/honggfuzz/figures.js';
import { foldersIn, prepareFolders } from '../../../../src/bot/engines/honggfuzz/folders.js';
import { honggfuzz } from '../../../../src/bot/engines/honggfuzz/honggfuzz.js';
import { HonggfuzzObserver } from '../../../../src/bot/engines/honggfuzz/observer.js';
import { sha1Of } from '../../../../src/bot/engines/plain-names.js';
import { JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../../harness.js';
import { given } from '../../../steps.js';

/** As honggfuzz 2.6 wrote it, with the middle of its arguments left out. */
const report = (
  name: string,
) => `=====================================================================
TIME: 2026-11-27.23:31:20
=====================================================================
FUZZER ARGS:
 fuzzTarget      : ./t 
CRASH:
DESCRIPTION: 
ORIG_FNAME: bad
FUZZ_FNAME: crash/${name}
PID: 9229
SIGNAL: SIGSEGV (11)
PC: 0x5555555834c7
FAULT ADDRESS: 0x10
STACK HASH: 000000008d21209c
STACK:
 <0x0000555555593ba9> [func:UNKNOWN file: line:0 module:/tmp/t]
=====================================================================
`;

async function prepared() {
  const root = temporaryFolder();
  const [corpus, seeds, artifacts, state, bin] = [
    'corpus',
    'seeds',
    'artifacts',
    'engine',
    'bin',
  ].map((name) => {
    mkdirSync(join(root, name));
    return join(root, name);
  }) as [string, string, string, string, string];
  const target = join(bin, 'target');
  writeFileSync(target, '\x7fELF _LIBHFUZZ_PERSISTENT_BINARY_SIGNATURE_');
  writeFileSync(join(seeds, 'a'), 'seed');
  writeFileSync(join(corpus, 'b'.repeat(64)), 'of others');
  const start = {
    ...{ corpus, seeds, artifacts, state, target, sanitizerLogs: '/l', seconds: 7 },
    ...{ runs: undefined, dictionary: '/d' },
    spec: JobSpec.fromPartial({ limits: { inputTimeoutSeconds: 2, maxInputBytes: 9 } }),
  };
  await prepareFolders(start);
  const written: WrittenArtifact[] = [];
  const observer = new HonggfuzzObserver(start, (artifact) => void written.push(artifact));
  return { start, folders: foldersIn(state), observer, written };
}

const engine = honggfuzz({ program: '/bin/hf', version: '2.6', symbolizer: undefined });

describe('honggfuzz', () => {
  test('gets folders of its own, limits, and the way the target takes inputs', async () => {
    const { start, folders } = await prepared();
    const [command] = await engine.start(start);
    const args = given(command).args;
    const after = (flag: string) => args[args.indexOf(flag) + 1];
    expect(after('-i')).toBe(folders.inputs);
    expect(after('--dynamic_input')).toBe(folders.dynamic);
    expect([after('-t'), after('--run_time'), after('-F'), after('-w')]).toEqual([
      '2',
      '7',
      '9',
      '/d',
    ]);
    expect(args.slice(-3)).toEqual(['-P', '--', start.target]);
    const own = (given: string[]) =>
      engine.start({ ...start, spec: JobSpec.fromPartial({ arguments: given }) });
    expect((await own(['--in', '___FILE___']))[0]?.args).not.toContain('-P');
    writeFileSync(start.target, '\x7fELF hfuzz_trace_pc, longer');
    expect((await own([]))[0]?.args).toContain('-s');
    const replay = await engine.replay({ ...start, input: '/run/input' });
    expect(replay.args.slice(-2)).toEqual(['/run/input', start.target]);
  });

  test('begins with corpus and seeds, and gets copies of what arrives', async () => {
    const { start, folders, observer } = await prepared();
    expect(readdirSync(folders.inputs).sort()).toEqual(['b'.repeat(64), 'seed-0']);
    await observer.collect(false);
    writeFileSync(join(start.corpus, 'c'.repeat(64)), 'arrived');
    await observer.collect(false);
    expect(readdirSync(folders.dynamic)).toEqual(['c'.repeat(64)]);
    writeFileSync(join(folders.dynamic, 'c'.repeat(64)), 'overwritten');
    expect(readFileSync(join(start.corpus, 'c'.repeat(64)), 'utf8')).toBe('arrived');
  });

  test('has its finds in the corpus, and crashes with their part of the report', async () => {
    const { start, folders, observer, written } = await prepared();
    writeFileSync(join(folders.output, '10d7.0000.honggfuzz.cov'), 'find');
    const [crash, hang] = ['SIGSEGV.PC.1.fuzz', 'SIGVTALRM.PC.2.fuzz'] as const;
    writeFileSync(join(folders.crashes, crash), 'boom');
    writeFileSync(join(folders.crashes, hang), 'spin');
    const file = join(folders.work, 'HONGGFUZZ.REPORT.TXT');
    writeFileSync(file, report('SIGSEGV.PC.0.fuzz') + report(crash));
    await observer.collect(true);
    expect(readdirSync(start.corpus)).toContain(sha1Of(Buffer.from('find')));
    expect(written.map(({ name, isSuspect }) => [name.split('-')[0], isSuspect])).toEqual([
      ['crash', false],
      ['timeout', true],
    ]);
    const text = written[0]?.output.map(({ bytes }) => bytes).join('') ?? '';
    expect(text).toMatch(/SIGNAL: SIGSEGV \(11\)/);
    expect(text.match(/FUZZ_FNAME/g)).toHaveLength(1);
    // A hang is kept once: honggfuzz passes over names that are there.
    expect(readdirSync(folders.crashes)).toEqual([hang]);
    await observer.collect(true);
    expect(written).toHaveLength(2);
  });

  test('writes figures and reports that are read as they grow', () => {
    const lines = '# unix_time, …\n1795822284, 1795822284, 5299, 1324, 59, 1, 1, 7, 2, 31\n17958';
    expect(readFigures(lines)).toEqual({ executions: 5299, coverage: 9, corpusFiles: 31 });
    expect(readFigures('')).toMatchObject({ executions: 0 });
    expect(blockOf(report('a.fuzz'), 'b.fuzz')).toBe('');
    expect(blockOf(report('a.fuzz').slice(0, -71), 'a.fuzz')).toBe('');
  });
});
