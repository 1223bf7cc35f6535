import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Connection, connect } from '../../src/client/connect.js';
import { sleep, systemClock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import { type Child, startPandafuzz } from './child.js';

const graceMs = 6000;
const restartAfterMs = 1000;
const startWithinMs = 60_000;

/**
 * A master and two bots, each a process as an operator would start it. A master
 * that dies is started again on the same data, as a service manager would.
 */
export class Fleet {
  readonly connection: Connection;
  #master: Child;
  readonly #bots: Child[] = [];
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(
    private readonly folder: string,
    readonly grpc: string,
    readonly http: string,
    private readonly say: (line: string) => void,
  ) {
    this.connection = connect(grpc);
    this.#master = this.#startMaster();
    this.#watching = this.#watchMaster();
  }

  /** @throws UserError when the master does not come up */
  static async start(folder: string, bots: number, say: (line: string) => void): Promise<Fleet> {
    mkdirSync(folder, { recursive: true });
    const [grpc, http] = [await freeAddress(50_051), await freeAddress(50_052)];
    const fleet = new Fleet(folder, grpc, http, say);
    try {
      await fleet.#reachable();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    say(`master on ${grpc} (process ${fleet.#master.pid}), data in ${folder}`);
    say(`in a browser: http://${http}`);
    for (let number = 1; number <= bots; number++) fleet.#startBot(`demo-bot-${number}`);
    return fleet;
  }

  /** Bots first, so that they can still say goodbye. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#watching;
    this.#stopping.abort(new Error('the fleet is stopping'));
    await Promise.all(this.#bots.map((bot) => bot.stop(graceMs)));
    await this.#master.stop(graceMs);
    await this.#watching;
    this.connection.close();
  }

  #startMaster(): Child {
    return startPandafuzz(['master'], {
      logFile: join(this.folder, 'master.log'),
      environment: {
        PANDAFUZZ_GRPC_ADDRESS: this.grpc,
        PANDAFUZZ_HTTP_ADDRESS: this.http,
        PANDAFUZZ_DATA_DIRECTORY: join(this.folder, 'master'),
        PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '1s',
      },
    });
  }

  #startBot(name: string): void {
    const workDir = join(this.folder, name);
    const args = ['bot', '--master', this.grpc, '--name', name, '--work-dir', workDir];
    const bot = startPandafuzz([...args, '--slots', '1'], { logFile: `${workDir}.log` });
    this.#bots.push(bot);
    this.say(`${name} (process ${bot.pid})`);
  }

  async #watchMaster(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { code, signal: killer } = await this.#master.exited;
      if (signal.aborted) return;
      this.say(`the master has ended (${killer ?? `exit code ${code}`}); starting it again`);
      await sleep(systemClock, restartAfterMs, signal).catch(() => {});
      if (!signal.aborted) this.#master = this.#startMaster();
    }
  }

  async #reachable(): Promise<void> {
    const giveUp = Date.now() + startWithinMs;
    const came = this.#master.exited.then(() => false);
    const reached = new Promise<boolean>((resolve) =>
      this.connection.system.waitForReady(new Date(giveUp), (error) => resolve(!error)),
    );
    if (await Promise.race([came, reached])) return;
    const log = readFileSync(join(this.folder, 'master.log'), 'utf8').trim().split('\n');
    throw new UserError(`the master did not start: ${log.at(-1) ?? 'it said nothing'}`);
  }
}

/** The usual address if it is free, otherwise one the system chooses. */
async function freeAddress(usual: number): Promise<string> {
  const port = (await portIfFree(usual)) ?? (await portIfFree(0));
  if (port === undefined) throw new UserError('no port is free on 127.0.0.1');
  return `127.0.0.1:${port}`;
}

function portIfFree(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
