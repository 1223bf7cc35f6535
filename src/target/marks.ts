import type { FileHandle } from 'node:fs/promises';

/** Engines that a program can be built for, by what their runtimes leave in it. */
export type BuiltFor = 'libfuzzer' | 'aflplusplus' | 'honggfuzz' | 'gofuzz';

/**
 * Texts of each runtime, in the order in which they decide: a program for AFL++ or honggfuzz
 * may have libFuzzer's entry points as well.
 */
const marks: readonly (readonly [BuiltFor, string])[] = [
  ['honggfuzz', '_LIBHFUZZ_PERSISTENT_BINARY_SIGNATURE_'],
  ['honggfuzz', 'LIBHFUZZ_module_instrument'],
  ['honggfuzz', 'hfuzz_trace_'],
  ['aflplusplus', '__AFL_SHM_ID'],
  ['libfuzzer', 'afl_libfuzzer'],
  ['libfuzzer', 'libFuzzer: run interrupted'],
  ['gofuzz', '\xff Go buildinf:'],
];

const readAtOnce = 1024 * 1024;
const longestMark = Math.max(...marks.map(([, mark]) => mark.length));

/**
 * The engine that a program was built for, by a look through all of it.
 *
 * @returns undefined when no runtime of a fuzzer is in it
 */
export async function builtFor(file: FileHandle): Promise<BuiltFor | undefined> {
  const found = new Set<string>();
  const buffer = Buffer.alloc(longestMark + readAtOnce);
  let kept = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, kept, readAtOnce, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const seen = buffer.subarray(0, kept + bytesRead);
    for (const [, mark] of marks) if (!found.has(mark) && seen.includes(mark, 0, 'latin1')) found.add(mark);
    // A mark may lie across two reads.
    kept = Math.min(longestMark, seen.length);
    seen.copyWithin(0, seen.length - kept);
  }
  return marks.find(([, mark]) => found.has(mark))?.[0];
}
