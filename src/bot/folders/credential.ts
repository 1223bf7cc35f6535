import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import type { Logger } from '../../core/log.js';
import { writeDurably } from './bot-identity.js';

/** Name of the file in the work folder. */
export const credentialFile = 'credential';

/** What a token that is exchanged for a bot's own begins with. */
const enrolling = 'pf_enrol_';

/**
 * The token that a bot calls with. One that it was given is its own, unless it enrols: then
 * the bot exchanges it once, and keeps what it gets in its work folder.
 */
export class Credential {
  private constructor(
    private readonly path: string,
    private readonly log: Logger,
    private text: string | undefined,
  ) {}

  static async open(
    workFolder: string,
    given: string | undefined,
    log: Logger,
  ): Promise<Credential> {
    const path = join(workFolder, credentialFile);
    if (given !== undefined && !given.startsWith(enrolling)) {
      return new Credential(path, log, given);
    }
    const kept = (await readFile(path, 'utf8').catch(() => '')).trim();
    return new Credential(path, log, kept || given);
  }

  /** Undefined: the bot calls without. */
  get token(): string | undefined {
    return this.text;
  }

  /** Exchanges a token that enrols; does nothing with another. Throws what the call does. */
  async enrol({ identity }: Connection, name: string, signal: AbortSignal): Promise<void> {
    if (!this.text?.startsWith(enrolling)) return;
    const { secret, token } = await unary(identity, identity.enrolBot, { name }, { signal });
    // Whether or not the disk takes it: there is no other one.
    this.text = secret;
    await writeDurably(this.path, `${secret}\n`);
    this.log.info({ token: token?.id, path: this.path }, 'bot enrolled');
  }
}
