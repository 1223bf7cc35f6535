import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { describeTrouble } from '../../src/core/system-trouble.js';
import { temporaryFolder } from '../harness.js';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('trouble of the surroundings', () => {
  test('is named with its path and a remedy', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    const loop = join(folder, 'loop');
    writeFileSync(file, '');
    symlinkSync(loop, loop);
    const words = (work: () => unknown) => describeTrouble(errorOf(work));
    expect(words(() => readFileSync(join(folder, 'none')))).toBe(
      `${join(folder, 'none')}: there is no such file or folder: check the path`,
    );
    expect(words(() => readFileSync(join(file, 'below')))).toMatch(/a part of the path is a file/);
    expect(words(() => writeFileSync(loop, ''))).toMatch(/too many symbolic links/);
    expect(words(() => writeFileSync('/dev/full', 'x'))).toMatch(
      /the disk is full: free some space/,
    );
    expect(words(() => writeFileSync(join(folder, 'x'.repeat(300)), ''))).toMatch(
      /the path is too long/,
    );
  });

  test('has no path where the error names none', () => {
    const error = errorOf(() => writeFileSync('/dev/full', 'x'));
    expect(describeTrouble(error)).toBe('the disk is full: free some space');
    expect(
      describeTrouble(Object.assign(new Error('raw'), { code: 'EMFILE', path: '/x' })),
    ).toMatch(/^\/x: this process has too many open files/);
  });

  test.each([new Error('another'), { code: 7 }, null, undefined, 'text'])(
    'is nothing else: %p',
    (error) => {
      expect(describeTrouble(error)).toBeUndefined();
    },
  );
});
