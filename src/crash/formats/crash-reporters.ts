import { signalHeadline } from './engines.js';
import type { Format, Headline } from './format.js';

/** Exceptions of macOS and of Windows in the words of signals. */
const exceptions: readonly [pattern: RegExp, kind: string][] = [
  [/^(?:EXC_BAD_ACCESS|EXC_GUARD|EXCEPTION_ACCESS_VIOLATION)/, 'SEGV'],
  [/^EXCEPTION_IN_PAGE_ERROR/, 'BUS'],
  [/^(?:EXC_BAD_INSTRUCTION|EXCEPTION_(?:ILLEGAL|PRIV)_INSTRUCTION)/, 'ILL'],
  [/^(?:EXC_ARITHMETIC|EXCEPTION_(?:INT|FLT)_DIVIDE_BY_ZERO)/, 'FPE'],
  [/^(?:EXC_BREAKPOINT|EXCEPTION_BREAKPOINT)/, 'TRAP'],
  [/^EXC_CRASH/, 'ABRT'],
];

function reported(text: string, at: number): Headline | undefined {
  if (/^EXCEPTION_STACK_OVERFLOW/.test(text)) return { kind: 'stack-overflow', rank: 'error', at };
  const signal =
    /\b(SIG[A-Z]{2,8})\b/.exec(text)?.[1] ??
    exceptions.find(([pattern]) => pattern.test(text))?.[1];
  return signal ? signalHeadline(signal, at) : undefined;
}

const apple = /^Exception Type: {1,8}(\S.{0,128})$/;

/** macOS's reporter: "Exception Type:  EXC_BAD_ACCESS (SIGSEGV)". */
export const appleReport: Format = {
  name: 'apple-report',
  hint: /^Exception Type: /,
  headline(lines, at): Headline | undefined {
    const text = apple.exec(lines[at] as string)?.[1];
    return text === undefined ? undefined : reported(text, at);
  },
};

const minidumpLine = /^Crash\|([^|]{1,256})\|/;

/** Breakpad's stack walker: "Crash|SIGSEGV|0x0|0". */
export const minidump: Format = {
  name: 'minidump',
  hint: /^Crash\|/,
  headline(lines, at): Headline | undefined {
    const text = minidumpLine.exec(lines[at] as string)?.[1];
    return text === undefined ? undefined : reported(text, at);
  },
};
