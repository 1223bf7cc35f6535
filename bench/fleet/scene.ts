import type { Connection } from '../../src/client/connect.js';
import type { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import type { Figure } from '../measure.js';
import type { ServerProcess } from '../processes.js';
import type { Crew } from './crew.js';

/** What a script plays with: a master, and a crew whose bots have a job each. */
export interface Scene {
  readonly master: ServerProcess;
  /** Of the master. */
  readonly directory: string;
  readonly connection: Connection;
  readonly spec: JobSpec;
  readonly crew: Crew;
  /** The size of the crew, in words. */
  readonly bots: string;
}

/** A figure that must stay below its bound, taken once. */
export const below = (
  name: string,
  unit: string,
  bound: number,
  value: number,
  more: Pick<Figure, 'detail'> & Partial<Figure>,
): Figure => ({ name, value, spread: [value, value], unit, target: { is: '<', bound }, ...more });
