import { frame, type ParsedFrame } from '../stacks/frame.js';
import type { Format, Headline } from './format.js';

const traceback = /Traceback \(most recent call last\):\s*$/;
const uncaught = /=== Uncaught Python exception: ===\s*$/;
const exceptionLine = /^([A-Za-z_][\w.]{0,255})(?:: (.*))?$/;
const chained =
  /^(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):/;
const call = /^\s{1,16}File "([^"]{1,1024})", line (\d{1,9})(?:, in (.{1,256}))?\s*$/;

/** A Python traceback; Atheris writes the exception above it as well. */
export const python: Format = {
  name: 'python',
  hint: /Traceback \(most recent|Uncaught Python exception|^Fatal Python error: /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    if (line.startsWith('Fatal Python error: ')) return fatalHeadline(line, at);
    if (uncaught.test(line)) return undefined;
    if (!traceback.test(line)) return undefined;
    const text = exceptionOf(lines, at);
    if (text === undefined) return undefined;
    return {
      kind: kindOf(text),
      rank: 'cause',
      at,
      message: text,
      language: 'python',
      isDeliberate: true,
    };
  },
  stack: (lines, headline) => pythonStack(lines, headline.at),
};

function kindOf(text: string): string {
  if (/^AssertionError\b/.test(text)) return 'assertion-failure';
  if (/^RecursionError\b/.test(text)) return 'stack-overflow';
  return /^MemoryError\b/.test(text) ? 'out-of-memory' : 'uncaught-exception';
}

function fatalHeadline(line: string, at: number): Headline {
  return {
    kind: 'fatal-error',
    rank: 'cause',
    at,
    message: line.slice(20),
    language: 'python',
    isDeliberate: true,
  };
}

/** The exception stands above the traceback (Atheris) or below its calls. */
function exceptionOf(lines: readonly string[], at: number): string | undefined {
  if (uncaught.test(lines[at - 2] ?? '')) return lines[at - 1];
  for (const line of lines.slice(at + 1, at + 1 + 600)) {
    if (line === '' || /^\s/.test(line)) continue;
    const found = exceptionLine.exec(line);
    return found ? line.slice(0, 2048) : undefined;
  }
  return undefined;
}

/** Calls stand outside in; those of the innermost come last. */
export function pythonStack(lines: readonly string[], from: number): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] as string;
    const found = call.exec(line);
    if (found) {
      const name = (found[3] ?? '<module>').trim();
      frames.push(frame({ function: name, file: found[1] as string, line: Number(found[2]) }));
      if (frames.length > 256) frames.splice(128, 64);
    } else if (at > from && isOver(line)) break;
  }
  return frames.reverse().slice(0, 128);
}

const isOver = (line: string) =>
  (line !== '' && !/^\s/.test(line)) || traceback.test(line) || chained.test(line);
