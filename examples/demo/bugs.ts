import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashGroup } from '../../src/gen/pandafuzz/v1/crash.js';

/** One of the bugs in target.c, as bugs.json lists them. */
export interface PlantedBug {
  readonly kind: string;
  /** The function it is in: the top frame of its crashes. */
  readonly function: string;
  readonly isFoundAs: (group: Pick<CrashGroup, 'kind' | 'topFrame'>) => boolean;
}

export function readPlantedBugs(folder: string): PlantedBug[] {
  const listed = JSON.parse(readFileSync(join(folder, 'bugs.json'), 'utf8')) as Omit<
    PlantedBug,
    'isFoundAs'
  >[];
  return listed.map((bug) => ({
    ...bug,
    isFoundAs: (group) => group.kind === bug.kind && group.topFrame === bug.function,
  }));
}
