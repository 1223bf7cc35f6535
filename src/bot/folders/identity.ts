import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { describeTrouble } from '../../core/system-trouble.js';

/** EX_TEMPFAIL and EX_CANTCREAT of sysexits.h. */
const inUse = 75;
const cannotCreate = 73;

/** The folder a bot works in, its own for as long as it holds it. */
export interface WorkFolder {
  readonly path: string;
  /** Targets and seeds, by SHA-256. */
  readonly artifacts: string;
  /** Corpora, as far as they were brought. */
  readonly corpora: string;
  /** One folder for each run. */
  readonly runs: string;
  /** Crashes the master has not yet acknowledged. */
  readonly spool: string;
  /** Inputs that a killed process had found, by target. */
  readonly unsent: string;
  /** Hits of crashes that a killed process had met. */
  readonly hits: string;
  /** What engines keep of jobs whose runs ended with the bot. */
  readonly states: string;
  /** Programs under the names that others want them to have. */
  readonly tools: string;
  release(): Promise<void>;
}

/**
 * Makes the folder where needed, and claims it. The claim is an abstract Unix
 * socket named after the folder: the kernel gives it to one process only, and
 * takes it back when that process ends, however it ends. (Other systems than
 * Linux have no such sockets; there nothing is claimed.)
 *
 * @throws UserError when another bot has it, or it cannot be made
 */
export async function claimWorkFolder(folder: string): Promise<WorkFolder> {
  const path = await makeWorkFolder(folder);
  const claim = createServer((stranger) => stranger.destroy());
  if (process.platform === 'linux') {
    const name = createHash('sha256').update(path).digest('hex').slice(0, 40);
    claim.listen({ path: `\0pandafuzz-bot-${name}` });
    await once(claim, 'listening').catch((error) => {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      throw new UserError(
        `another bot works in ${path}: give this one a folder of its own with --work-dir, or another --name`,
        inUse,
      );
    });
    claim.unref();
  }
  return {
    path,
    artifacts: join(path, 'artifacts'),
    corpora: join(path, 'corpora'),
    runs: join(path, 'runs'),
    spool: join(path, 'spool'),
    unsent: join(path, 'unsent'),
    hits: join(path, 'hits'),
    states: join(path, 'states'),
    tools: join(path, 'tools'),
    release: () => new Promise((resolve) => claim.close(() => resolve())),
  };
}

async function makeWorkFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder);
    const path = await realpath(folder);
    for (const part of ['artifacts', 'runs', 'spool', 'unsent']) {
      await makeFolder(join(path, part));
    }
    return path;
  } catch (error) {
    throw new UserError(`--work-dir: ${describeTrouble(error) ?? messageOf(error)}`, cannotCreate);
  }
}
