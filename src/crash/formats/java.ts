import { frame, type ParsedFrame } from '../stacks/frame.js';
import type { Format, Headline } from './format.js';

const start =
  /^(?:.{0,256}?== Java (?:Exception|Assertion Error): |Exception in thread ".{0,256}?" |.{0,128}?Caused by: )((?:[\w$]{1,128}\.){0,32}[A-Z][\w$]{0,127})(?:: (.*))?$/;
const bare =
  /^((?:[\w$]{1,128}\.){1,32}[A-Z][\w$]{0,127}(?:Exception|Error|Throwable))(?:: (.*))?$/;
const cause = /^\s{0,8}Caused by: ((?:[\w$]{1,128}\.){0,32}[A-Z][\w$]{0,127})(?:: (.*))?$/;
const call =
  /^\s{1,16}at (?:[\w.@-]{1,128}\/{1,2}){0,3}((?:[\w$]{1,256}\.){1,32}[\w$<>]{1,256})\(([^()]{0,512})\)/;
/** Lines of calls and of the last cause that are looked at. */
const mostLines = 2048;

/** Java: Jazzer's "== Java Exception: …" and uncaught exceptions of any program on the JVM. */
export const java: Format = {
  name: 'java',
  hint: /Java Exception|Java Assertion|Exception in thread|^[\w$.]+(?:Exception|Error|Throwable)\b/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const found = start.exec(line) ?? (call.test(lines[at + 1] ?? '') ? bare.exec(line) : null);
    if (!found || cause.test(line)) return undefined;
    const root = rootCause(lines, at) ?? { type: found[1] as string, text: found[2] ?? '' };
    return { rank: 'cause', at, language: 'java', isDeliberate: true, ...described(found, root) };
  },
  stack: (lines, headline) => javaStack(lines, headline.at),
};

function described(first: RegExpExecArray, root: { type: string; text: string }) {
  const isIssue = (first[1] as string).startsWith(
    'com.code_intelligence.jazzer.api.FuzzerSecurityIssue',
  );
  const [type, text] = isIssue ? [first[1] as string, first[2] ?? ''] : [root.type, root.text];
  return { kind: kindOf(type, root.type), message: text === '' ? type : `${type}: ${text}` };
}

function kindOf(type: string, root: string): string {
  if (/StackOverflowError$/.test(root)) return 'stack-overflow';
  if (/OutOfMemoryError$/.test(root)) return 'out-of-memory';
  if (/AssertionError$/.test(type)) return 'assertion-failure';
  return type.includes('FuzzerSecurityIssue') ? 'security-issue' : 'uncaught-exception';
}

/** Lines that belong to one exception: calls, "... 3 more", causes and suppressed ones. */
const belongs = (line: string) =>
  /^\s{1,16}(?:at |\.{3} \d|Suppressed: )/.test(line) || cause.test(line);

/** The innermost cause, which is where the fault was found. */
function rootCause(
  lines: readonly string[],
  at: number,
): { type: string; text: string } | undefined {
  let found: RegExpExecArray | null = null;
  let others = 0;
  for (const line of lines.slice(at + 1, at + 1 + mostLines)) {
    if (belongs(line)) found = cause.exec(line) ?? found;
    // A message may take several lines before the calls begin.
    else if (++others > 8) break;
  }
  return found ? { type: found[1] as string, text: found[2] ?? '' } : undefined;
}

function javaStack(lines: readonly string[], from: number): ParsedFrame[] {
  let stacks: ParsedFrame[][] = [[]];
  let others = 0;
  for (const line of lines.slice(from + 1, from + 1 + mostLines)) {
    if (cause.test(line)) stacks = [[], ...stacks];
    const found = call.exec(line);
    if (found) stacks[0]?.push(javaFrame(found));
    else if (!belongs(line) && (++others > 8 || (stacks[0]?.length ?? 0) > 0)) break;
  }
  return stacks.flat().slice(0, 128);
}

function javaFrame(found: RegExpExecArray): ParsedFrame {
  const place = /^([^:]{1,512}):(\d{1,9})$/.exec(found[2] as string);
  return frame({
    function: found[1] as string,
    file: place?.[1] ?? '',
    line: Number(place?.[2] ?? 0),
  });
}
