import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadMasterConfig } from '../config/load.js';
import { systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import { count } from '../operator/format.js';
import { print } from '../operator/output.js';
import { withCount } from '../operator/progress.js';
import { untilStopped } from '../operator/session.js';
import { claimFolder, expectFolder, leaveFolder } from '../store/postgres/data-folder.js';
import { PostgresTables } from '../store/postgres/tables.js';
import { inWords } from '../store/postgres/writer.js';
import { NewSqliteTables, SqliteTables } from '../store/sqlite/tables.js';
import { firstInUse, type MoveOptions, moveRows } from '../store/tables.js';
import { isThere, sync } from './files.js';
import { databaseName } from './manifest.js';

export interface MoveFlags {
  /** "sqlite", "postgres" (database.url of the settings), or the URL of a PostgreSQL database. */
  readonly from: string;
  readonly to: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** How a move is watched and stopped. */
type Watch = Pick<MoveOptions, 'signal' | 'onRows'>;

export interface Moved {
  /** Rows of each table. */
  readonly rows: ReadonlyMap<string, number>;
  /** Where the SQLite file that was moved away from is kept. */
  readonly keptAside?: string;
}

/** `pandafuzz database migrate`: moves a stopped master's records to another engine. */
export async function move(flags: MoveFlags): Promise<void> {
  const { from, to, config: file } = flags;
  const config = loadMasterConfig({
    environment: process.env,
    ...(file !== undefined && { file }),
  });
  const { directory } = config.data;
  const urlOf = (given: string) => (given === 'postgres' ? config.database.url : given);
  const toFile = to === 'sqlite';
  if ((from === 'sqlite') === toFile) {
    throw new UserError('one of --from and --to is sqlite, and the other one is postgres or a URL');
  }
  const url = urlOf(toFile ? from : to);
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new UserError(
      `${url === '' ? 'database.url is not set' : 'this is no URL of PostgreSQL'}: give --${toFile ? 'from' : 'to'} postgres://USER@HOST/DATABASE`,
    );
  }
  const moved = await untilStopped((signal) =>
    withCount((show) => {
      const onRows: Watch['onRows'] = (what, rows) => show(`${what} ${count(rows)} rows`);
      const watch = { signal, onRows };
      return toFile ? toSqlite(url, directory, watch) : toPostgres(directory, url, watch);
    }).catch((error) => {
      signal.throwIfAborted();
      throw inWords(error);
    }),
  );
  report(flags, moved, directory);
}

/** @throws UserError when nothing was moved; faults of PostgreSQL */
export async function toPostgres(directory: string, url: string, watch: Watch): Promise<Moved> {
  const path = join(directory, databaseName);
  if (!(await isThere(path))) {
    throw new UserError(
      `data.directory: ${directory} has no SQLite database (${databaseName}): name the master's settings with --config`,
    );
  }
  const from = SqliteTables.open(path, systemClock.now());
  try {
    const to = await PostgresTables.open(url);
    try {
      const tables = from.list();
      const inUse = await firstInUse(to, tables);
      if (inUse !== undefined) {
        throw new UserError(
          `the PostgreSQL database has records already (in ${inUse}): make an empty one for this move`,
        );
      }
      const rows = await moveRows({ from, to, tables, ...watch });
      const keptAside = `${path}.moved-${new Date().toISOString().replace(/[:.]/g, '-')}`;
      // While it is owned, so that no master opens it.
      from.putAside(keptAside);
      await claimFolder(directory, to.databaseId);
      await sync(directory);
      return { rows, keptAside };
    } finally {
      await to.close();
    }
  } finally {
    from.close();
  }
}

/** @throws UserError when nothing was moved; faults of PostgreSQL */
export async function toSqlite(url: string, directory: string, watch: Watch): Promise<Moved> {
  const path = join(directory, databaseName);
  const unfinished = `${path}.unfinished`;
  const from = await PostgresTables.open(url);
  try {
    await expectFolder(directory, from.databaseId);
    await removeFile(unfinished);
    const to = NewSqliteTables.make(unfinished);
    try {
      const rows = await moveRows({ from, to, tables: to.list(), ...watch });
      to.close();
      await sync(unfinished);
      await rename(unfinished, path);
      await leaveFolder(directory);
      await sync(directory);
      return { rows };
    } finally {
      to.close();
      await removeFile(unfinished);
    }
  } finally {
    await from.close();
  }
}

async function removeFile(path: string): Promise<void> {
  for (const end of ['', '-journal', '-wal', '-shm']) await rm(`${path}${end}`, { force: true });
}

function report(flags: MoveFlags, { rows, keptAside }: Moved, directory: string): void {
  const total = [...rows.values()].reduce((sum, each) => sum + each, 0);
  const next =
    flags.to === 'sqlite'
      ? `The database is ${join(directory, databaseName)}: start the master without database.url. The one in PostgreSQL is as it was, and can be dropped.`
      : `Start the master with database.url. The SQLite file is kept as ${keptAside}.`;
  print(flags, {
    json: () => ({
      rows: total,
      tables: Object.fromEntries(rows),
      ...(keptAside && { keptAside }),
    }),
    text: () =>
      `moved ${total.toLocaleString('en')} rows of ${rows.size} tables, each compared\n${next}`,
  });
}
