import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readArguments } from '../../../../src/bot/engines/gofuzz/arguments.js';
import { decode, encode } from '../../../../src/bot/engines/gofuzz/corpus-file.js';
import { GoOutput } from '../../../../src/bot/engines/gofuzz/output.js';
import { replaying } from '../../../property/replaying.js';

const file = (literal: string) => Buffer.from(`go test fuzz v1\n${literal}\n`);

describe("Go's files of inputs", () => {
  test('are plain bytes everywhere else, for tests of one []byte or string', () => {
    const inputs = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(inputs, fc.constantFrom('[]byte' as const, 'string' as const), (input, type) => {
        expect(decode(encode(input, type), type)).toEqual(input);
      }),
      replaying(),
    );
  });

  test.each([
    ['[]byte("FU\\x00\\xff")', Buffer.from('FU\x00\xff', 'latin1')],
    ['string("a\\"b\\\\\\n\\t\\a\\101\\u00e9\\U0001f600é")', Buffer.from('a"b\\\n\t\x07Aé😀é')],
    ['string(`raw \\x41`)', Buffer.from('raw \\x41')],
  ])('%s', (literal, expected) => {
    expect(decode(file(literal), 'string')).toEqual(expected);
  });

  test('stay as they are where there is more than one argument, or another type', () => {
    const pair = file('string("seven")\nint(7)');
    expect(decode(pair, 'other')).toEqual(pair);
    expect(decode(pair, 'string')).toEqual(pair);
    expect(encode(pair, 'other')).toEqual(pair);
    expect(encode(file('[]byte("x")'), '[]byte')).toEqual(file('[]byte("x")'));
    for (const literal of ['[]byte("open)', 'int(7)', '[]byte("\\q")', '[]byte("a"b")']) {
      expect(decode(file(literal), '[]byte')).toEqual(file(literal));
    }
  });
});

describe("a job's arguments for a test binary", () => {
  test('name the fuzz test, tune Go, or are for the target', () => {
    const given = ['-fuzz=FuzzA', '-test.parallel=2', '--own=1', 'word', '-test.fuzztime=9x'];
    expect(readArguments({ arguments: given })).toEqual({
      fuzz: 'FuzzA',
      flags: ['-test.parallel=2', '-test.fuzztime=9x'],
      own: ['--own=1', 'word'],
    });
  });

  test.each([
    '-test.run=x',
    '-test.fuzzcachedir=/x',
    '-test.fuzzworker',
    '-test.timeout=1s',
    '-fuzztime=10s',
    '-test.fuzz',
    '--test.outputdir=/x',
  ])('are refused: %s', (argument) => {
    expect(readArguments({ arguments: [argument] })).toEqual(expect.any(String));
  });
});

describe('what a test binary prints', () => {
  test('has figures, its end, and the report of what failed', () => {
    const output = new GoOutput();
    output.push(Buffer.from('fuzz: elapsed: 0s, gathering baseline coverage: 0/4 completed\n'));
    expect(output.isFuzzing).toBe(false);
    output.push(
      Buffer.from(
        'fuzz: elapsed: 0s, gathering baseline coverage: 4/4 completed, now fuzzing with 1 workers\nfuzz: elapsed: 3s, execs: 5789 (1926/sec), new interesting: 3 (total: 7)\nfuzz: elap',
      ),
    );
    expect(output).toMatchObject({ isFuzzing: true, executions: 5789, interesting: 3, total: 7 });
    output.push(Buffer.from('sed: 6s, execs: 5790 (0/sec), new interesting: 3 (total: 7)\n'));
    output.push(
      Buffer.from(
        '--- FAIL: FuzzA (0.02s)\n    a_test.go:4: text\n    Failing input written to testdata/fuzz/FuzzA/eaa209\n',
      ),
    );
    expect(output).toMatchObject({ executions: 5790, failure: 'eaa209', isDone: false });
    const report = output
      .takeReport()
      .map(({ bytes }) => bytes)
      .join('');
    expect(report).toMatch(/^--- FAIL: FuzzA/);
    output.push(Buffer.from('PASS\n'));
    expect(output.isDone).toBe(true);
  });
});
