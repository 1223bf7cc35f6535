import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../steps.js';

/** A PostgreSQL server of its own, in a temporary folder, on a Unix socket. Whoever starts it ends it. */

/** PostgreSQL refuses to run as root: then it runs as Debian's user for it. */
const account = 'postgres';

/** The newest of Debian's, or of POSTGRES_BIN. */
export function binaries(): string | undefined {
  const given = process.env['POSTGRES_BIN'];
  if (given) return given;
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(root, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

const idOf = (kind: '-u' | '-g') =>
  Number(execFileSync('id', [kind, account], { encoding: 'utf8' }));

/** What `spawn` needs so that the server is not root, and nothing where we are not. */
const identity = () => (process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {});

/** No disk is waited for: tests of what a power cut leaves are not here. */
const settings = {
  listen_addresses: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '60',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  autovacuum_naptime: '10s',
  log_min_messages: 'panic',
};

export class PostgresServer {
  #process: ChildProcess | undefined;
  #frozen: number[] = [];

  private constructor(
    private readonly bin: string,
    /** Of its socket. */
    readonly folder: string,
  ) {}

  static async start(): Promise<PostgresServer> {
    const bin = binaries();
    if (!bin) throw new Error('there is no PostgreSQL: run test/integration/set-up.sh');
    const folder = mkdtempSync(join(tmpdir(), 'pandafuzz-pg-'));
    chmodSync(folder, 0o755);
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    const { uid, gid } = identity();
    if (uid !== undefined && gid !== undefined) {
      chownSync(folder, uid, gid);
      chownSync(data, uid, gid);
    }
    execFileSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', account, '-A', 'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync'],
      { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder, ...identity() },
    );
    const server = new PostgresServer(bin, folder);
    await server.run();
    return server;
  }

  /** Starts it, or starts it again. */
  async run(): Promise<void> {
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', join(this.folder, 'data'), '-k', this.folder, ...options];
    // A test process that is killed takes its server with it.
    const command = ['--pdeathsig', 'INT', join(this.bin, 'postgres'), ...args];
    this.#process = spawn('setpriv', command, {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: this.folder,
      ...identity(),
    });
    await eventually(async () => (await this.answers()) || undefined);
  }

  async answers(): Promise<boolean> {
    try {
      await this.sql('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  /** The URL of one of its databases. */
  urlOf(database: string): string {
    return `postgres://${account}@/${database}?host=${this.folder}`;
  }

  get adminUrl(): string {
    return this.urlOf('postgres');
  }

  sql(text: string, database = 'postgres'): Promise<unknown[]> {
    return sqlAt(this.urlOf(database), text);
  }

  /** All its processes stand still until `thaw`. */
  async freeze(): Promise<void> {
    this.#frozen = await this.#processes();
    for (const pid of this.#frozen) process.kill(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.#frozen.splice(0)) {
      // One that was ending as it was listed is gone.
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
    }
  }

  /** The server, which takes connections, first; then those that it has started. */
  async #processes(): Promise<number[]> {
    const rows = (await this.sql(
      'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    )) as { pid: number }[];
    const own = this.#process?.pid as number;
    const alive = rows.map(({ pid }) => pid).filter((pid) => existsSync(`/proc/${pid}`));
    return [own, ...alive];
  }

  /** Connections are cut; what is committed stays. `SIGQUIT`: as a crash does it. */
  async end(how: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    this.thaw();
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(how);
    await exited;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs SQL in a connection of its own. */
export async function sqlAt(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // a server that ends says so to every connection
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
