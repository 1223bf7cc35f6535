import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '../../core/errors.js';
import { TargetFault } from '../fault.js';
import type { UnpackOrder } from './unpack.js';
import { unpackBundle } from './unpack-bundle.js';
import { unpackSeeds } from './unpack-seeds.js';

/** The thread of `unpack`: carries out one order. */

/** What came of it. */
export type Unpacked =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The archive's, not this machine's. */
      readonly fault: boolean;
      readonly message: string;
      readonly code: string | undefined;
    };

async function carryOut({ as, archive, folder, bounds }: UnpackOrder): Promise<Unpacked> {
  try {
    if (as === 'bundle') await unpackBundle(archive, folder, bounds);
    else await unpackSeeds(archive, folder, bounds);
    return { ok: true };
  } catch (error) {
    const fault = error instanceof TargetFault;
    return { ok: false, fault, message: messageOf(error), code: codeOf(error) };
  }
}

parentPort?.postMessage(await carryOut(workerData as UnpackOrder));
