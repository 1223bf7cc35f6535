import { describe, expect, test } from '@jest/globals';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer.js';
import { LibFuzzerOutput } from '../../../src/bot/engines/libfuzzer-output.js';
import { JobSpec } from '../../../src/gen/pandafuzz/v1/job.js';

const engine = libFuzzer({ symbolizer: '/usr/bin/llvm-symbolizer' });

const start = (spec: Parameters<typeof JobSpec.fromPartial>[0]) => ({
  target: '/run/bin/target',
  corpus: '/run/corpus',
  seeds: '/run/seeds',
  artifacts: '/run/artifacts',
  seconds: 7,
  spec: JobSpec.fromPartial(spec),
});

const read = (text: string) => {
  const output = new LibFuzzerOutput();
  for (const line of text.split('\n')) output.line(line);
  return output;
};

describe("libFuzzer's command", () => {
  test('puts what the bot decides after what the job asks for, so that it wins', () => {
    const { args } = engine.command(
      start({
        arguments: ['-use_value_profile=1', '-rss_limit_mb=1'],
        limits: { maxMemoryMib: 64 },
      }),
    );
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

  test("keeps the job's sanitizer options, between the bot's wishes and its needs", () => {
    const { environment } = engine.command(
      start({ environment: { ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1', MODE: 'x' } }),
    );
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

describe("libFuzzer's output", () => {
  const fuzzing = [
    'INFO: Running with entropic power schedule (0xFF, 100).',
    'INFO: Seed: 1420547739',
    'INFO: seed corpus: files: 4 min: 20b max: 30b total: 102b rss: 30Mb',
    '#5\tINITED cov: 41 ft: 53 corp: 4/102b exec/s: 0 rss: 31Mb',
    '#7\tNEW    cov: 44 ft: 56 corp: 5/128b lim: 30 exec/s: 0 rss: 31Mb L: 26/30 MS: 2 ChangeBinInt-ChangeByte-',
    '#43409\tREDUCE cov: 75 ft: 144 corp: 65/16Kb lim: 228 exec/s: 21704 rss: 39Mb L: 7/171 MS: 1 EraseBytes-',
  ].join('\n');

  test('tells how far fuzzing is', () => {
    expect(read(fuzzing).progress).toEqual({
      executions: 43_409,
      coverage: 75,
      features: 144,
      corpusFiles: 65,
      corpusBytes: 16 * 1024,
      peakMemoryBytes: 39 * 2 ** 20,
      isFuzzing: true,
      newInputs: 2,
    });
  });

  test('takes the last word on executions and memory from the final statistics', () => {
    const { progress } = read(
      `${fuzzing}\nstat::number_of_executed_units: 50000\nstat::peak_rss_mb:             80`,
    );
    expect(progress).toMatchObject({ executions: 50_000, peakMemoryBytes: 80 * 2 ** 20 });
  });

  test('keeps the report from its first line on, with what the target said before it', () => {
    const { report } = read(
      [
        fuzzing,
        'target: assert.c:3: Assertion `x` failed.',
        '==5== ERROR: libFuzzer: deadly signal',
        '    #0 0x1 in f /a.c:1',
        'SUMMARY: libFuzzer: deadly signal',
      ].join('\n'),
    );
    expect(report.split('\n')[0]).toMatch(/Assertion/);
    expect(report).toMatch(/SUMMARY/);
    expect(report).not.toMatch(/INITED|INFO/);
  });

  test('forgets a warning that the target survived once something ends it', () => {
    const { report } = read(
      [
        'a.c:1:2: runtime error: shift',
        fuzzing,
        '==5==ERROR: AddressSanitizer: SEGV on unknown address',
      ].join('\n'),
    );
    expect(report).not.toMatch(/runtime error/);
    expect(report).toMatch(/SEGV/);
  });

  test('has no report where nothing crashed, and last words that are no progress', () => {
    const output = read(`${fuzzing}\n==3== libFuzzer: run interrupted; exiting`);
    expect(output.report).toBe('');
    expect(output.lastWords).toBe('==3== libFuzzer: run interrupted; exiting');
  });

  test('keeps 128 KiB at most of a report that does not end', () => {
    const output = new LibFuzzerOutput();
    output.line('==1==ERROR: AddressSanitizer: SEGV on x');
    for (let i = 0; i < 10_000; i++) output.line('é'.repeat(100));
    expect(Buffer.byteLength(output.report)).toBeLessThanOrEqual(131_072);
    expect(Buffer.byteLength(output.report)).toBeGreaterThan(130_000);
  });
});
