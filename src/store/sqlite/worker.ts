import { parentPort, workerData } from 'node:worker_threads';
import type { UserError } from '../../core/errors.js';
import type { Call } from '../call.js';
import { type Checkpointed, type CheckpointMode, checkpoint } from './checkpoint.js';
import type { ConnectionOptions } from './connection.js';
import type { Outcome } from './group-commit.js';
import { type OpenedDatabase, openDatabase } from './open.js';

/**
 * A database thread: opens its connection, then takes groups of calls and
 * answers each group as a whole.
 */
export type ToThread =
  | { readonly type: 'run'; readonly calls: readonly Call[] }
  | { readonly type: 'checkpoint'; readonly mode: CheckpointMode }
  | { readonly type: 'close' };

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string; readonly exitCode: number }
  | { readonly type: 'done'; readonly outcomes: readonly Outcome[]; readonly durationMs: number }
  | ({ readonly type: 'checkpointed'; readonly durationMs: number } & Checkpointed);

async function serve(options: ConnectionOptions): Promise<void> {
  const port = parentPort as NonNullable<typeof parentPort>;
  const answer = (message: FromThread) => port.postMessage(message);
  let database: OpenedDatabase;
  try {
    database = await openDatabase(options);
  } catch (error) {
    const { message, exitCode } = error as UserError;
    answer({ type: 'refused', message, exitCode });
    return port.close();
  }
  port.on('message', (message: ToThread) => {
    const startedAt = performance.now();
    const took = () => performance.now() - startedAt;
    if (message.type === 'run') {
      const outcomes = database.run(message.calls);
      answer({ type: 'done', outcomes, durationMs: took() });
    } else if (message.type === 'checkpoint') {
      const pages = checkpoint(database.db, message.mode);
      answer({ type: 'checkpointed', ...pages, durationMs: took() });
    } else {
      database.close();
      port.close();
    }
  });
  answer({ type: 'ready' });
}

if (parentPort) await serve(workerData as ConnectionOptions);
