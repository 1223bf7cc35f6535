import type { Format, Headline, Rank } from './format.js';
import { slug } from './sanitizer.js';

const error = /== ?ERROR: libFuzzer: (.*)$/;
const leak =
  /INFO: (?:to ignore leaks on libFuzzer side|a leak has been found in the initial corpus)/;
const singleMalloc = /^out-of-memory \((malloc\(\d{1,20}\))\)/;

/** How a run ended, which a panic, check or exception before it explains. */
const endings: ReadonlySet<string> = new Set(['deadly-signal', 'fuzz-target-exited']);

/** libFuzzer's own: timeout, out-of-memory, deadly signal, overwritten input, exits. */
export const libfuzzer: Format = {
  name: 'libfuzzer',
  hint: /libFuzzer/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const text = error.exec(line)?.[1]?.trim();
    if (text === undefined)
      return leak.test(line) ? { kind: 'memory-leak', rank: 'leftover', at } : undefined;
    const kind = slug(text);
    if (kind === '') return undefined;
    const rank: Rank = endings.has(kind) ? 'signal' : 'error';
    const message = singleMalloc.exec(text)?.[1] ?? '';
    return { kind, rank, at, message, isDeliberate: kind === 'fuzz-target-exited' };
  },
};
