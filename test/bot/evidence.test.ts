import { expect, test } from '@jest/globals';
import type { CrashReport } from '../../src/gen/pandafuzz/v1/crash_service.js';
import { JobOutcome, type JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { type Fuzzed, fuzz } from './fuzzed.js';
import { withAddressSanitizer } from './programs/build.js';

/*
 * Programs in test/bot/programs, built by a real clang and fuzzed by a real bot with the real
 * libFuzzer; the master only collects.
 */

/** The first report of each kind, once there is one of all. */
async function reportsLike({ master }: Fuzzed, kinds: readonly RegExp[]): Promise<CrashReport[]> {
  for (;;) {
    const reports = master.crashes.map(({ report }) => report);
    const found = kinds.map((kind) => reports.find(({ report }) => kind.test(report)));
    if (found.every((report) => report !== undefined)) return found;
    await master.crashesArrived(reports.length + 1);
  }
}

const overflow = /heap-buffer-overflow[\s\S]*in overflow /;
const useAfterFree = /heap-use-after-free[\s\S]*in use_after_free /;

test('a target that closes its standard error is fuzzed for its time, and both bugs have reports', async () => {
  const limits = { maxDurationSeconds: 6 } as JobSpec['limits'];
  const fuzzed = await fuzz('silenced.c', withAddressSanitizer, { limits, seeds: ['A', 'B'] });
  const { result } = await fuzzed.peer.next('jobDone');
  expect(result).toMatchObject({
    outcome: JobOutcome.COMPLETED,
    message: expect.stringContaining('closed or redirected its standard error'),
  });
  const reports = await reportsLike(fuzzed, [overflow, useAfterFree]);
  // Where starts are dear, those after the first go without names, and crashes are run again for them.
  expect(reports.some(({ context }) => context?.replayed === false)).toBe(true);
  const { crashes: hits = 0, crashInputsKept = 0 } = result?.statistics ?? {};
  expect(crashInputsKept).toBe(fuzzed.master.crashes.length);
  expect(hits).toBeGreaterThanOrEqual(crashInputsKept);
});

test('an artifact whose report cannot be read is replayed once, alone', async () => {
  const fuzzed = await fuzz('silent-later.c', withAddressSanitizer);
  for (const { context } of await reportsLike(fuzzed, [overflow, useAfterFree])) {
    expect(context).toMatchObject({ replayed: true, exitCode: 1 });
    expect(context?.command.join(' ')).toMatch(/-runs=1 \S+\/replay\/input$/);
  }
});

test('several crashes of one start, in forked children, have a report each and come at once', async () => {
  const fuzzed = await fuzz('forks.c', withAddressSanitizer, { seeds: ['Axx', 'Byy', 'Czz'] });
  await reportsLike(fuzzed, [overflow, useAfterFree, /in give_up /]);
  const frames = new Map([
    ['A', 'in overflow '],
    ['B', 'in use_after_free '],
    ['C', 'in give_up '],
  ]);
  for (const { report, input } of fuzzed.master.crashes) {
    const present = [...frames].filter(([, frame]) => report.report.includes(frame));
    expect(present.map(([letter]) => letter)).toEqual([input.toString('latin1', 0, 1)]);
    // The engine's process lives on, so it has no exit code yet.
    expect(report.context).toMatchObject({ signal: '', replayed: false });
    expect(report.context?.exitCode).toBeUndefined();
  }
});

test('two data races found by ThreadSanitizer have reports', async () => {
  const fuzzed = await fuzz('races.cc', ['-fsanitize=fuzzer,thread']);
  await reportsLike(fuzzed, [/data race[\s\S]*in count_read/, /data race[\s\S]*in count_write/]);
});

test('a report has what the target printed, on both outputs, and how the crash came about', async () => {
  const environment = { COLOUR: 'green' };
  const fuzzed = await fuzz('open-line.c', ['-fsanitize=fuzzer'], { environment });
  const reports = await reportsLike(fuzzed, [/in read_sound /, /in read_image /]);
  for (const { report, context } of reports) {
    expect(report).toMatch(/^reading a file of \d+ bytes\n(sound|image) \.\.\. ==\d+== ERROR: /m);
    expect(context).toMatchObject({
      exitCode: 77,
      signal: '',
      engine: 'libfuzzer',
      replayed: false,
      engineVersion: expect.stringMatching(/^clang \d+\.\d+/),
      targetSha256: fuzzed.targetSha256,
      environment: { COLOUR: 'green', UBSAN_OPTIONS: expect.stringContaining('log_path=') },
    });
    expect(context?.executions).toBeGreaterThan(0);
    expect(context?.command[0]).toMatch(/\/bin\/target$/);
    expect(context?.command).toContain('-print_final_stats=1');
  }
});

test('two bugs found by the checks of a logging library are both kept', async () => {
  const seeds = ['C\x01', 'C\x02x', 'C\x04xy', 'R\x10xyz'];
  const fuzzed = await fuzz('checks.cc', [...withAddressSanitizer, '-lglog'], { seeds });
  const [columns, rows] = await reportsLike(fuzzed, [
    /in set_columns\(int\) /,
    /in set_rows\(int\) /,
  ]);
  expect(columns?.report).toMatch(/Check failed: value == 3 .*columns/);
  expect(rows?.report).toMatch(/Check failed: value == 5 .*rows/);
});

test('a timeout has the stack that is printed after its artifact', async () => {
  const limits = { maxDurationSeconds: 60, inputTimeoutSeconds: 1 } as JobSpec['limits'];
  const fuzzed = await fuzz('hangs.c', withAddressSanitizer, { limits });
  const [report] = await reportsLike(fuzzed, [
    /libFuzzer: timeout after [\s\S]*LLVMFuzzerTestOneInput/,
  ]);
  expect(report?.context).toMatchObject({ exitCode: 70, replayed: false });
});

test('a target that ends without a word is fuzzed on, and the result says how often, when and with which code', async () => {
  const limits = { maxDurationSeconds: 10 } as JobSpec['limits'];
  const fuzzed = await fuzz('leaves.c', ['-fsanitize=fuzzer'], { limits });
  const { result } = await fuzzed.peer.next('jobDone');
  expect(result?.outcome).toBe(JobOutcome.COMPLETED);
  const said =
    /^the target ended by itself (\d+) times without a report \(exit code 3\), after ([\d,]+) to ([\d,]+) executions$/.exec(
      result?.message ?? '',
    );
  const [times, fewest, most] = (said?.slice(1) ?? []).map((text) =>
    Number(text.replaceAll(',', '')),
  );
  expect(times).toBeGreaterThan(1);
  expect(fewest).toBeLessThan(20_001);
  expect(most).toBeGreaterThan(19_000);
  expect(result?.statistics?.executions).toBeGreaterThan(100_000);
});

test('seeds longer than 4 KiB are not cut', async () => {
  const fuzzed = await fuzz('trailer.c', withAddressSanitizer, {
    seeds: [`Z${'x'.repeat(8996)}END`],
  });
  await fuzzed.master.crashesArrived(1);
  expect(fuzzed.master.crashes[0]?.input.length).toBeGreaterThan(8192);
});

test('crashes that do not happen again alone are named all the same, where stacks come without names', async () => {
  const fuzzed = await fuzz('stateful.c', withAddressSanitizer, { seeds: ['A'] });
  const places = [...'BCDEFGH'].map((letter) => new RegExp(`in after_${letter} `));
  const reports = await reportsLike(fuzzed, places);
  // Crashes end each start, so that those after the first go without names.
  const options = reports.map(({ context }) => context?.environment['ASAN_OPTIONS']);
  expect(options.filter((text) => text?.includes('symbolize=0'))).not.toEqual([]);
});

test('a target that handles its own signals cannot hide crashes, nor keep them from happening again', async () => {
  const fuzzed = await fuzz('own-handlers.c', withAddressSanitizer, { seeds: ['A', 'Bb'] });
  const reports = await reportsLike(fuzzed, [/ABRT [\s\S]*in give_up /, /SEGV /]);
  expect(reports.map(({ context }) => context?.environment['ASAN_OPTIONS'])).toEqual([
    expect.stringContaining('handle_segv=2'),
    expect.stringContaining('handle_segv=2'),
  ]);
});
