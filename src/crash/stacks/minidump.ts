import { functionName } from '../names.js';
import { type FrameParser, frame } from './frame.js';

/** Place of each field between the bars. */
const fields =
  /^(\d{1,5})\|(\d{1,5})\|([^|]{0,256})\|([^|]{0,2048})\|([^|]{0,1024})\|(\d{0,9})\|(?:0x([0-9a-f]{1,16}))?$/i;
/** Breakpad names a file of a repository "hg:host/path:src/a.cpp:revision". */
const ofRepository = /^(?:hg|git|svn|s3):[^:]{1,256}:([^:]{1,1024}):[^:]{0,128}$/;

/**
 * Minidumps as Breakpad's stack walker lists them for machines: thread, frame, module,
 * function, file, line and offset, as in "0|1|libfoo.so|ns::f(int)|src/a.cpp|12|0x8".
 */
export const parseMinidump: FrameParser = (line) => {
  const found = line.includes('|') ? fields.exec(line) : null;
  if (!found) return undefined;
  const file = found[5] as string;
  return frame({
    index: Number(found[2]),
    module: found[3] as string,
    function: functionName(found[4] as string),
    file: (ofRepository.exec(file)?.[1] ?? file).toWellFormed(),
    line: Number(found[6]),
    offset: found[7] === undefined ? '' : `0x${found[7].toLowerCase()}`,
  });
};
