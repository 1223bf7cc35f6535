import { spacesOutside } from '../brackets.js';
import { baseName, functionName } from '../names.js';
import { frame, type ParsedFrame } from './frame.js';
import { readLocation } from './location.js';

const libraryHeader = /\/include\/c\+\+\/|\/c\+\+\/v1\//;

/** Behind a frame's number and address: "f (x=1, s=0x1 "a") at /src/a.c:3" or "… from /lib/libc.so.6". */
export function parseGdbText(text: string): ParsedFrame | undefined {
  const arguments_ = argumentsBegin(text);
  if (arguments_ < 0) return undefined;
  const name = functionName(text.slice(0, arguments_));
  const source = text.lastIndexOf(') at ');
  if (source >= 0) {
    const { file, line } = readLocation(text.slice(source + 5));
    // gdb names inlined functions in full, so the library's file is that of a lost one.
    const isLost = libraryHeader.test(file) && !name.startsWith('std::');
    return frame({ function: name, ...(!isLost && { file, line }) });
  }
  const library = text.lastIndexOf(') from ');
  if (library >= 0)
    return frame({ function: name, module: baseName(text.slice(library + 7).trim()) });
  return text.endsWith(')') ? frame({ function: name }) : undefined;
}

/** gdb alone writes a space before the arguments. */
function argumentsBegin(text: string): number {
  if (!text.includes(' (')) return -1;
  const place = spacesOutside(text.slice(0, 2048)).find((at) => isArguments(text, at));
  return place ?? -1;
}

function isArguments(text: string, space: number): boolean {
  if (text[space + 1] !== '(' || text.startsWith('(anonymous namespace)', space + 1)) return false;
  return /^\((?:\)|[\w@*. ]{1,256}=|\.\.\.\)|<)/.test(text.slice(space + 1, space + 300));
}
