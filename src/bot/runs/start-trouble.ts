import { JobOutcome, StartTrouble } from '../../gen/pandafuzz/v1/job.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import type { FuzzEnd } from './ends.js';
import type { TargetFile } from './target-file.js';

/** A start that ended before it executed an input. */
export interface UselessStart {
  readonly exit: SandboxExit;
  /** The last lines that were printed. */
  readonly words: string;
  readonly file: TargetFile;
  /** What happened, for people. */
  readonly what: string;
  /** There is a fuzzer in the executable, as far as its bytes show; undefined: unknown. */
  readonly hasFuzzer: boolean | undefined;
}

type Sign = readonly [pattern: RegExp, describe: (match: RegExpExecArray) => string];

/** What the machine lacks, in the words of loaders and interpreters; the same on all bots. */
const missing: readonly Sign[] = [
  [
    /error while loading shared libraries: ([^\s:]+): cannot open shared/i,
    ([, name]) => `library ${name}`,
  ],
  [/Error loading shared library ([^\s:]+):/, ([, name]) => `library ${name}`],
  [/version [`'"]([\w.]{1,64})['"] not found/, ([, name]) => `version ${name} of a library`],
  [
    /(?:symbol lookup error|Error relocating)\b[^\n]*?: (?:undefined symbol: )?([\w@.]{1,128})(?:: symbol not found|\s|,|$)/m,
    ([, name]) => `symbol ${name} in a library`,
  ],
  [
    /\benv: ['"‘]?([^'"’:\n/][^'"’:\n]{0,127})['"’]?: No such file/,
    ([, name]) => `program ${name}`,
  ],
  [/ModuleNotFoundError: No module named '([^'\n]{1,128})'/, ([, name]) => `Python module ${name}`],
  [/Cannot find (?:module|package) '([^'\n]{1,128})'/, ([, name]) => `module ${name} of Node`],
  [/Can't locate (\S{1,128}) in @INC/, ([, name]) => `Perl module ${name}`],
  [/cannot load such file -- (\S{1,128})/, ([, name]) => `Ruby module ${name}`],
  [/UnsupportedClassVersionError/, () => 'a newer Java'],
];

/** Limits and settings of the machine, in the words of the C library and of sanitizers. */
const machine: readonly Sign[] = [
  [
    /(?:failed to execute|execvp?|cannot execute|exec:|\benv:)[^\n]*?(Permission denied|Operation not permitted)/i,
    () => 'nothing may be executed in the work folder of the bot',
  ],
  [
    /(Text file busy|No space left on device|Disk quota exceeded|Resource temporarily unavailable|Cannot allocate memory|Cannot fork|Too many open files(?: in system)?|Read-only file system|Input\/output error|Stale file handle)/i,
    ([words]) => words,
  ],
  [
    /std::bad_alloc|(?:failed to|ERROR: Failed to) (?:allocate|mmap|reserve)[^\n]*/i,
    () => 'no memory is left',
  ],
  [
    /ReserveShadowMemoryRange failed|Shadow memory range interleaves|unexpected memory mapping|can ?not mmap the shadow memory/i,
    () =>
      'the sanitizer finds no room for its shadow memory: see "ulimit -v", or lower the kernel\'s vm.mmap_rnd_bits',
  ],
  [
    /LeakSanitizer has encountered a fatal error/,
    () => 'LeakSanitizer cannot trace processes here',
  ],
];

/** What no other attempt can do better, in the words of the engine and of the system. */
const certain: readonly Sign[] = [
  [/Argument list too long/, () => "the job's arguments and environment are too long"],
  [
    /Sanitizer: ERROR: (?:expected '=' in \w+_OPTIONS|unterminated string|Flag parsing failed)/,
    () => "the options of the target's sanitizer cannot be read",
  ],
  [/ParseDictionaryFile: [^\n]*/, ([words]) => `the dictionary cannot be read: ${words}`],
];

/** Words that make it likely that another machine would do better. */
const surroundings =
  /no such file|not found|denied|cannot|can't|could not|couldn't|unable|missing|unavailable|refused|timed? ?out|not installed|failed to (?:open|load|connect)/i;

/** The target's own words, in the message of a result, characters. */
const longestWords = 2000;

/**
 * Whose trouble it is that a start executed nothing: the machine's (another bot may do
 * better), certainly the target's (no attempt would do better), or unknown, which uses up an
 * attempt.
 */
export function blameOf(start: UselessStart): FuzzEnd {
  const { exit, words, file, hasFuzzer } = start;
  const lacks = missingPart(start);
  if (lacks !== undefined) {
    return ofBot(StartTrouble.MISSING, `${lacks} is missing here`, start, lacks);
  }
  const [limit] = findIn(machine, words);
  if (limit !== undefined) return ofBot(StartTrouble.MACHINE, limit, start);
  if (exit.signal === 'SIGKILL') {
    return ofBot(StartTrouble.MACHINE, 'it was killed, as when memory runs out', start);
  }
  const [fault] = findIn(certain, words);
  if (fault !== undefined) return ofTarget(fault, start);
  if (file.format === 'other') {
    return ofTarget("the target is no program: it is neither ELF nor begins with '#!'", start);
  }
  if (/Exec format error/i.test(words)) {
    return ofTarget('the target is damaged, or made for another kind of machine', start);
  }
  // As shells and loaders have it, in words of no known kind: a second bot tells whose it is.
  if (exit.code === 126 || exit.code === 127) {
    const how = `exit code ${exit.code}`;
    return ofBot(StartTrouble.MISSING, 'it is not found, or cannot be executed', start, how);
  }
  const isUnlike = hasFuzzer === false || (file.format === 'script' && !surroundings.test(words));
  if (isUnlike && exit.signal === null) {
    return ofTarget('the target is no fuzzer: it ended without executing an input', start);
  }
  return { outcome: JobOutcome.FAILED, message: describe(start.what, start) };
}

function missingPart({ file, words }: UselessStart): string | undefined {
  if (file.otherProcessor !== '') return `processor ${file.otherProcessor}`;
  if (file.format === 'script' && !file.hasInterpreter) return `interpreter ${file.interpreter}`;
  const [name] = findIn(missing, words);
  if (name !== undefined) return name;
  // The file is there: what is not is the loader that it names.
  const isLoader = /(?:failed to execute|execvp?|\benv: ['"‘]?\/)[^\n]*: No such file/i.test(words);
  return isLoader && file.format === 'elf' ? 'its dynamic loader' : undefined;
}

function findIn(signs: readonly Sign[], words: string): [description?: string] {
  for (const [pattern, describeMatch] of signs) {
    const match = pattern.exec(words);
    if (match) return [describeMatch(match)];
  }
  return [];
}

function ofBot(trouble: StartTrouble, why: string, start: UselessStart, cause?: string): FuzzEnd {
  const message = describe(`the target cannot be started on this bot: ${why}`, start);
  const blamed = { outcome: JobOutcome.INFRASTRUCTURE, message, trouble };
  return cause === undefined ? blamed : { ...blamed, cause: causeOf(cause) };
}

const ofTarget = (why: string, start: UselessStart): FuzzEnd => ({
  outcome: JobOutcome.FAILED,
  message: describe(why, start),
  final: true,
});

/** As the contract allows it: one line of 256 characters. */
const causeOf = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);

function describe(what: string, { exit, words }: UselessStart): string {
  const how = exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`;
  const said = words.trim().slice(-longestWords);
  return `${what} (${how})${said ? `. Its last words: ${said}` : ' and printed nothing'}`;
}
