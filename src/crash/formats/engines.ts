import type { Format, Headline } from './format.js';

const signalNames: Readonly<Record<number, string>> = {
  3: 'QUIT',
  4: 'ILL',
  5: 'TRAP',
  6: 'ABRT',
  7: 'BUS',
  8: 'FPE',
  9: 'KILL',
  11: 'SEGV',
  15: 'TERM',
  16: 'STKFLT',
  24: 'XCPU',
  25: 'XFSZ',
  31: 'SYS',
};

/** "SIGSEGV" and 11 are "SEGV", as the sanitizers call it. */
export function signalKind(signal: string): string {
  const number = Number(signal);
  return signalNames[number] ?? signal.replace(/^SIG/, '');
}

export const isAbort = (kind: string) => /^(?:ABRT|TRAP|ILL)$/.test(kind);

/** The kind of a signal and its rank: a floating-point error explains itself. */
export function signalHeadline(signal: string, at: number): Headline {
  const kind = signalKind(signal);
  return { kind, rank: kind === 'FPE' ? 'error' : 'signal', at, isDeliberate: isAbort(kind) };
}

const killed =
  /(?:\bid:\d{1,12},sig:(\d{1,3})|(?:killed|terminated|crashed|died)(?: with| by| from)? signal:? ?(SIG[A-Z]{2,8}|\d{1,3})|Terminated by signal (\d{1,3})|exited on signal (\d{1,3}))/i;

/** AFL++: "id:000000,sig:06,…", "Program killed by signal 11", and others that name a signal. */
export const afl: Format = {
  name: 'afl',
  hint: /sig:\d|[Ss]ignal|Program timed off/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (/\+\+\+ Program timed off \+\+\+/.test(line)) return { kind: 'timeout', rank: 'error', at };
    const found = killed.exec(line);
    const signal = found?.[1] ?? found?.[2] ?? found?.[3] ?? found?.[4];
    if (signal === undefined || Number(signal) === 0) return undefined;
    return signalHeadline(signal, at);
  },
};

const field =
  /^(?:ORIG_FNAME|FUZZ_FNAME|PID|SIGNAL|PC|FAULT ADDRESS|INSTRUCTION|STACK HASH|STACK): ?(.*)$/;

/** honggfuzz's HONGGFUZZ.REPORT.TXT, of which "SIGNAL: SIGSEGV (11)" is the headline. */
export const honggfuzz: Format = {
  name: 'honggfuzz',
  hint: /^SIGNAL: /,
  headline(lines, at): Headline | undefined {
    const signal = /^SIGNAL: (SIG[A-Z]{2,8})/.exec(lines[at] as string)?.[1];
    const near = lines.slice(Math.max(0, at - 8), at + 8).filter((line) => field.test(line));
    return signal && near.length > 2 ? signalHeadline(signal, at) : undefined;
  },
};

const limits: readonly [pattern: RegExp, kind: string][] = [
  [/Per-(?:input|batch) timeout exceeded/, 'timeout'],
  [/RSS limit exceeded/, 'out-of-memory'],
  [/Stack limit exceeded/, 'stack-overflow'],
];

/** Centipede ends its runner by SIGABRT after it printed which limit was passed. */
export const centipede: Format = {
  name: 'centipede',
  hint: /={9} \S/,
  headline(lines, at): Headline | undefined {
    const kind = limits.find(([pattern]) => pattern.test(lines[at] as string))?.[1];
    return kind ? { kind, rank: 'error', at } : undefined;
  },
};
