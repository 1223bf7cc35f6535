import { withoutGroups } from '../brackets.js';
import { frame, type ParsedFrame } from '../stacks/frame.js';
import type { Format, Headline } from './format.js';

const unhandled =
  /(?:Unhandled exception\. |Unhandled Exception: )((?:[\w`+]{1,128}\.){0,32}[\w`+]{1,128})(?:: (.*?))?(?: --->.*)?$/;
const inner = /^\s{0,8}---> ((?:[\w`+]{1,128}\.){0,32}[\w`+]{1,128})(?:: (.*))?$/;
const call =
  /^\s{1,8}at ((?:[^\s()]{1,512}\.)?[^\s()]{1,512}(?: [^\s()]{1,128})?)\((.{0,1024})\)(?: in (.{1,1024}):line (\d{1,9}))?\s*$/;
const bare = /^((?:[\w`+]{1,128}\.){1,32}[\w`+]{0,128}Exception)(?:: (.*))?$/;
const mostLines = 1024;

/** .NET: "Unhandled exception. System.IndexOutOfRangeException: …", also as SharpFuzz prints it. */
export const dotnet: Format = {
  name: 'dotnet',
  hint: /Unhandled [Ee]xception|^[\w.`+]+Exception\b/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const found = unhandled.exec(line) ?? (isCall(lines[at + 1] ?? '') ? bare.exec(line) : null);
    if (!found) return undefined;
    const root = lines.slice(at + 1, at + 16).findLast((next) => inner.test(next));
    const [type, text] = (root ? inner.exec(root) : found)?.slice(1) ?? [];
    const message = text === undefined || text === '' ? `${type}` : `${type}: ${text}`;
    return {
      kind: kindOf(`${type}`),
      rank: 'cause',
      at,
      message,
      language: 'dotnet',
      isDeliberate: true,
    };
  },
  stack: (lines, headline) => dotnetStack(lines, headline.at),
};

function kindOf(type: string): string {
  if (/StackOverflowException$/.test(type)) return 'stack-overflow';
  return /OutOfMemoryException$/.test(type) ? 'out-of-memory' : 'uncaught-exception';
}

/** Java's calls have no space between the arguments' types and names, and a file in brackets. */
const javaLess =
  /^ {3}at (?:[\w`+<>]{1,128}\.){1,32}[\w`<>|+.]{1,128}\((?:\)|[\w.`+<>[\],&*]{1,256} \w)/;

function isCall(line: string): boolean {
  const place = line.lastIndexOf(':line ');
  const isPlaced =
    place > 0 && /^\d/.test(line.slice(place + 6)) && line.lastIndexOf(' in ', place) > 0;
  return line.startsWith('   at ') && (isPlaced || javaLess.test(line.slice(0, 512)));
}

/** The compiler's names of lambdas and of asynchronous methods, as their author wrote them. */
const plain = (name: string) =>
  name
    .replace(/\.<>c(?:__DisplayClass\w{1,16})?(?=\.)/, '')
    .replace(/\.<(\w{1,128})>[bdg]__[\w|]{0,128}(?:\.MoveNext)?/, '.$1');

function dotnetStack(lines: readonly string[], from: number): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (const line of lines.slice(from + 1, from + 1 + mostLines)) {
    const found = call.exec(line);
    if (found) {
      const name = withoutGroups(plain(found[1] as string)).replace(/\[.{0,256}\]$/, '');
      frames.push(
        frame({ function: name.slice(0, 256), file: found[3] ?? '', line: Number(found[4] ?? 0) }),
      );
    } else if (frames.length > 0 && !/^\s{0,8}---/.test(line)) break;
  }
  return frames.slice(0, 128);
}
