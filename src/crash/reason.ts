import type { CrashDescription } from './description.js';
import { withoutValues } from './message.js';

const longestReason = 160;

/** "assertion failed: …" and "assertion `left == right` failed: …", whose text is the programmer's. */
const assertion = /^assertion /;
const slices =
  /^(?:range (?:start|end) index|slice index starts|byte index|index out of bounds|range end)/;
const native = /^(?:c|unknown)$/;
const condition = /^(?:assertion|check|dcheck|security-check|sanitizer-check)-failure$/;
const goRuntime = /^(runtime error: [a-z ]{1,64}?)(?: \[.*| with .*)?$/;

/**
 * The part of a message that names the bug, without what came from the input: an
 * exception's type, a check's condition, the programmer's words of a panic.
 */
export function reasonOf(crash: CrashDescription): string {
  const { kind, message, language } = crash;
  // What stands in quotes in a condition is the programmer's.
  const isCondition = native.test(language) && condition.test(kind);
  const text = isCondition ? message : withoutValues(message);
  return cutReason(kind, text, language, crash.frames.length > 0).slice(0, longestReason);
}

function cutReason(kind: string, text: string, language: string, hasFrames: boolean): string {
  if (!hasFrames) return text;
  if (/uncaught-exception|exit/.test(kind) || /^(?:python|java|javascript|dotnet)$/.test(language))
    return before(text, ': ');
  if (language === 'go') return goRuntime.exec(text)?.[1] ?? text;
  if (language === 'rust')
    return assertion.test(text) ? text : slices.test(text) ? 'out of bounds' : before(text, ':');
  if (kind === 'fatal-error') return /^\S+ .*?: /.test(text) ? before(text, ': ') : text;
  // "a == b (1 vs. 2) streamed text" of glog, Abseil and Chromium
  const values = text.search(/ \([^()]{0,256}vs\.? /);
  return values < 0 ? before(before(text, '. '), ' Which is: ') : text.slice(0, values);
}

function before(text: string, sign: string): string {
  const at = text.indexOf(sign);
  return at < 0 ? text : text.slice(0, at);
}
