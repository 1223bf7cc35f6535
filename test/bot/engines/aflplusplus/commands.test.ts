import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aflPlusPlus } from '../../../../src/bot/engines/aflplusplus/aflplusplus.js';
import { type DeepPartial, JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';
import { temporaryFolder } from '../../../harness.js';

const programs = {
  fuzz: '/usr/bin/afl-fuzz',
  tmin: '/usr/bin/afl-tmin',
  cmin: undefined,
  showmap: undefined,
};
const engine = aflPlusPlus({ ...programs, version: '4.04c', symbolizer: undefined });

function started(spec: DeepPartial<JobSpec>) {
  const root = temporaryFolder();
  const target = join(root, 'bin', 'tool');
  mkdirSync(join(root, 'bin'));
  writeFileSync(target, '\x7fELF __AFL_SHM_ID');
  const folders = { corpus: '/c', seeds: '/s', artifacts: '/a', state: join(root, 'engine') };
  const rest = { sanitizerLogs: '/l', seconds: 7, runs: undefined, dictionary: undefined };
  return { ...folders, ...rest, target, spec: JobSpec.fromPartial(spec) };
}

describe("AFL++'s commands", () => {
  test('are one for each instance: a main one that imports, and secondaries', async () => {
    const start = started({ arguments: ['--instances=3', '--', '--in', '@@'] });
    const commands = await engine.start(start);
    expect(commands.map(({ args }) => args.slice(0, 2))).toEqual([
      ['-M', 'main'],
      ['-S', 'secondary1'],
      ['-S', 'secondary2'],
    ]);
    expect(commands.filter(({ args }) => args.includes('-F'))).toHaveLength(1);
    for (const { file, args } of commands) {
      expect(file).toBe('/usr/bin/afl-fuzz');
      expect(args.slice(-6)).toEqual(['-V', '7', '--', start.target, '--in', '@@']);
    }
  });

  test('use a CmpLog build and a dictionary where they are there', async () => {
    const start = started({});
    const plain = await engine.start(start);
    expect(plain[0]?.args).not.toContain('-c');
    writeFileSync(`${start.target}.cmplog`, '');
    const [command] = await engine.start({ ...start, dictionary: '/run/dictionary' });
    const after = (flag: string) => command?.args[command.args.indexOf(flag) + 1];
    expect(after('-x')).toBe('/run/dictionary');
    // Debian 12's learns nothing from a build beside the target.
    expect([after('-c'), after('--')]).toEqual(['0', `${start.target}.cmplog`]);
  });

  test('name a CmpLog build beside the target, from 4.05 on, for every other instance', async () => {
    const start = started({ arguments: ['--instances=2'] });
    writeFileSync(`${start.target}.cmplog`, '');
    const newer = aflPlusPlus({ ...programs, version: '4.40c', symbolizer: undefined });
    const [first, second] = await newer.start(start);
    expect(first?.args).toEqual(expect.arrayContaining(['-c', `${start.target}.cmplog`]));
    expect(first?.args.slice(-2)).toEqual(['--', start.target]);
    expect(second?.args).not.toContain('-c');
  });

  test("leave an option to the job that it gives, and take the job's limits", async () => {
    const limits = { inputTimeoutSeconds: 2, maxInputBytes: 99 };
    const own = (await engine.start(started({ limits, arguments: ['-t', '50', '-pcoe'] })))[0];
    expect(own?.args.filter((argument) => argument === '-t')).toHaveLength(1);
    expect(own?.args).toEqual(expect.arrayContaining(['50', 'coe', '-G', '99']));
    expect(own?.environment).toMatchObject({ AFL_HANG_TMOUT: '2000' });
    const ours = (await engine.start(started({ limits })))[0];
    expect(ours?.args).toEqual(expect.arrayContaining(['-t', '1000+']));
  });

  test("leave the sanitizers' options to AFL++, unless the job has some", async () => {
    const [plain] = await engine.start(started({}));
    expect(Object.keys(plain?.environment ?? {})).not.toContain('ASAN_OPTIONS');
    const asked = { environment: { ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0', MODE: 'x' } };
    const [command] = await engine.start(started(asked));
    expect(command?.environment).toMatchObject({
      MODE: 'x',
      ASAN_OPTIONS: expect.stringMatching(/detect_leaks=1:.*:abort_on_error=1:symbolize=0$/),
    });
  });

  test('replay an input the way the target takes it', async () => {
    const replay = async (given: string[], content = '\x7fELF __AFL_SHM_ID') => {
      const start = started({ arguments: given });
      writeFileSync(start.target, content);
      const { file, args } = await engine.replay({ ...start, input: '/run/input' });
      return [file, ...args].map((word) => (word === start.target ? 'TARGET' : word));
    };
    expect(await replay(['--', '--in', '@@'])).toEqual(['TARGET', '--in', '/run/input']);
    expect(await replay([], 'This binary is built for afl++')).toEqual(['TARGET', '/run/input']);
    const fromStandardInput = ['/bin/sh', '-c', 'exec "$@" < "$0"', '/run/input', 'TARGET', 'x'];
    expect(await replay(['--', 'x'])).toEqual(fromStandardInput);
  });

  test('take an exit with any code for no crash, but signals and reports of sanitizers', () => {
    const has = (code: number | null, signal: NodeJS.Signals | null = null) =>
      engine.hasCrashed({ exit: { code, signal }, report: '' });
    expect([has(0), has(1), has(77)]).toEqual([false, false, false]);
    expect([has(99), has(134), has(null, 'SIGSEGV')]).toEqual([true, true, true]);
  });
});
