import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { jazzerJs, jazzerJsDriver } from '../../../../src/bot/engines/jazzerjs/jazzerjs.js';
import { JobSpec, JobState } from '../../../../src/gen/pandafuzz/v1/job.js';
import { listCrashes, listCrashGroups } from '../../../../src/operator/lists.js';
import { submitJobs } from '../../../../src/operator/submit.js';
import { atEnd, runMasterFor, temporaryFolder } from '../../../harness.js';
import { testWith } from '../../../languages/tools.js';
import { given, jobIn } from '../../../steps.js';
import { jazzerPrograms, jazzerJs as realJazzer } from '../../programs/build.js';
import { startedAgent } from '../../started-agent.js';

/** A folder with `jazzer` in it, and an addon that does this when it is loaded. */
function installed(addon: string): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755); // runs have users of their own
  const fuzzer = join(folder, 'node_modules', '@jazzer.js', 'fuzzer');
  mkdirSync(fuzzer, { recursive: true });
  writeFileSync(join(fuzzer, 'index.js'), addon);
  const core = join(folder, 'node_modules', '@jazzer.js', 'core');
  mkdirSync(core);
  writeFileSync(join(core, 'package.json'), '{ "version": "4.0.0" }');
  copyFileSync('test/bot/programs/jazzer-stand-in.cjs', join(folder, 'jazzer'));
  chmodSync(join(folder, 'jazzer'), 0o755);
  return folder;
}

const probed = (folder: string) =>
  jazzerJsDriver.probe({
    symbolizer: undefined,
    path: `${folder}:${dirname(process.execPath)}`,
  });

/** Fuzzes throws.js to its first crash, by what is on this path. */
async function fuzzed(path: string): Promise<void> {
  const before = process.env['PATH'];
  process.env['PATH'] = `${path}:${before}`;
  atEnd(() => {
    process.env['PATH'] = before;
  });
  const { connection, address } = await runMasterFor({ PANDAFUZZ_CRASHES_REPRODUCE: 'off' });
  await startedAgent(address);
  const seeds = join(temporaryFolder(), 'seeds');
  mkdirSync(seeds);
  writeFileSync(join(seeds, 'seed'), 'O!');
  const targetPath = join(temporaryFolder(), 'throws.js');
  writeFileSync(targetPath, readFileSync('test/bot/programs/throws.js'));
  chmodSync(targetPath, 0o755);
  const [job] = await submitJobs(connection, {
    ...{ targetPath, seedsPath: seeds, isChecked: true, count: 1 },
    spec: JobSpec.fromPartial({
      engine: '',
      arguments: ['--sync', '-use_value_profile=1'],
      limits: { maxDurationSeconds: 60, maxCrashes: 1 },
    }),
  });
  expect(given(job).spec?.engine).toBe('jazzerjs');
  const done = await jobIn(connection, given(job).id, JobState.COMPLETED);
  expect(done.statistics?.executions).toBeGreaterThan(0);
  const [group] = await listCrashGroups(connection, { limit: 10 });
  expect(group).toMatchObject({ kind: 'uncaught-exception', topFrame: 'tooDeep' });
  const crashes = await listCrashes(connection, { groupId: '', jobId: done.id, limit: 9 });
  expect(crashes).toHaveLength(1);
}

describe('Jazzer.js', () => {
  test('is offered where its addon loads, with its version', async () => {
    expect(await probed(installed(''))).toMatchObject({ version: '4.0.0', note: '' });
  });

  test('is missing where the C library is too old for its addon, and says so loudly', async () => {
    const words = "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.38' not found";
    const folder = installed(`throw new Error(${JSON.stringify(words)})`);
    expect(await probed(folder)).toEqual({
      missing: expect.stringMatching(/cannot be loaded: it needs glibc 2\.38 or newer/),
      isBroken: true,
    });
    expect(await probed(temporaryFolder())).toMatchObject({ missing: expect.any(String) });
  });

  test('takes its own options before "--", and flags of libFuzzer after it', async () => {
    const engine = jazzerJs({
      ...{ node: '/bin/node', script: '/opt/x/node_modules/core/cli.js', version: '' },
      symbolizer: undefined,
    });
    const limits = { inputTimeoutSeconds: 3 };
    const spec = JobSpec.fromPartial({ arguments: ['--sync', '-len_control=0'], limits });
    const of = { target: '/run/t', spec, input: '/run/input', sanitizerLogs: '/l' };
    const { file, args: all, readable } = await engine.replay(of);
    expect([file, all[0]]).toEqual(['/bin/node', '/opt/x/node_modules/core/cli.js']);
    expect(readable).toEqual(['/opt/x/node_modules']);
    const args = all.slice(1);
    expect(args.slice(0, args.indexOf('--'))).toEqual([
      ...['/run/t', '/run/input', '--timeout=3000', '--sync'],
    ]);
    const flags = args.slice(args.indexOf('--') + 1);
    expect(flags).toEqual(expect.arrayContaining(['-len_control=0', '-timeout=3', '-runs=1']));
    expect(engine.refusal(spec)).toBeUndefined();
    const refused = (argument: string) =>
      engine.refusal(JobSpec.fromPartial({ arguments: [argument] }));
    expect(refused('--corpus=/x')).toMatch(/--corpus/);
    expect(refused('-fork=1')).toMatch(/-fork/);
  });

  test('finds an exception, by a stand-in for its command that takes the same flags', () =>
    fuzzed(installed('')));

  testWith(realJazzer, 'finds an exception, by the real one', () => fuzzed(jazzerPrograms));
});
