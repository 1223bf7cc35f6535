import { describe, expect, test } from '@jest/globals';
import { readArguments, refusal } from '../../../../src/bot/engines/aflplusplus/arguments.js';
import { JobSpec } from '../../../../src/gen/pandafuzz/v1/job.js';

const read = (...given: string[]) => readArguments({ arguments: given });

describe("a job's arguments for AFL++", () => {
  test.each([
    [[], { instances: 1, options: [], target: [] }],
    [['--in', '@@'], 'no option'],
    [['@@'], { instances: 1, options: [], target: ['@@'] }],
    [['--', '--in', '@@'], { instances: 1, options: [], target: ['--in', '@@'] }],
    [
      ['-p', 'coe', '--instances=3', '--', '-x'],
      { instances: 3, options: ['-p', 'coe'], target: ['-x'] },
    ],
    [['-pcoe', 'file', '-D'], { instances: 1, options: ['-p', 'coe'], target: ['file', '-D'] }],
    [['-x', 'seeds/a.dict'], { instances: 1, options: ['-x', 'seeds/a.dict'], target: [] }],
  ])('%j', (given, expected) => {
    const found = read(...given);
    if (typeof expected === 'string') expect(found).toMatch(/is not for jobs/);
    else expect(found).toEqual(expected);
  });

  test.each([
    ['-o', '/tmp'],
    ['-i', 'x'],
    ['-M', 'a'],
    ['-V', '1'],
    ['-I', 'rm'],
    ['-b1'],
    ['-n'],
    ['-x', '/etc/passwd'],
    ['-x', 'seeds/../../a'],
    ['-p'],
    ['--instances=0'],
    ['--instances=1000'],
    ['--instances=x'],
  ])('are refused: %s %s', (...given) => {
    expect(refusal(JobSpec.fromPartial({ arguments: given }))).toBeDefined();
  });

  test('a job may tune AFL++ by some of its variables, and by no others', () => {
    const of = (environment: Record<string, string>) =>
      refusal(JobSpec.fromPartial({ environment }));
    expect(of({ AFL_DISABLE_TRIM: '1', MODE: 'x' })).toBeUndefined();
    expect(of({ AFL_CUSTOM_MUTATOR_LIBRARY: '/tmp/a.so' })).toMatch(/AFL_CUSTOM_MUTATOR_LIBRARY/);
  });
});
