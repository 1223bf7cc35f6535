import { describe, expect, test } from '@jest/globals';
import type { WrittenArtifact } from '../../../../src/bot/engines/engine.js';
import { LibFuzzerOutput } from '../../../../src/bot/engines/libfuzzer/output.js';
import { composeReport } from '../../../../src/bot/findings/evidence.js';

/** Reads a text in chunks of this many bytes. */
function read(text: string, chunkBytes = text.length) {
  const artifacts: WrittenArtifact[] = [];
  const output = new LibFuzzerOutput((artifact) => artifacts.push(artifact));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    output.push(bytes.subarray(at, at + chunkBytes));
  }
  const beforeEnd = artifacts.length;
  output.end();
  const reports = artifacts.map((artifact) => composeReport(artifact.output, ''));
  return { output, artifacts, reports, beforeEnd };
}

const fuzzing = [
  'INFO: Running with entropic power schedule (0xFF, 100).',
  'INFO: Seed: 1420547739',
  'INFO: seed corpus: files: 4 min: 20b max: 30b total: 102b rss: 30Mb',
  '#5\tINITED cov: 41 ft: 53 corp: 4/102b exec/s: 0 rss: 31Mb',
  '#7\tNEW    cov: 44 ft: 56 corp: 5/128b lim: 30 exec/s: 0 rss: 31Mb L: 26/30 MS: 2 ChangeBinInt-',
  '#43409\tREDUCE cov: 75 ft: 144 corp: 65/16Kb lim: 228 exec/s: 21704 rss: 39Mb L: 7/171 MS: 1 Erase-',
  '',
].join('\n');

const statistics = 'stat::number_of_executed_units: 50000\nstat::peak_rss_mb:             80\n';

const crash = (name: string, input: string, message: string) =>
  [
    `target: ${message}`,
    '==5== ERROR: libFuzzer: deadly signal',
    `    #0 0x1 in ${message} /a.c:1`,
    'SUMMARY: libFuzzer: deadly signal',
    'MS: 2 ChangeByte-InsertByte-; base unit: adc83b19e793491b1c6ea0fd8b46cd9f32e592fc',
    `artifact_prefix='/run/artifacts/'; Test unit written to /run/artifacts/${name}`,
    `Base64: ${Buffer.from(input).toString('base64')}`,
    '',
  ].join('\n');

const timeout = [
  'ALARM: working on the last Unit for 2 seconds',
  "artifact_prefix='/run/artifacts/'; Test unit written to /run/artifacts/timeout-1",
  'Base64: aGFuZw==',
  '==5== ERROR: libFuzzer: timeout after 2 seconds',
  '    #0 0x1 in spin /a.c:1',
  'SUMMARY: libFuzzer: timeout',
  '',
].join('\n');

describe("libFuzzer's figures", () => {
  test.each([1, 7, 4096])('are read from its status lines, in chunks of %i bytes', (size) => {
    expect(read(fuzzing, size).output.progress).toEqual({
      loaded: 5,
      executionsBelow: 65_536,
      executions: 43_409,
      coverage: 75,
      features: 144,
      corpusFiles: 65,
      corpusBytes: 16 * 1024,
      peakMemoryBytes: 39 * 2 ** 20,
      isFuzzing: true,
      isDone: false,
      isSilent: false,
      newInputs: 2,
    });
  });

  test('are read behind what the target printed without a newline', () => {
    const { progress } = read(`loading ... #9\tNEW    cov: 44 ft: 5 exec/s: 0 rss: 1Mb\n`).output;
    expect(progress).toMatchObject({ executions: 9, coverage: 44, newInputs: 1 });
  });

  test('end with the final statistics, and the line that its limit was reached', () => {
    const done = '#49000\tDONE   cov: 75 ft: 144 corp: 65/16Kb lim: 228 exec/s: 1 rss: 39Mb\n';
    const { progress } = read(fuzzing + done + statistics).output;
    expect(progress).toMatchObject({ executions: 50_000, peakMemoryBytes: 80 * 2 ** 20 });
    expect(progress.isDone).toBe(true);
  });

  test('are none where the target has closed its standard error', () => {
    expect(read('hello\n').output.progress).toMatchObject({ isSilent: true, executions: 0 });
  });

  test('leave the last words to the target', () => {
    const { output } = read(`${fuzzing}==3== libFuzzer: run interrupted; exiting`);
    expect(output.lastWords).toBe('==3== libFuzzer: run interrupted; exiting');
  });
});

