import { keyOf, unknownReading } from '../../../../src/state/crashes/reading/reading.js';
import type { CrashReading } from '../../../../src/store/crash-rows.js';

/**
 * A reader for tests of the grouping: in a report such as "v2=parse/10 v3=parse_header/10"
 * each version finds what is meant for it, a signature and a line.
 */
export const scriptedReader =
  (version: number) =>
  ({ report }: { report: string }): CrashReading => {
    const [found, signature, line] = new RegExp(`v${version}=(\\w+)/(\\d+)`).exec(report) ?? [];
    if (found === undefined || signature === undefined) return unknownReading(version);
    return {
      ...unknownReading(version),
      kind: `kind of ${signature}`,
      message: `message ${signature}`,
      topFrame: signature,
      signature: keyOf(version, signature),
      distinction: keyOf(version, found),
      frames: JSON.stringify([signature]),
      stack: JSON.stringify([{ function: signature, line: Number(line), own: true }]),
    };
  };
