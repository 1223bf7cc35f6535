import { describe, expect, test } from '@jest/globals';
import type { EngineCommand } from '../../../../src/bot/engines/engine.js';
import { libFuzzer } from '../../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';
import { given } from '../../../steps.js';

const engine = libFuzzer({ symbolizer: '/usr/bin/llvm-symbolizer' });

const start = (spec: Parameters<typeof JobSpec.fromPartial>[0]) => ({
  target: '/run/bin/target',
  corpus: '/run/corpus',
  seeds: '/run/seeds',
  artifacts: '/run/artifacts',
  state: '/run/engine',
  sanitizerLogs: '/run/logs/report',
  seconds: 7,
  runs: undefined,
  dictionary: undefined,
  spec: JobSpec.fromPartial(spec),
});

const commandOf = async (spec: Parameters<typeof start>[0]): Promise<EngineCommand> =>
  given((await engine.start(start(spec)))[0]);

describe("libFuzzer's command", () => {
  test('puts what the bot decides after what the job asks for, so that it wins', async () => {
    const { args } = await commandOf({
      arguments: ['-use_value_profile=1', '-rss_limit_mb=1'],
      limits: { maxMemoryMib: 64 },
    });
    expect(args[0]).toBe('-use_value_profile=1');
    expect(args.indexOf('-rss_limit_mb=64')).toBeGreaterThan(args.indexOf('-rss_limit_mb=1'));
    expect(args).toContain('-max_total_time=7');
    expect(args).toContain('-artifact_prefix=/run/artifacts/');
    expect(args.slice(-2)).toEqual(['/run/corpus', '/run/seeds']);
  });

  test.each([
    '-fork=2',
    '-artifact_prefix=/tmp/',
    '-ignore_remaining_args=1',
    '-merge=1',
    '/etc',
    '',
  ])('refuses the argument %j', (argument) => {
    expect(engine.refusal(JobSpec.fromPartial({ arguments: [argument] }))).toBeDefined();
  });

  test('accepts ordinary flags', () => {
    expect(
      engine.refusal(JobSpec.fromPartial({ arguments: ['-dict=seeds/a.dict'] })),
    ).toBeUndefined();
  });

  test("keeps the job's sanitizer options, between the bot's wishes and its needs", async () => {
    const { environment } = await commandOf({
      environment: { ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1', MODE: 'x' },
    });
    const options = environment['ASAN_OPTIONS'] as string;
    expect(options).toContain('detect_leaks=0');
    expect(options.lastIndexOf('abort_on_error=0')).toBeGreaterThan(
      options.indexOf('abort_on_error=1'),
    );
    expect(environment).toMatchObject({
      MODE: 'x',
      ASAN_SYMBOLIZER_PATH: '/usr/bin/llvm-symbolizer',
    });
  });

  test('cuts no seed unless the job asks for a longest input', async () => {
    const flags = async (spec: Parameters<typeof start>[0]) =>
      (await commandOf(spec)).args.join(' ');
    expect(await flags({ limits: { maxMemoryMib: 64 } })).not.toContain('max_len');
    expect(await flags({ limits: { maxInputBytes: 100 } })).toContain('-max_len=100');
  });

  test('has sanitizers write to files, whatever the job wishes', async () => {
    const { environment } = await commandOf({
      environment: { TSAN_OPTIONS: 'log_path=/tmp/mine:log_exe_name=1' },
    });
    for (const name of ['ASAN', 'HWASAN', 'UBSAN', 'MSAN', 'TSAN', 'LSAN']) {
      expect(environment[`${name}_OPTIONS`]).toMatch(
        /:log_exe_name=0:log_path="\/run\/logs\/report"$/,
      );
    }
  });

  test('executes one input once, under the limits of the job and without its folders', async () => {
    const { args } = await engine.replay({
      ...start({ arguments: ['-runs=9'], limits: { inputTimeoutSeconds: 3, maxMemoryMib: 64 } }),
      input: '/run/replay/input',
    });
    expect(args).toEqual(expect.arrayContaining(['-timeout=3', '-rss_limit_mb=64']));
    expect(args.slice(-2)).toEqual(['-runs=1', '/run/replay/input']);
    expect(args.join(' ')).not.toMatch(/corpus|artifact_prefix|max_total_time/);
  });

  test('knows a file that a full disk has cut off by its name', () => {
    const name = 'crash-da39a3ee5e6b4b0d3255bfef95601890afd80709'; // of the empty input
    expect(engine.isWhole(name, Buffer.alloc(0))).toBe(true);
    expect(engine.isWhole(name, Buffer.from('x'))).toBe(false);
    expect(engine.isWhole('crash-1', Buffer.from('x'))).toBe(true);
    expect(engine.isWhole('crash-1', Buffer.alloc(0))).toBe(false);
  });

  test.each([
    ['crash-4ea0', true],
    ['leak-4ea0', true],
    ['timeout-4ea0', true],
    ['oom-4ea0', true],
    ['slow-unit-4ea0', false],
  ])('takes %s for a crash: %s', (name, isCrash) => {
    expect(engine.isCrash(name)).toBe(isCrash);
  });
});
