import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeFlags } from '../src/cli/node-flags.js';
import { type Connection, connect } from '../src/client/connect.js';
import { atEnd, temporaryFolder } from './endings.js';
import { patienceMs } from './patience.js';

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/**
 * A real `pandafuzz` process; killed after the test if it is still there. `under`: a program
 * that becomes it, with its arguments, as `strace -D` does.
 */
export class Process {
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #said = '';
  #toldMore = Promise.withResolvers<void>();

  constructor(
    args: readonly string[],
    environment: Record<string, string> = {},
    under: readonly string[] = [],
  ) {
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const env = { PATH, HOME, NODE_COMPILE_CACHE, ...environment };
    const command = [...under, process.execPath, ...nodeFlags, main, ...args];
    this.#child = spawn(command[0] as string, command.slice(1), {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
      this.#toldMore.resolve();
      this.#toldMore = Promise.withResolvers();
    });
    this.exited = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => resolve({ code, signal })),
    );
    atEnd(async () => {
      this.end('SIGKILL');
      await this.exited;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it wrote to standard error. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when it has written this to standard error. */
  async says(words: string | RegExp): Promise<void> {
    const isSaid = () =>
      typeof words === 'string' ? this.#said.includes(words) : words.test(this.#said);
    while (!isSaid()) await this.#toldMore.promise;
  }

  end(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Where a master of this test may listen and keep its data. */
export async function place() {
  const [grpc, http] = [await freePort(), await freePort()];
  const directory = temporaryFolder();
  const environment = {
    PANDAFUZZ_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
    PANDAFUZZ_HTTP_ADDRESS: `127.0.0.1:${http}`,
    PANDAFUZZ_DATA_DIRECTORY: join(directory, 'data'),
    PANDAFUZZ_LEASES_HEARTBEAT_INTERVAL: '200ms',
  };
  return { address: `127.0.0.1:${grpc}`, directory, environment };
}

/** A connection to a master that is coming up. */
export async function reach(address: string): Promise<Connection> {
  const connection = connect(address);
  atEnd(() => connection.close());
  await promisify(connection.system.waitForReady.bind(connection.system))(Date.now() + patienceMs);
  return connection;
}

/** The demo's target with its planted bugs, built by a real clang. */
export async function buildDemoTarget(folder: string): Promise<string> {
  const target = join(folder, 'demo-target');
  await promisify(execFile)('examples/demo/build-target.sh', [target]);
  return target;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
