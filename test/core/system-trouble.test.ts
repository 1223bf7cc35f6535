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
      `${join(folder, 'none')} does not exist, or cannot be made there: check the path`,
    );
    expect(words(() => readFileSync(join(file, 'below')))).toMatch(/is a file, not a folder/);
    expect(words(() => writeFileSync(loop, ''))).toMatch(/too many symbolic links/);
    expect(words(() => writeFileSync('/dev/full', 'x'))).toMatch(/is full: free some room/);
    expect(words(() => writeFileSync(join(folder, 'x'.repeat(300)), ''))).toMatch(
      /too long a name/,
    );
  });

  test('of a path that the error does not name has the one that is given', () => {
    const error = errorOf(() => writeFileSync('/dev/full', 'x'));
    expect(describeTrouble(error, '/data')).toBe('the disk of /data is full: free some room there');
  });

  test.each([new Error('another'), { code: 7 }, null, undefined, 'text'])(
    'is nothing else: %p',
    (error) => {
      expect(describeTrouble(error)).toBeUndefined();
    },
  );
});
