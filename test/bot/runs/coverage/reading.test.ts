import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { toolsFor } from '../../../../src/bot/engines/libfuzzer/coverage-tools.js';
import { LcovReader, readRegions } from '../../../../src/bot/runs/coverage/lcov.js';
import { Sources } from '../../../../src/bot/runs/coverage/sources.js';
import { temporaryFolder } from '../../../harness.js';
import { given } from '../../../steps.js';

/** As llvm-cov 14 and 19 print it; 19 writes a version behind SF where it knows one. */
const lcov = `warning: 1 functions have mismatched data
SF:/src/png/read.c
FN:4,deep
FNDA:2,deep
FNF:2
FNH:1
DA:4,2
DA:5,0
DA:7,12
BRDA:5,0,0,2
LF:3
LH:2
end_of_record
SF:/src/png/write.c
FNF:1
FNH:0
DA:1,0
end_of_record
`;

const read = (chunks: readonly string[]) => {
  const reader = new LcovReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader.files;
};

describe('lines that ran', () => {
  test('are read however the text is cut', () => {
    const whole = read([lcov]);
    expect(whole).toEqual([
      {
        path: '/src/png/read.c',
        lines: [4, 5, 7],
        counts: [2, 0, 12],
        functions: 2,
        coveredFunctions: 1,
      },
      {
        path: '/src/png/write.c',
        lines: [1],
        counts: [0],
        functions: 1,
        coveredFunctions: 0,
      },
    ]);
    expect(read([...lcov])).toEqual(whole);
  });

  test('that are no numbers, or do not rise, are passed over', () => {
    const bad = 'DA:x,1\nDA:3,1\nDA:3,2\nDA:2,1\nDA:4,-1\nDA:5,1e99\nDA:-1,1\nDA:9\n';
    const [file] = read([`SF:a\n${bad}end_of_record\nDA:1,1\nend_of_record\n`]);
    expect(file?.lines).toEqual([3, 5]);
    expect(file?.counts).toEqual([1, Number.MAX_SAFE_INTEGER]);
  });

  test('of a file that is cut off are not taken for a whole one', () => {
    expect(read(['SF:a\nDA:1,1\n'])).toEqual([]);
  });
});

test('regions are read from the summary, and nothing from anything else', () => {
  const summary = (regions: object) =>
    `{"data":[{"files":[{"filename":"a","summary":${JSON.stringify({ regions })}}]}]}`;
  const whole = `warning: x\n${summary({ count: 14, covered: 11 })}\n`;
  expect(readRegions(whole).get('a')).toEqual({ count: 14, covered: 11 });
  for (const other of ['', '{"data', '{"data":3}', '{"data":[{"files":[null]}]}', summary({})]) {
    expect(readRegions(other).size).toBe(0);
  }
});

describe('sources', () => {
  const bundleOf = (files: Readonly<Record<string, string>>) => {
    const bundle = temporaryFolder();
    writeFileSync(join(bundle, 'png_cov'), '');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(bundle, path, '..'), { recursive: true });
      writeFileSync(join(bundle, path), text);
    }
    return bundle;
  };
  const sourcesOf = async (bundle: string) =>
    given(await Sources.of(bundle, join(bundle, 'png_cov')));

  test('are found by as much of their path as the bundle has', async () => {
    const bundle = bundleOf({ 'src/png/read.c': 'one\ntwo', 'read.c': 'other\nother' });
    const sources = await sourcesOf(bundle);
    expect(await sources.find('/home/ann/src/png/read.c', 2)).toBe('one\ntwo');
    expect(await sources.find('/home/ann/src/jpg/read.c', 2)).toBe('other\nother');
    expect(await sources.find('/home/ann/src/png/write.c', 1)).toBeUndefined();
  });

  test('that are shorter than the code are others', async () => {
    const sources = await sourcesOf(bundleOf({ 'read.c': 'one\ntwo\n' }));
    expect(await sources.find('/src/read.c', 9)).toBeUndefined();
  });

  test('outside the bundle are not read, whatever the program says', async () => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'secret.c'), 'secret');
    const bundle = bundleOf({});
    symlinkSync(outside, join(bundle, 'src'));
    symlinkSync(join(outside, 'secret.c'), join(bundle, 'secret.c'));
    const sources = await sourcesOf(bundle);
    for (const path of [
      join(outside, 'secret.c'),
      '/src/secret.c',
      `../${outside}/secret.c`,
      'src/../../secret.c',
      '/etc/passwd',
      '',
    ]) {
      expect(await sources.find(path, 1)).toBeUndefined();
    }
  });

  test('are not there without a bundle', async () => {
    const folder = temporaryFolder();
    expect(await Sources.of(join(folder, 'no'), join(folder, 'png_cov'))).toBeUndefined();
  });
});

test('the tools of the version that made a build are taken for it', () => {
  const tools = ['19.1.7', '14.0.6'].map((version) => ({ version, cov: 'c', profdata: 'p' }));
  expect(toolsFor(tools, 'clang 14.0.0')?.version).toBe('14.0.6');
  expect(toolsFor(tools, 'clang 16.0.0')?.version).toBe('19.1.7');
  expect(toolsFor(tools, '')?.version).toBe('19.1.7');
  expect(toolsFor([], 'clang 14.0.0')).toBeUndefined();
});
