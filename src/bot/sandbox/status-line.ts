import type { Readable } from 'node:stream';

/** Where bubblewrap writes about the run, as a number of a file. */
export const statusDescriptor = 3;

/** What it writes is short; a longer line is none of its. */
const longestBytes = 4096;

/**
 * Reads bubblewrap's first line: `{ "child-pid": 123, ... }`, the process that stands for all
 * of the run, as the bot sees it.
 *
 * @returns undefined when the stream ends without one
 */
export function childPid(status: Readable): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    status.on('data', (chunk: Buffer) => {
      if (text.length < longestBytes) text += chunk.toString('latin1');
      const pid = /"child-pid": (\d{1,10})/.exec(text)?.[1];
      if (pid) resolve(Number(pid));
    });
    status.once('error', () => resolve(undefined));
    status.once('close', () => resolve(undefined));
  });
}
