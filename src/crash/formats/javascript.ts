import { frame, type ParsedFrame } from '../stacks/frame.js';
import { readLocation } from '../stacks/location.js';
import type { Format, Headline } from './format.js';

const jazzer = /==\d{1,12}== Uncaught Exception: (?:Jazzer\.js: )?(.*)$/;
const named =
  /^(?:\[?Uncaught:? )?([A-Z][\w$]{0,127}(?:Error|Exception|Finding)?(?: \[[A-Z_\d]{1,64}\])?)(?:: (.*))?$/;
const error = /(?:Error|Exception|Finding)\b/;
const call = /^\s{2,16}at (?:(?:async )?(.{1,512}?) \((.{1,1024})\)|(?:async )?(\S.{0,1023}))\s*$/;
const place =
  /^(?:.{1,1024}:\d{1,9}(?::\d{1,9})?|native|<anonymous>|index \d{1,9}|node:.{1,512}|eval at .{1,1000})$/;
/** Lines that an exception's message may take before its calls. */
const mostMessageLines = 12;

/** JavaScript: Jazzer.js's "Uncaught Exception" and what Node prints of one. */
export const javascript: Format = {
  name: 'javascript',
  hint: /Uncaught|Error|Exception|Finding/,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const byJazzer = jazzer.exec(line)?.[1];
    if (byJazzer !== undefined) return headlineOf(at, namedAfter(lines, at) ?? byJazzer);
    if (/Uncaught Exception: /.test(lines[at - 1] ?? '')) return undefined;
    if (!named.test(line) || !error.test(line) || !callFollows(lines, at)) return undefined;
    return headlineOf(at, line.trim());
  },
  stack: (lines, headline) => javascriptStack(lines, headline.at),
};

function headlineOf(at: number, text: string): Headline {
  const kind = /^RangeError: Maximum call stack/.test(text) ? 'stack-overflow' : kindOf(text);
  return { kind, rank: 'cause', at, message: text, language: 'javascript', isDeliberate: true };
}

const kindOf = (text: string) =>
  /^AssertionError\b/.test(text) ? 'assertion-failure' : 'uncaught-exception';

/** Jazzer.js repeats the exception with its type in the next line. */
function namedAfter(lines: readonly string[], at: number): string | undefined {
  const next = lines[at + 1] ?? '';
  return named.test(next) && error.test(next) ? next.trim() : undefined;
}

const isCall = (line: string) => {
  const found = call.exec(line);
  return found !== null && place.test(found[2] ?? found[3] ?? '');
};

function callFollows(lines: readonly string[], at: number): boolean {
  for (const line of lines.slice(at + 1, at + 1 + mostMessageLines)) {
    if (/^\s{2,16}at /.test(line)) return isCall(line);
  }
  return false;
}

function javascriptStack(lines: readonly string[], from: number): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (const line of lines.slice(from + 1, from + 1 + 256)) {
    const found = call.exec(line);
    if (!found) {
      if (frames.length > 0) break;
      continue;
    }
    frames.push(javascriptFrame(found));
  }
  return frames.slice(0, 128);
}

function javascriptFrame(found: RegExpExecArray): ParsedFrame {
  const { file, line } = readLocation((found[2] ?? found[3] ?? '').replace(/^file:\/\//, ''));
  const name = (found[1] ?? '').replace(/ \[as .{1,128}\]$/, '');
  // A function without a name is known by where it is.
  const unnamed = name === '' || name === '<anonymous>';
  const shown = unnamed ? `<anonymous>@${file.slice(file.lastIndexOf('/') + 1)}` : name;
  return frame({ function: shown.slice(0, 256).toWellFormed(), file, line });
}
