import { baseName, functionName } from '../names.js';
import { type FrameParser, frame } from './frame.js';

const line = /^(?:--|==)\d{1,10}(?:--|==) {2,8}(at|by) 0x([0-9A-F]{1,16}): (.*)$/;
const source = / \(([^()]{1,512}):(\d{1,9})\)$/;
const object = / \((?:in |within )([^()]{1,1024})\)$/;

/** "==1==    at 0x1091: f (a.c:12)" and "==1==    by 0x4A: g (in /usr/lib/libg.so)". */
export const parseValgrind: FrameParser = (text) => {
  const start = line.exec(text);
  if (!start) return undefined;
  const described = (start[3] as string).trimEnd();
  const address = (start[2] as string).toLowerCase();
  const index = start[1] === 'at' ? 0 : -1;
  const at = source.exec(described);
  if (at) {
    const name = functionName(described.slice(0, at.index));
    return frame({ index, function: name, file: at[1] as string, line: Number(at[2]), address });
  }
  const within = object.exec(described);
  const name = functionName(within ? described.slice(0, within.index) : described);
  const module = within ? baseName(within[1] as string) : '';
  return frame({ function: name, module, offset: name === '' ? `0x${address}` : '', address });
};
