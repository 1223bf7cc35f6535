import { describe, expect, test } from '@jest/globals';
import { splitReports } from '../../src/crash/split.js';

const artifact = (name: string) => `artifact_prefix='/work/'; Test unit written to /work/${name}\n`;

describe('splitReports', () => {
  test('gives each artifact the report before it, and the input behind it', () => {
    const output = `first report\n${artifact('crash-1')}Base64: QUI=\nsecond report\n${artifact('leak-2')}`;
    expect(splitReports(output)).toEqual([
      {
        report: `first report\n${artifact('crash-1').trimEnd()}`,
        artifactPath: '/work/crash-1',
        inputBase64: 'QUI=',
      },
      { report: `second report\n${artifact('leak-2').trimEnd()}`, artifactPath: '/work/leak-2' },
    ]);
  });

  test('keeps what belongs to no artifact', () => {
    expect(splitReports(`one\n${artifact('crash-1')}last words\n`)).toMatchObject([
      { artifactPath: '/work/crash-1' },
      { report: 'last words\n' },
    ]);
    expect(splitReports('no artifact at all')).toEqual([{ report: 'no artifact at all' }]);
    expect(splitReports(' \n')).toEqual([]);
  });

  test('takes CRLF, an end without a newline, and a path with spaces', () => {
    expect(
      splitReports('r\r\nTest unit written to /a b/crash-1\r\nBase64: QQ==\r\n'),
    ).toMatchObject([{ artifactPath: '/a b/crash-1', inputBase64: 'QQ==' }]);
    expect(splitReports('r\nTest unit written to /a/crash-1')).toMatchObject([
      { artifactPath: '/a/crash-1' },
    ]);
  });

  test('is linear: 40,000 artifacts take no two seconds', () => {
    const output = artifact('crash-1').repeat(40_000);
    const before = process.cpuUsage();
    expect(splitReports(output)).toHaveLength(40_000);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});
