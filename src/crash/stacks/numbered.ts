import { baseName, functionName } from '../names.js';
import { type FrameParser, frame, inlined, type ParsedFrame, signalMarker } from './frame.js';
import { parseGdbText } from './gdb.js';
import { readLocation, splitLocation } from './location.js';

/** A log's prefix may stand before the number; behind it there is text, not a tab. */
const numbered = /^(?:.{0,120}?[\s:|>\]])?#(\d{1,5})(\.\d{1,3})? +(?=\S)/;
const atAddress = /^(?:0x([0-9a-f]{1,16})|pc ([0-9a-f]{6,16}))(?: +|$)(?:in(?: +|$))?/i;
const moduleAtEnd =
  /(?:^| )\(([^()]{1,1024}(?:\([^()]{0,64}\)[^()]{0,256})?)\+(0x[0-9a-f]{1,16})\)$/i;
/** Fuchsia: "f ../a.cc:12 <libc.so>+0x975fe". */
const fuchsiaModule = / <(<?[\w .+-]{0,256}>?)>\+(0x[0-9a-f]{1,16})$/i;
const buildIdAtEnd = / ?\((?:BuildId: ?|offset )[0-9a-fx]{0,128}\)$/i;
/** Android: "/system/lib/libc.so (pthread_kill+33)". */
const androidModule =
  /^(\/[^\s]{1,512}|<[\w ]{1,64}>|\[[\w :]{1,64}\])(?: \((.{1,1024}?)(?:\+\d{1,12})?\))?$/;

/**
 * "#1 0x4f in f(int) /src/a.cc:1:2", with a module and an offset where there are no
 * symbols, as sanitizers, libFuzzer and Android write it, and gdb's "#1  f (x=1) at a.c:1".
 */
export const parseNumbered: FrameParser = (line) => {
  if (!line.includes('#')) return undefined;
  const start = numbered.exec(line);
  if (!start) return undefined;
  const index = Number(start[1]) - (start[2] === undefined ? 0 : inlined);
  let text = line.slice(start[0].length).trimEnd();
  if (text.startsWith(signalMarker)) return frame({ index, function: signalMarker });
  const address = atAddress.exec(text);
  if (address) text = text.slice(address[0].length);
  // Chromium's symbolizer writes an offset before the build's id.
  text = text.replace(buildIdAtEnd, '').replace(buildIdAtEnd, '');
  const at = (address?.[1] ?? address?.[2] ?? '').toLowerCase();
  if (address?.[2] !== undefined) return androidFrame(index, text, at);
  const module = moduleAtEnd.exec(text) ?? fuchsiaModule.exec(text);
  if (!module) {
    const byGdb = parseGdbText(text);
    // Debuggers load programs where they were linked for: an address is a name there.
    const isNameless = byGdb?.function === '' && byGdb.module === '' && at !== '';
    if (byGdb) return { ...byGdb, index, address: at, ...(isNameless && { offset: `0x${at}` }) };
  }
  // ThreadSanitizer gives no address, but always a module.
  if (!address && !module) return undefined;
  return { ...describe(text, module), index, address: at };
};

function describe(text: string, module: RegExpExecArray | null): ParsedFrame {
  const described = module ? text.slice(0, module.index).trim() : text.trim();
  const moduleName = module ? baseName(module[1] as string) : '';
  const offset = module ? (module[2] as string).toLowerCase() : '';
  if (described.startsWith('/') && !module) return frame({ module: baseName(described) });
  const split = splitLocation(described);
  const { file, line } = readLocation(split.location);
  return frame({
    function: functionName(split.function),
    file,
    line,
    module: moduleName.slice(0, 256).toWellFormed(),
    offset,
  });
}

function androidFrame(index: number, text: string, offset: string): ParsedFrame {
  const found = androidModule.exec(text);
  return frame({
    index,
    function: functionName(found?.[2] ?? ''),
    module: baseName(found?.[1] ?? '')
      .slice(0, 256)
      .toWellFormed(),
    offset: `0x${offset.replace(/^0{1,15}/, '')}`,
  });
}
