import { expect, test } from '@jest/globals';
import { nameOf } from '../../src/operator/file-names.js';

test('any file name makes a name that the contract takes', () => {
  expect(nameOf('/builds/my fuzzer')).toBe('my fuzzer');
  expect(nameOf('/builds/two\nlines\x7f')).toBe('two_lines_');
  expect(nameOf(`/builds/${'x'.repeat(255)}`)).toHaveLength(128);
  // Cut amid a character of two code units.
  expect(nameOf(`🐼${'x'.repeat(127)}`)).toBe(`\ufffd${'x'.repeat(127)}`);
});
