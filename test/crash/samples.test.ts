import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { CrashDescription, CrashFrame } from '../../src/crash/description.js';
import { readCrashReport } from '../../src/crash/report.js';
import { crashSignature } from '../../src/crash/signature.js';

/**
 * Reports as tools wrote them here ("made": "here"), or by hand from their documented
 * forms where a tool cannot be had ("made": "by hand"), each with what must be read of it.
 */
const folder = new URL('../../../test/crash/samples/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.slice(0, -4));

interface Expected {
  readonly made: 'here' | 'by hand';
  readonly frames: string[];
  readonly security: boolean;
  readonly otherFrame?: string;
  readonly signature: string;
}

const text = (name: string) => readFileSync(new URL(name, folder), 'latin1');
const baseName = (path: string) => path.split(/[/\\]/).at(-1);

function frameText(frame: CrashFrame): string {
  return frame.line === 0
    ? frame.function
    : `${frame.function} ${baseName(frame.file)}:${frame.line}`;
}

function summary(crash: CrashDescription, made: string) {
  const { format, language, kind, message, access, accessSizeBytes, address, otherFrames } = crash;
  return {
    made,
    format,
    language,
    kind,
    message,
    ...(access && { access }),
    ...(accessSizeBytes && { accessSizeBytes }),
    ...(address && { address }),
    security: crash.security.matters,
    frames: crash.frames.slice(0, 5).map(frameText),
    ...(otherFrames && { otherFrame: otherFrames[0]?.function }),
    signature: crashSignature(crash, { target: 'target' }),
  };
}

describe('samples', () => {
  test.each(names)('%s is read whole', (name) => {
    const expected = JSON.parse(text(`${name}.json`)) as Expected;
    expect(summary(readCrashReport(text(`${name}.txt`)), expected.made)).toEqual(expected);
  });

  test.each(names)('%s reads the same behind a partial line, in colour and with CRLF', (name) => {
    const report = text(`${name}.txt`);
    const read = (changed: string) => crashSignature(readCrashReport(changed), { target: 't' });
    const plain = read(report);
    expect(read(report.replaceAll(/\r?\n/g, '\r\n'))).toBe(plain);
    expect(read(report.replaceAll(/^(?=.)/gm, '\u001b[1m'))).toBe(plain);
    expect(read(`starting up\n${report}`)).toBe(plain);
  });

  test.each(names)('%s never has a path or a placeholder for a function', (name) => {
    const { frames } = readCrashReport(text(`${name}.txt`));
    for (const frame of frames)
      expect(frame.function).not.toMatch(/^(?:$|[/\\?]|<null>|<unknown|0x)/);
  });
});
