import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Chance } from '../load/chance.js';

/** Calls that a trace needs for `unsynced`; `-s 0` leaves the bytes out. */
export const traceWrites = (trace: string): readonly string[] => [
  ...['strace', '-D', '-f', '-y', '-s', '0', '--seccomp-bpf', '-o', trace],
  ...['-e', 'trace=pwrite64,fdatasync,fsync'],
];

export interface Written {
  readonly path: string;
  readonly position: number;
  readonly bytes: number;
}

/**
 * What was written and not synced when the trace ended. A sync covers what was written before it
 * began.
 */
export function unsynced(trace: string): Written[] {
  const open = new Map<string, Written[]>();
  /** Of a thread that syncs: the file, and how many writes its sync covers. */
  const syncing = new Map<string, { path: string; covers: number }>();
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const write = /^pwrite64\(\d+<(.+?)>, .*?, (\d+), (\d+)/.exec(rest);
    if (write) {
      const [, path = '', bytes, position] = write;
      const writes = open.get(path) ?? [];
      writes.push({ path, bytes: Number(bytes), position: Number(position) });
      open.set(path, writes);
    }
    const sync = /^f(?:data)?sync\(\d+<(.+?)>/.exec(rest);
    if (sync) {
      const path = sync[1] as string;
      syncing.set(thread, { path, covers: open.get(path)?.length ?? 0 });
    }
    const isSynced = /^(?:f(?:data)?sync\(.*\)|<\.\.\. f(?:data)?sync resumed>.*)\s+= 0/.test(rest);
    const covered = syncing.get(thread);
    if (!isSynced || !covered) continue;
    open.get(covered.path)?.splice(0, covered.covers);
    syncing.delete(thread);
  }
  return [...open.values()].flat();
}

/** Bytes of a block that a disk writes whole. */
const sectorBytes = 512;

/**
 * Does to what was not synced what a power cut may: each sector is kept, lost or garbled, and a file
 * may end before it. @returns sectors that are not what was written
 */
export function cutPower(data: string, written: readonly Written[], chance: Chance): number {
  // The index of the log is in memory.
  rmSync(join(data, 'pandafuzz.db-shm'), { force: true });
  let spoilt = 0;
  for (const path of new Set(written.map((each) => each.path))) {
    if (!existsSync(path)) continue;
    const ofFile = written.filter((each) => each.path === path);
    const file = openSync(path, 'r+');
    const length = fstatSync(file).size;
    for (const { position, bytes } of ofFile) {
      for (let at = position; at < position + bytes; at += sectorBytes) {
        if (chance.is(0.5)) continue;
        const sector = Math.min(sectorBytes, position + bytes - at);
        writeSync(
          file,
          chance.is(0.5) ? Buffer.alloc(sector) : chance.bytes(sector),
          0,
          sector,
          at,
        );
        spoilt++;
      }
    }
    // Only what was appended can be missing.
    const last = ofFile.at(-1);
    if (last && chance.is(0.3) && last.position + last.bytes >= length) {
      ftruncateSync(file, last.position + chance.below(last.bytes));
      spoilt++;
    }
    closeSync(file);
  }
  return spoilt;
}
