import { createReadStream } from 'node:fs';

/** Names that a program with libFuzzer's interface in it holds, stripped or not. */
const marks = ['LLVMFuzzer', 'libFuzzer', 'libafl', 'jazzer'].map((mark) => Buffer.from(mark));
const longestMark = Math.max(...marks.map(({ length }) => length));
/** Bytes that are searched; a larger program is taken for a fuzzer. */
const mostBytes = 2 ** 30;

/** Whether there is a fuzzer in an executable, as far as its bytes show. */
export async function holdsFuzzer(path: string): Promise<boolean> {
  let before = Buffer.alloc(0);
  let doneBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    const bytes = Buffer.concat([before, chunk as Buffer]);
    if (marks.some((mark) => bytes.includes(mark))) return true;
    before = bytes.subarray(-longestMark);
    doneBytes += (chunk as Buffer).length;
    if (doneBytes >= mostBytes) return true;
  }
  return false;
}
