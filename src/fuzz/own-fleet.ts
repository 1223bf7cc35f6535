import { openSync } from 'node:fs';
import { join } from 'node:path';
import { type Master, startMaster } from '../app.js';
import { Agent } from '../bot/agent.js';
import { killEverything } from '../bot/sandbox/sandbox.js';
import { type Connection, connect } from '../client/connect.js';
import { loadMasterConfig } from '../config/load.js';
import { formatAddress } from '../config/quantities.js';
import { Lifecycle } from '../core/lifecycle.js';
import { createLog } from '../core/log.js';

/** For the parts to stop, milliseconds: the bot's 5 s, then the master's. */
const stopMs = 10_000;
/** Between two exchanges of inputs between the jobs, milliseconds. */
const exchangeMs = 10_000;

/** A master and a bot in this process, on free ports of this machine, with one folder for all they keep. */
export class OwnFleet {
  private constructor(
    readonly connection: Connection,
    private readonly master: Master,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * @param slots jobs at once
   * @throws UserError when the folder cannot be used, or another process uses it
   */
  static async start(folder: string, slots: number): Promise<OwnFleet> {
    const log = createLog({ level: 'info', format: 'json' }, undefined, openLog(folder));
    const lifecycle = new Lifecycle(log);
    try {
      const master = await startMaster(configFor(folder), log);
      lifecycle.own('master', () => master.stop());
      const address = formatAddress(master.grpc);
      const connection = connect(address);
      lifecycle.own('connection', () => connection.close());
      process.on('exit', killEverything);
      lifecycle.own('engines', () => {
        process.off('exit', killEverything);
      });
      const bot = await Agent.start({
        master: address,
        name: 'here',
        workDir: join(folder, 'bot'),
        slots,
        labels: {},
        exchangeIntervalMs: exchangeMs,
        log,
      });
      lifecycle.own('bot', () => bot.stop());
      return new OwnFleet(connection, master, lifecycle);
    } catch (error) {
      await lifecycle.stop(stopMs);
      throw error;
    }
  }

  /** Where a browser shows how it does. */
  get page(): string {
    return `http://${formatAddress(this.master.http)}`;
  }

  /** Rejects when the master has failed for good. */
  get failed(): Promise<never> {
    return this.master.failed;
  }

  /** Engines end first; what they found is kept. */
  stop(): Promise<void> {
    return this.lifecycle.stop(stopMs);
  }
}

export const logFile = (folder: string): string => join(folder, 'pandafuzz.log');

const openLog = (folder: string): number => openSync(logFile(folder), 'a');

const configFor = (folder: string) =>
  loadMasterConfig({
    environment: {
      PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
      PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
      PANDAFUZZ_DATA_DIRECTORY: join(folder, 'master'),
      PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '1s',
      PANDAFUZZ_JOBS_RETRY_DELAY: '1s',
    },
  });
