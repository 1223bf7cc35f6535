import type { ServerInterceptor } from '@grpc/grpc-js';
import type { Logger } from '../../core/log.js';
import { type CallPath, plainPath } from '../call-path.js';
import { refuseUnnamedCompression } from './compressed-flag.js';
import { fastPath } from './fast-path.js';
import { boundInflation } from './inflation.js';
import { dropLateMessages } from './late-messages.js';
import { missingShapes } from './shapes.js';
import { trialCall } from './trial-call.js';

export interface Choice {
  /** grpc.fast_path. */
  readonly setting: 'auto' | 'off';
  readonly interceptors: readonly ServerInterceptor[];
  readonly log: Logger;
}

/** Chooses the fast path where it fits, else the plain one with a line in the log. */
export async function choosePath(choice: Choice): Promise<CallPath> {
  await trialCall((call) => {
    refuseUnnamedCompression(call);
    boundInflation(call);
    dropLateMessages(call);
  }).catch((err) => choice.log.warn({ missing: ['call'], err }, 'grpc guards missing'));
  const obstacle = await obstacleTo(choice);
  if (!obstacle) return fastPath;
  choice.log.info(obstacle, 'grpc fast path off');
  return plainPath;
}

async function obstacleTo({ setting, interceptors }: Choice): Promise<object | undefined> {
  if (setting === 'off') return { reason: 'setting' };
  // An interceptor's call stands before the one with the fields.
  if (interceptors.length > 0) return { reason: 'interceptor' };
  try {
    const missing = await trialCall(missingShapes);
    return missing.length > 0 ? { reason: 'shape', missing } : undefined;
  } catch (err) {
    return { reason: 'shape', err };
  }
}
