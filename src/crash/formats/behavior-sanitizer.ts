import type { Format, Headline } from './format.js';
import { pythonStack } from './python.js';

const detected = /===BUG DETECTED: (.{1,256}?) ?===/;
const byPython = /^PySecSan: /;

/** Other words of these tools for one thing. */
const kinds: readonly [pattern: RegExp, kind: string][] = [
  [/^(?:Shell (?:corruption|injection)|Command injection)/i, 'command-injection'],
  [/^Arbitrary (?:domain name|DNS) resolution/i, 'arbitrary-dns-resolution'],
];

/**
 * SystemSan and PySecSan, which watch what a process does: "===BUG DETECTED: Arbitrary
 * file open===". The process is ended by a signal, whose stack is that of the deed.
 */
export const behaviorSanitizer: Format = {
  name: 'behavior-sanitizer',
  hint: /===BUG DETECTED: /,
  headline(lines, at): Headline | undefined {
    const text = detected.exec(lines[at] as string)?.[1];
    if (text === undefined) return undefined;
    const deed = text.replace(byPython, '');
    const known = kinds.find(([pattern]) => pattern.test(deed))?.[1];
    const kind = known ?? deed.toLowerCase().split(/\s+/).slice(0, 8).join('-');
    const language = byPython.test(text) ? { language: 'python' } : {};
    return { kind, rank: 'error', at, message: text, ...language };
  },
  stack: (lines, headline) =>
    headline.language === 'python' ? pythonStack(lines, firstCall(lines, headline.at)) : [],
};

/** Lines of explanation that may stand before the calls. */
const mostLines = 16;

function firstCall(lines: readonly string[], at: number): number {
  const found = lines.slice(at, at + mostLines).findIndex((line) => /^\s{1,16}File "/.test(line));
  return found < 0 ? lines.length : at + found;
}
