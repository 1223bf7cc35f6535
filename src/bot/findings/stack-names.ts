import type { NamedFunction } from '../engines/naming.js';

/** "    #2 0x55e4d1  (/run/bin/target+0x422f3) (BuildId: d545…)", as a sanitizer prints it without names. */
const frameLine =
  /^([ \t]*)#\d{1,4} (0x[0-9a-f]{1,16})[ \t]+(\(([^()\n]{1,1024})\+(0x[0-9a-f]{1,16})\)[^\n]*)$/;

/** Of one report. */
const mostModules = 4;
const mostOffsets = 128;
/** Inlined functions make several frames of one. */
const mostFrames = 1024;

export type NamesOfModules = ReadonlyMap<string, ReadonlyMap<string, readonly NamedFunction[]>>;

/** Offsets of the frames that have no names, each once, by the paths of their modules. */
export function namelessOffsets(report: string): Map<string, string[]> {
  const byModule = new Map<string, Set<string>>();
  let count = 0;
  for (const line of report.split('\n')) {
    const [, , , , module, offset] = frameLine.exec(line) ?? [];
    if (module === undefined || offset === undefined || !module.startsWith('/')) continue;
    const offsets = byModule.get(module) ?? new Set();
    const isFull = count >= mostOffsets || (offsets.size === 0 && byModule.size >= mostModules);
    if (offsets.has(offset) || isFull) continue;
    count += 1;
    byModule.set(module, offsets.add(offset));
  }
  return new Map([...byModule].map(([module, offsets]) => [module, [...offsets]]));
}

/** The report as the sanitizer would have printed it with names; unknown frames stay as they are. */
export function withNames(report: string, names: NamesOfModules): string {
  let next = 0;
  let added = 0;
  return report
    .split('\n')
    .flatMap((line) => {
      const [, indent, address, rest, module, offset] = frameLine.exec(line) ?? [];
      if (module === undefined || offset === undefined) {
        next = 0;
        return [line];
      }
      if (/#0 /.test(line)) next = 0;
      const functions = added < mostFrames ? names.get(module)?.get(offset) : undefined;
      if (!functions?.length) return [line.replace(/#\d{1,4}/, `#${next++}`)];
      added += functions.length;
      return functions.map(
        ({ name, place }) => `${indent}#${next++} ${address} in ${name} ${place || rest}`,
      );
    })
    .join('\n');
}
