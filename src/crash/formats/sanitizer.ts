import type { Format, Headline, Rank } from './format.js';

const headline =
  /(?:ERROR: (?:Address|HWAddress|Memory|Leak|UndefinedBehavior|DataFlow|Thread|NumericalStability|Realtime|Type|KernelAddress)Sanitizer:? |(?:ERROR|WARNING): MemorySanitizer: |ERROR: GWP-ASan: )(.*)$/;
/** The watcher of memory writes no "ERROR: ". */
const limit = /^==\d{1,10}==\w{4,32}Sanitizer: (hard rss limit exhausted)/;

/** Sentences where others print a name first. */
const sentences: readonly [start: string, kind: string][] = [
  ['attempting double-free', 'double-free'],
  ['attempting free on address', 'bad-free'],
  ['attempting to call malloc_usable_size', 'bad-malloc_usable_size'],
  ['attempting to call __sanitizer_get_allocated_size', 'bad-__sanitizer_get_allocated_size'],
  ['requested allocation size', 'allocation-size-too-big'],
  ['requested allocation alignment', 'invalid-allocation-alignment'],
  ['invalid allocation alignment', 'invalid-allocation-alignment'],
  ['calloc parameters overflow', 'calloc-overflow'],
  ['reallocarray parameters overflow', 'reallocarray-overflow'],
  ['allocator is out of memory', 'out-of-memory'],
  ['allocator is trying to allocate', 'out-of-memory'],
  ['failed to allocate', 'out-of-memory'],
  ['out of memory', 'out-of-memory'],
  ['specified RSS limit exceeded', 'rss-limit-exceeded'],
  ['hard rss limit exhausted', 'rss-limit-exceeded'],
  ['detected memory leaks', 'memory-leak'],
  ['nested bug in the same thread', 'nested-bug'],
];

/** Names of signals, which a failed check before them explains. */
const signals: ReadonlySet<string> = new Set([
  'SEGV',
  'ABRT',
  'BUS',
  'ILL',
  'TRAP',
  'access-violation',
  'breakpoint',
  'illegal-instruction',
  'unknown-crash-signal',
  'deadly-signal',
]);

/** AddressSanitizer, HWASan, MemorySanitizer, LeakSanitizer and their kin. */
export const sanitizer: Format = {
  name: 'sanitizer',
  hint: /Sanitizer:? |GWP-ASan: /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const found = headline.exec(line) ?? limit.exec(line);
    if (!found) return undefined;
    const text = (found[1] as string).trim();
    const kind = sanitizerKind(text);
    if (kind === '') return undefined;
    return { kind, rank: rankOf(kind), at, isDeliberate: deliberate.has(kind) };
  },
};

const deliberate: ReadonlySet<string> = new Set([
  'ABRT',
  'TRAP',
  'ILL',
  'breakpoint',
  'illegal-instruction',
]);

function rankOf(kind: string): Rank {
  if (kind === 'memory-leak' || kind === 'nested-bug') return 'leftover';
  return signals.has(kind) ? 'signal' : 'error';
}

export function sanitizerKind(text: string): string {
  const sentence = sentences.find(([start]) => text.startsWith(start));
  if (sentence) return sentence[1];
  // "heap-use-after-free on address …", "memcpy-param-overlap: …"; ThreadSanitizer: "data race (pid=1)"
  const name = /^[^\s:(]{1,128}(?=:| on | in |$)/.exec(text)?.[0];
  return name ?? slug(text);
}

/** "timeout after 3 seconds", "out-of-memory (used: …)", "deadly signal", in the tool's own short words. */
export function slug(text: string): string {
  const words = (text.slice(0, 512).split(/ \(| after \d|:/, 1)[0] as string)
    .trim()
    .split(/\s+/)
    .slice(0, 8);
  return words.join('-');
}
