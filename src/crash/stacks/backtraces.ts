import { baseName, functionName } from '../names.js';
import { type FrameParser, frame } from './frame.js';
import { readLocation } from './location.js';

const at = /^(?:.{0,80}\s)?@ {1,12}(?:0x)?([0-9a-f]{4,16}) {1,12}(.*)$/i;
const stackSize = /^(?:\d{1,10}|\(unknown\)) {1,12}(?=\S)/;

/** glog and Abseil: "    @     0x5605333e2ca0  ns::f()". */
export const parseAtSign: FrameParser = (line) => {
  const found = line.includes('@') && !line.startsWith('PC: ') ? at.exec(line) : null;
  if (!found) return undefined;
  const text = (found[2] as string).replace(stackSize, '');
  return frame({ function: functionName(text), address: (found[1] as string).toLowerCase() });
};

const mac =
  /^(\d{1,4}) {2,4}(\S.{0,255}?)[ \t]0x([0-9a-f]{8,16}) (.+?)(?: \+ (\d{1,12}))?(?: \(([^()]{1,512})\))?$/i;

/** macOS: "2   Content Shell Framework   0x000000010cbf477a _ZN2ui1fEv + 698". */
export const parseMac: FrameParser = (line) => {
  if (!/^\d/.test(line)) return undefined;
  const found = mac.exec(line);
  if (!found) return undefined;
  const location = readLocation(found[6] ?? '');
  const address = (found[3] as string).toLowerCase();
  const module = (found[2] as string).trimEnd();
  return frame({
    index: Number(found[1]),
    function: functionName(found[4] as string),
    module,
    address,
    ...location,
  });
};

const windows =
  /^[\s(\w.)]{0,16}?([^\s[](?:[^[]|\[(?!0x)){0,2048}) \[0x([0-9A-F]{6,16})\+(\d{1,10})\](?: \(([^()]{1,1024})\))?$/i;

/** Chromium on Windows: "\tbase::f [0x61C20814+20] (base\a.cc:215)". */
export const parseWindows: FrameParser = (line) => {
  const found = line.includes(' [0x') ? windows.exec(line) : null;
  if (!found) return undefined;
  const location = readLocation(found[4] ?? '');
  return frame({
    function: functionName(found[1] as string),
    address: (found[2] as string).toLowerCase(),
    ...location,
  });
};

const cdb =
  /^(?:[0-9a-f]{1,3} )?(?:[0-9a-f`]{8,17} ){2}(?:(?:: )?(?:[0-9a-f`]{8,17} ){3,4}(?:: )?)?([\w.-]{1,128})!(.{1,2048}?)(?:\+0x[0-9a-f]{1,16})?(?: \[([^\][]{1,1024})\])?$/i;

/**
 * Windows' debugger: "00000000`0012f0a8 00000000`7712ab8e ntdll!RtlRun+0x8e [a.c @ 12]",
 * with the first arguments between address and name in some of its listings.
 */
export const parseCdb: FrameParser = (line) => {
  const found = line.includes('!') ? cdb.exec(line) : null;
  if (!found) return undefined;
  const location = readLocation((found[3] ?? '').replace(/ @ (?=\d)/, ':'));
  return frame({ function: functionName(found[2] as string), module: `${found[1]}`, ...location });
};

const symbols =
  /^\s{0,16}([^\s()]{1,512})\((?:([^()+]{0,1024}(?:\([^()]{0,512}\)[^()+]{0,64})?))?\+(0x[0-9a-f]{1,16})\) ?\[0x([0-9a-f]{1,16})\]/i;

/** backtrace_symbols of the C library: "./d8(_ZN2v81fEv+0x12) [0x55e1]". */
export const parseBacktraceSymbols: FrameParser = (line) => {
  const found = line.includes('+0x') ? symbols.exec(line) : null;
  if (!found) return undefined;
  return frame({
    function: functionName(found[2] ?? ''),
    module: baseName(found[1] as string),
    offset: (found[3] as string).toLowerCase(),
    address: (found[4] as string).toLowerCase(),
  });
};

const address = /^\s{0,8}(\S.{0,2047}?\)) \[0x([0-9a-f]{5,16})\]$/i;

/** Chromium elsewhere: "demo::f() [0x1bfc00c]". */
export const parseAddressAtEnd: FrameParser = (line) => {
  const found = line.endsWith(']') ? address.exec(line) : null;
  if (!found) return undefined;
  const name = functionName(found[1] as string);
  return frame({ function: name, address: (found[2] as string).toLowerCase() });
};

const honggfuzz =
  /^\s{0,4}<0x([0-9a-f]{1,16})> \[(?:func:)?(\S{0,1024}?)(?:\(\))?(?: file:(\S{0,512}) line:(\d{1,9}))?(?::\d{1,9})?(?: module:(\S{0,512})| at (\S{1,512}))?\]/i;

/** honggfuzz: " <0x0000555555554a1b> [func:f file:a.c line:3 module:/t/x]". */
export const parseHonggfuzz: FrameParser = (line) => {
  const found = line.includes('<0x') ? honggfuzz.exec(line) : null;
  if (!found) return undefined;
  const location = found[3]
    ? { file: found[3], line: Number(found[4]) }
    : readLocation(found[6] ?? '');
  const name = functionName(found[2] as string);
  const address = (found[1] as string).toLowerCase();
  return frame({ function: name, module: baseName(found[5] ?? ''), address, ...location });
};

const kernel =
  /^(?:\[[ \d.]{1,24}\] |.{0,64}\] )? ?(?:RIP: \d{1,6}:)?\[?(?:<[0-9a-f]{8,16}>\] )?([A-Za-z_][\w.]{0,255})\+0x[0-9a-f]{1,8}\/0x[0-9a-f]{1,8}(?: \[\w{1,64}\])?(?: (\S{1,512}:\d{1,9}))?\s*$/i;

const kernelInlined =
  /^(?:\[[ \d.]{1,24}\] |.{0,64}\] )? ?(?:\[<[0-9a-f ]{0,16}(?:inline)?[0-9a-f ]{0,16}>\] )?([A-Za-z_][\w.]{0,255}) (\S{1,512}:\d{1,9}) \[inline\]\s*$/;

/**
 * Linux: " kasan_report+0x12/0x34 mm/kasan/report.c:12", and inlined functions as
 * "__dump_stack lib/dump_stack.c:15 [inline]". Frames behind "?" are guesses of the kernel.
 */
export const parseKernel: FrameParser = (line) => {
  const found = line.includes('/0x')
    ? kernel.exec(line)
    : line.includes(' [inline]')
      ? kernelInlined.exec(line)
      : null;
  if (!found) return undefined;
  return frame({ function: functionName(found[1] as string), ...readLocation(found[2] ?? '') });
};
