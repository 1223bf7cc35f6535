import type { ParsedFrame } from '../stacks/frame.js';
import { readStack } from '../stacks/stack.js';
import type { Format, Headline } from './format.js';

/** Windows' codes of exceptions. */
const codes: Readonly<Record<string, string>> = {
  c0000005: 'access-violation',
  c0000094: 'division-by-zero',
  c0000095: 'integer-overflow',
  c00000fd: 'stack-overflow',
  c000001d: 'ILL',
  c0000409: 'stack-buffer-overflow',
  c0000374: 'heap-corruption',
  '80000003': 'breakpoint',
};

const analyzed = /^\s{0,8}ExceptionCode: (?:0x)?([0-9a-f]{8})/i;
/** "(e64.c84): Access violation - code c0000005 (!!! second chance !!!)"; the first chance may be handled. */
const stopped =
  /^\([0-9a-f]{1,8}\.[0-9a-f]{1,8}\): .{1,128} - code ([0-9a-f]{8}) \((?:!!! second chance|first\/second chance)/i;

/** Windows' debugger: "ExceptionCode: c0000005 (Access violation)". */
export const cdb: Format = {
  name: 'cdb',
  hint: /ExceptionCode: | - code /,
  headline(lines, at): Headline | undefined {
    const line = lines[at] as string;
    const code = (analyzed.exec(line) ?? stopped.exec(line))?.[1]?.toLowerCase();
    const kind = code === undefined ? undefined : codes[code];
    // What the analysis says is better than what stopped the program.
    return kind ? { kind, rank: analyzed.test(line) ? 'error' : 'signal', at } : undefined;
  },
  stack: cdbStack,
};

/** Headers of the debugger's listings. */
const listing = /^(?:STACK_TEXT:|#? ?(?: # )?Child(?:EBP|-SP)\s+RetAddr)/;
const mostListings = 16;

/**
 * The first listing with a program's frame: the debugger also lists the thread that
 * waits for the debugger, where all frames are of Windows.
 */
function cdbStack(lines: readonly string[], headline: Headline): readonly ParsedFrame[] {
  const starts: number[] = [];
  for (let at = headline.at; at < lines.length && starts.length < mostListings; at++)
    if (listing.test(lines[at] as string)) starts.push(at);
  let first: readonly ParsedFrame[] = [];
  for (const [i, start] of starts.entries()) {
    const { frames } = readStack(lines, start + 1, starts[i + 1] ?? lines.length);
    if (frames.some((frame) => !ofWindows.test(frame.module))) return frames;
    if (first.length === 0) first = frames;
  }
  return first;
}

const ofWindows = /^(?:ntdll|kernel32|kernelbase|user32|ucrtbase|msvcrt|wow64\w{0,16})$/i;
