import { open, stat } from 'node:fs/promises';

/*
 * Reads from the bytes of a target which engine it was built for. Each engine leaves texts in
 * its targets: names of variables, messages of its runtime.
 */

/** Texts that tell targets apart. */
const marks = {
  honggfuzzPersistent: '_LIBHFUZZ_PERSISTENT_BINARY_SIGNATURE_',
  honggfuzzModule: 'LIBHFUZZ_module_instrument',
  honggfuzzTrace: 'hfuzz_trace_',
  afl: '__AFL_SHM_ID',
  aflPersistent: '##SIG_AFL_PERSISTENT##',
  aflDriver: 'This binary is built for afl++',
  goBuild: '\xff Go buildinf:',
  goFuzz: 'testing.(*F).Fuzz',
  libAfl: 'libafl_libfuzzer',
  libFuzzer: 'libFuzzer: run interrupted',
  asan: '__asan_init',
} as const;

export type TargetMark = keyof typeof marks;

const names = Object.keys(marks) as TargetMark[];
const needles = names.map((name) => Buffer.from(marks[name], 'latin1'));
const longestMark = Math.max(...needles.map((needle) => needle.length));
const chunkBytes = 4 * 2 ** 20;
/** Of a script, bytes that are looked through; imports come first. */
const scriptBytes = 256 * 1024;

/** What the bytes of a target show. */
export interface TargetTraits {
  /** As JobSpec.engine names it; undefined when nothing tells. */
  readonly engine: string | undefined;
  readonly marks: ReadonlySet<TargetMark>;
  /** It begins with "#!": an interpreter runs it. */
  readonly isScript: boolean;
}

/**
 * The engine that a target was built for, e.g. "libfuzzer"; undefined when nothing tells.
 *
 * @param target path of the file, or its whole content
 * @throws the system's error when the file cannot be read
 */
export async function engineOf(target: string | Uint8Array): Promise<string | undefined> {
  return (await traitsOf(target)).engine;
}

/** Traits of the files looked at last: a run looks at its target many times. */
const recent = new Map<string, TargetTraits>();
const mostRecent = 64;

/** As `engineOf`, with what it goes by. */
export async function traitsOf(target: string | Uint8Array): Promise<TargetTraits> {
  if (typeof target !== 'string') return readTraits([Buffer.from(target)]);
  const { size, mtimeMs, ino } = await stat(target);
  const key = `${target} ${ino} ${size} ${mtimeMs}`;
  const known = recent.get(key);
  if (known) return known;
  const traits = await readTraits(chunksOf(target));
  const [oldest] = recent.keys();
  if (oldest !== undefined && recent.size >= mostRecent) recent.delete(oldest);
  recent.set(key, traits);
  return traits;
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function readTraits(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<TargetTraits> {
  const found = new Set<TargetMark>();
  let before: Buffer = Buffer.alloc(0);
  let start: Buffer | undefined;
  for await (const chunk of chunks) {
    start ??= chunk.subarray(0, scriptBytes);
    if (isScript(start)) break;
    // A mark may lie across two chunks.
    const text = before.length > 0 ? Buffer.concat([before, chunk]) : chunk;
    for (const [index, needle] of needles.entries()) {
      const name = names[index] as TargetMark;
      if (!found.has(name) && text.includes(needle)) found.add(name);
    }
    before = text.subarray(Math.max(text.length - longestMark, 0));
  }
  const script = start && isScript(start) ? start.toString('latin1') : undefined;
  const engine = script === undefined ? engineByMarks(found) : engineOfScript(script);
  return { engine, marks: found, isScript: script !== undefined };
}

const isScript = (start: Buffer): boolean => start[0] === 0x23 && start[1] === 0x21;

/** The first that fits: a target of AFL++ or honggfuzz may hold libFuzzer's entry points as well. */
function engineByMarks(found: ReadonlySet<TargetMark>): string | undefined {
  const has = (mark: TargetMark) => found.has(mark);
  if (has('honggfuzzPersistent') || has('honggfuzzModule') || has('honggfuzzTrace')) {
    return 'honggfuzz';
  }
  if (has('afl')) return 'aflplusplus';
  if (has('goBuild') && has('goFuzz')) return 'gofuzz';
  return has('libAfl') || has('libFuzzer') ? 'libfuzzer' : undefined;
}

/** Atheris speaks libFuzzer's flags. Engines of the command convention name the bot's folders. */
function engineOfScript(text: string): string | undefined {
  if (/\bPANDAFUZZ_CORPUS\b/.test(text)) return 'command';
  if (/^\s*(?:import|from)\s+atheris\b/m.test(text)) return 'libfuzzer';
  return /@jazzer\.js\/core|\bjazzer\b/.test(text) ? 'jazzerjs' : undefined;
}
