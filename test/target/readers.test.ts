import { describe, expect, test } from '@jest/globals';
import { isReserved, refusedArgument } from '../../src/target/arguments.js';
import { artifactProblem } from '../../src/target/artifact-head.js';
import { checkDictionary } from '../../src/target/dictionary.js';
import { readOptions } from '../../src/target/options.js';
import { item, tarOf, zipOf } from './archives.js';

describe('a dictionary', () => {
  test('is taken as libFuzzer takes it', () => {
    const text = '# words\n\nkw1="GET"\n"\\x00\\xfF\\\\\\""\n  a@2="b c"  \r\n';
    expect(checkDictionary(Buffer.from(text))).toBe(3);
  });

  test.each([
    ['a="b"\nword\n', 'line 2: the value must stand in double quotes, as name="value"'],
    ['x=""', 'line 1: the value is empty'],
    [
      'x="\\n"',
      'line 1: after a backslash comes a backslash, a double quote or x and two hex digits',
    ],
    ['x="\u00e9"', 'line 1: write what is not printable ASCII as \\xAB'],
    ['# nothing\n', 'it has no value: one is name="value" on a line'],
    ['a\nb\nc\nd\ne\nf\ng\n', /^line 1: .*line 5: .*; and 2 more$/],
  ])('%j is refused by its lines', (text, why) => {
    expect(() => checkDictionary(Buffer.from(text))).toThrow(why);
  });
});

test("a fuzzer's options are read as OSS-Fuzz writes them", () => {
  const text = [
    '[libfuzzer]',
    'max_len = 77',
    'dict=my.dict',
    'close_fd_mask = 3',
    'jobs=4',
    '; a comment',
    '[asan]',
    'detect_leaks=0',
    'allocator_may_return_null = 1',
    'suppressions = my list:1.txt',
    'log_suffix=".a:b"',
    'odd = "both\'',
    'two words = 1',
    '[env]',
    'MODE=strict',
    'no setting',
  ].join('\r\n');
  expect(readOptions(Buffer.from(text), isReserved)).toEqual({
    flags: [['max_len', '77']],
    dictionary: 'my.dict',
    environment: {
      ASAN_OPTIONS:
        'detect_leaks=0:allocator_may_return_null=1:suppressions="my list:1.txt":log_suffix=".a:b"',
      MODE: 'strict',
    },
  });
});

test.each([
  ['libfuzzer', ['-fork=2'], /-fork is not for jobs/],
  ['libfuzzer', ['--merge=1'], /-merge is not for jobs/],
  ['libfuzzer', ['corpus'], /must be a flag/],
  ['libfuzzer', ['-use_value_profile=1'], undefined],
  ['aflplusplus', ['-fork=2'], undefined],
])('of the arguments of %s %j what the bot decides is refused', (engine, given, why) => {
  const refusal = refusedArgument(engine, given);
  if (why === undefined) expect(refusal).toBeUndefined();
  else expect(refusal).toMatch(why);
});

test('the first bytes of an artifact tell what it cannot be', async () => {
  const tar = await tarOf([item('a')]);
  const zip = zipOf([{ path: 'a', bytes: Buffer.from('x') }]);
  expect(artifactProblem('target', zip)).toMatch(/send it as a bundle/);
  expect(artifactProblem('target', tar)).toMatch(/send it as a bundle/);
  expect(artifactProblem('target', Buffer.from('MZ..'))).toMatch(/another system/);
  expect(artifactProblem('target', Buffer.from('\x7fELF', 'latin1'))).toBeUndefined();
  expect(artifactProblem('bundle', Buffer.from('#!/bin/sh'))).toMatch(/no .tar/);
  expect(artifactProblem('bundle', tar)).toBeUndefined();
  expect(artifactProblem('dictionary', zip)).toMatch(/no dictionary/);
  expect(artifactProblem('seeds', Buffer.from('anything'))).toBeUndefined();
});