describe('reports', () => {
  const two = `${fuzzing}${crash('crash-1', 'one', 'first')}${statistics}${crash('crash-2', 'two', 'second')}${statistics}`;

  test.each([1, 13, 100, 1e6])(
    'go each to the artifact after them, in chunks of %i bytes',
    (size) => {
      const { artifacts, reports } = read(two, size);
      expect(artifacts.map(({ name }) => name)).toEqual(['crash-1', 'crash-2']);
      expect(artifacts.map(({ input }) => input?.toString())).toEqual(['one', 'two']);
      expect(reports[0]).toMatch(
        /INFO: Seed: 1420547739\n[\s\S]*target: first\n[\s\S]*in first [\s\S]*crash-1/,
      );
      expect(reports[0]).not.toMatch(/second|\tNEW|\tINITED/);
      expect(reports[1]).toMatch(/target: second\n[\s\S]*in second [\s\S]*crash-2/);
      expect(reports[1]).not.toMatch(/first/);
    },
  );

  test('come while the process lives, as soon as the line after them is there', () => {
    expect(read(two).beforeEnd).toBe(2);
  });

  test.each([1, 50, 1e6])(
    'of timeouts go on after the line of the artifact, in chunks of %i bytes',
    (size) => {
      const { artifacts, reports, beforeEnd } = read(
        timeout + crash('crash-2', 'two', 'second'),
        size,
      );
      expect(artifacts.map(({ name, input }) => [name, input?.toString()])).toEqual([
        ['timeout-1', 'hang'],
        ['crash-2', 'two'],
      ]);
      expect(reports[0]).toMatch(
        /ALARM[\s\S]*timeout after 2 seconds\n[\s\S]*in spin[\s\S]*SUMMARY/,
      );
      expect(reports[1]).not.toMatch(/spin/);
      expect(beforeEnd).toBe(2);
    },
  );

  test('are whole where the output ends in the middle of them', () => {
    const cut = timeout.slice(0, timeout.indexOf('SUMMARY'));
    expect(read(cut).reports[0]).toMatch(/in spin/);
    const first = read(crash('crash-1', 'x'.repeat(300), 'first').split('Base64')[0] as string);
    expect(first.artifacts.map(({ name, input }) => [name, input])).toEqual([
      ['crash-1', undefined],
    ]);
  });

  test('are cut by no line of the target and by no slow input', () => {
    const other = 'Test unit written to /etc/passwd\nTest unit written to /run/slow-unit-1\n';
    const { artifacts, reports } = read(`early\n${other}${crash('crash-1', 'one', 'first')}`);
    expect(artifacts).toHaveLength(1);
    expect(reports[0]).toMatch(/^early\n/);
  });

  test('keep their headline and their end, however much is printed before, between and on one line', () => {
    const junk = (letter: string) => letter.repeat(1_000_000);
    const text = [
      `begin\n${junk('a')}\n==5==ERROR: AddressSanitizer: SEGV on unknown address\n${junk('b')}`,
      `\nSUMMARY: AddressSanitizer: SEGV\nTest unit written to /run/crash-1\n`,
    ].join('');
    for (const size of [65_536, 1000]) {
      const report = read(text, size).reports[0] as string;
      expect(report).toMatch(
        /^begin\na+\n\[\.\.\. \d+ bytes left out \.\.\.\]\n==5==ERROR: Address/,
      );
      expect(report).toMatch(
        /\[\.\.\. \d+ bytes left out \.\.\.\]\nb+\nSUMMARY: [\s\S]*crash-1\n$/,
      );
      expect(Buffer.byteLength(report)).toBeLessThanOrEqual(131_072);
    }
  });
});

test("libafl_libfuzzer's status lines are progress, those of all its clients alone", () => {
  const line = (what: string, corpus: number, executions: number) =>
    `[Testcase #0] (${what}) run time: 3s, clients: 1, corpus: ${corpus}, objectives: 28, executions: ${executions}, exec/sec: 5.742k, edges: 12/345 (3%)\n`;
  expect(read('INFO: something else\n').output.progress.isSilent).toBe(true);
  const { progress } = read(line('GLOBAL', 7, 22_805) + line('CLIENT', 9, 99_999), 11).output;
  expect(progress).toMatchObject({
    executions: 22_805,
    corpusFiles: 7,
    coverage: 12,
    isFuzzing: true,
    isSilent: false,
  });
});

describe('a flag that libFuzzer does not know', () => {
  const warning =
    "\n\nWARNING: unrecognized flag '-max_length=9'; use -help=1 to list all flags\n\n";

  test('is a complaint, though libFuzzer goes on without it', () => {
    for (const chunkBytes of [1, 7, 1000]) {
      const { output } = read(warning + fuzzing, chunkBytes);
      expect(output.complaint).toMatch(/^libFuzzer does not know the flag -max_length: /);
    }
  });

  test('is none in the words of a target that is being fuzzed', () => {
    expect(read(fuzzing + warning).output.complaint).toBeUndefined();
    expect(read(`said: ${warning.trim()}\n`).output.complaint).toBeUndefined();
  });
});
