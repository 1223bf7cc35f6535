import { expect, test } from '@jest/globals';
import type { Beat } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { JobOutcome, type JobSpec, RunNoteKind } from '../../../src/gen/pandafuzz/v1/job.js';
import { type Fuzzed, fuzz } from '../fuzzed.js';
import { withAddressSanitizer } from '../programs/build.js';

/* Programs in test/bot/programs, fuzzed by a real bot with the real libFuzzer. */

const seconds = (maxDurationSeconds: number, more: Partial<JobSpec['limits']> = {}) =>
  ({ maxDurationSeconds, ...more }) as JobSpec['limits'];

const noteOf = (beat: Beat, kind: RunNoteKind) =>
  beat.leases[0]?.statistics?.notes.find((note) => note.kind === kind)?.text;

/** The text of a note, as soon as a beat has it. */
async function noted({ peer }: Fuzzed, kind: RunNoteKind): Promise<string> {
  const beat = await peer.next('beat', (one) => noteOf(one, kind) !== undefined);
  return noteOf(beat, kind) ?? '';
}

const resultOf = async ({ peer }: Fuzzed) => (await peer.next('jobDone')).result;

const reportsOf = ({ master }: Fuzzed) => master.crashes.map(({ report }) => report.report);

test('a target that leaks all the time is fuzzed on, and all that its corpus leaks is reported once', async () => {
  const seeds = ['v=1x'];
  const fuzzed = await fuzz('leaking.c', withAddressSanitizer, { limits: seconds(12), seeds });
  expect(await noted(fuzzed, RunNoteKind.LEAKS)).toContain('detect_leaks=0');
  const result = await resultOf(fuzzed);
  expect(result).toMatchObject({
    outcome: JobOutcome.COMPLETED,
    message: expect.stringMatching(/leak detection is off .* tried for others: 1 new/),
  });
  // With leak detection on, it ends seven times a second.
  expect(result?.statistics?.executions).toBeGreaterThan(20_000);
  const reports = reportsOf(fuzzed);
  expect(reports).toHaveLength(2);
  for (const name of ['copy_name', 'copy_value']) {
    const own = reports.filter((report) => new RegExp(`#1 .* in ${name} `).test(report));
    expect(own.length).toBeGreaterThan(0);
  }
});

test('a shallow crash is said at once with what it costs, and does not hide another bug', async () => {
  const seeds = ['FUx', 'bb'];
  const fuzzed = await fuzz('shallow.c', withAddressSanitizer, { limits: seconds(12), seeds });
  expect(await noted(fuzzed, RunNoteKind.RESTARTS)).toMatch(
    /^crashes in overflow .*end the target [\d.]+ times a second: \d+ % of the time goes into restarts$/,
  );
  const { outcome, message, statistics } = (await resultOf(fuzzed)) ?? {};
  expect(outcome).toBe(JobOutcome.COMPLETED);
  expect(message).toContain('crashes in overflow');
  expect(statistics?.engineStarts).toBeGreaterThan(5);
  expect(statistics?.crashHits).toBeGreaterThan(statistics?.crashInputsKept ?? 0);
  expect(statistics?.restartingMs).toBeGreaterThan((statistics?.elapsedMs ?? 0) / 2);
  const reports = reportsOf(fuzzed);
  expect(reports.length).toBeLessThanOrEqual(6);
  expect(
    reports.some((report) => /heap-use-after-free[\s\S]*in use_after_free /.test(report)),
  ).toBe(true);
  for (const report of reports) expect(report).toMatch(/in (?:overflow|use_after_free) /);
});

test('a target that crashes on the empty input fails with words that say so, and its crash', async () => {
  const fuzzed = await fuzz('no-empty.c', withAddressSanitizer, { limits: seconds(60) });
  expect(await resultOf(fuzzed)).toMatchObject({
    outcome: JobOutcome.FAILED,
    message: expect.stringMatching(/crashes on the empty input.*if \(size == 0\) return 0/),
  });
  expect(reportsOf(fuzzed)).toEqual([expect.stringContaining('in give_up')]);
});

test("a target that crashes on the engine's own first input is fuzzed from another", async () => {
  const flags = [...withAddressSanitizer, '-DNEWLINE'];
  const fuzzed = await fuzz('no-empty.c', flags, { limits: seconds(5) });
  const result = await resultOf(fuzzed);
  expect(result?.outcome).toBe(JobOutcome.COMPLETED);
  expect(result?.statistics?.executions).toBeGreaterThan(10);
  expect(reportsOf(fuzzed)[0]).toContain('in give_up');
});

test('a run that never got past its corpus is not completed, and says so before its end', async () => {
  const seeds = Array.from({ length: 150 }, (_, i) => `seed ${i}`);
  const fuzzed = await fuzz('slow-load.c', ['-fsanitize=fuzzer'], { limits: seconds(4), seeds });
  expect(await noted(fuzzed, RunNoteKind.CORPUS)).toMatch(/^it has not got past its seeds/);
  expect(await resultOf(fuzzed)).toMatchObject({
    outcome: JobOutcome.FAILED,
    message: expect.stringMatching(/^nothing was fuzzed: the target never got past its seeds/),
  });
});

test('seeds that the limit of the job cuts are counted', async () => {
  const limits = seconds(3, { maxInputBytes: 16 });
  const seeds = ['short', 'x'.repeat(17), 'y'.repeat(500)];
  const fuzzed = await fuzz('no-empty.c', ['-fsanitize=fuzzer', '-DNEWLINE'], { limits, seeds });
  expect((await resultOf(fuzzed))?.message).toMatch(
    /2 of 3 seeds are longer than 16 bytes and are cut/,
  );
});

test('executions are estimated between two reports of the engine, and the figures have an age', async () => {
  const fuzzed = await fuzz('no-empty.c', ['-fsanitize=fuzzer', '-DNEWLINE'], {
    limits: seconds(60),
    seeds: ['a'],
  });
  const { leases } = await fuzzed.peer.next('beat', ({ leases: [one] }) => {
    const { executions = 0, executionsEstimate = 0 } = one?.statistics ?? {};
    return executions > 1000 && executionsEstimate > executions;
  });
  const { executions = 0, executionsEstimate = 0, figuresAgeMs = 0 } = leases[0]?.statistics ?? {};
  expect(executionsEstimate).toBeLessThan(2 * executions);
  expect(figuresAgeMs).toBeGreaterThan(0);
});
