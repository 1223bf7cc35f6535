import { type Master, startMaster } from '../src/app.js';
import { type Connection, connect } from '../src/client/connect.js';
import { loadMasterConfig } from '../src/config/load.js';
import { formatAddress } from '../src/config/quantities.js';
import { OperationContext } from '../src/core/context.js';
import { newId } from '../src/core/ids.js';
import { type Logger, silentLog } from '../src/core/log.js';
import type { Embedding } from '../src/rpc/server.js';
import { PostgresStore } from '../src/store/postgres/store.js';
import { SqliteStore } from '../src/store/sqlite/store.js';
import type { Connect } from '../src/store/sqlite/thread.js';
import type { Store, StoreOptions } from '../src/store/store.js';
import { atEnd, shared, temporaryFile, temporaryFolder } from './endings.js';
import { patienceMs } from './patience.js';
import { databaseOf, testServer } from './postgres/databases.js';
import { storeOptions } from './store-options.js';

export { atEnd, shared, temporaryFile, temporaryFolder };

/** A context of the test's own, ended after it. */
export function testContext(timeoutMs = patienceMs): OperationContext {
  const options = { operation: 'test', timeoutMs, requestId: newId(), log: silentLog };
  const ctx = new OperationContext(options);
  atEnd(() => ctx.end());
  return ctx;
}

export interface TestStoreOptions extends StoreOptions {
  /** How its connections are made; threads, where nothing else is wanted. */
  readonly connect: Connect;
}

export async function openStore(wanted: Partial<TestStoreOptions> = {}): Promise<Store> {
  const { connect, ...options } = wanted;
  const all = { ...storeOptions(options.directory), ...options };
  const store = await open(all, connect);
  atEnd(() => store.close());
  return store;
}

/** On the engine that the tests are run on (`make test-postgres`); a connection made by `connect` is SQLite's. */
async function open(options: StoreOptions, connect: Connect | undefined): Promise<Store> {
  if (testServer === undefined || connect) return SqliteStore.open(options, connect);
  return PostgresStore.open({ ...options, url: await databaseOf(options.directory) });
}

export interface TestMaster {
  readonly master: Master;
  readonly connection: Connection;
  readonly address: string;
}

/** grpc.fast_path of the masters that tests start, where they do not set it: `make test` runs both. */
export const fastPathSetting = process.env['PANDAFUZZ_GRPC_FAST_PATH'] ?? 'auto';

/** A real master on free ports, and a connection to it. `settings` as in the environment. */
export async function runMasterFor(
  settings: Record<string, string> = {},
  directory = temporaryFolder(),
  { log = silentLog, ...embedding }: Embedding & { log?: Logger } = {},
): Promise<TestMaster> {
  const url = testServer === undefined ? '' : await databaseOf(directory);
  const config = loadMasterConfig({
    environment: {
      PANDAFUZZ_DATABASE_URL: url,
      PANDAFUZZ_GRPC_ADDRESS: '127.0.0.1:0',
      PANDAFUZZ_HTTP_ADDRESS: '127.0.0.1:0',
      PANDAFUZZ_DATA_DIRECTORY: directory,
      PANDAFUZZ_DATABASE_SYNCHRONOUS: 'normal',
      PANDAFUZZ_DATABASE_READERS: '1',
      PANDAFUZZ_JOBS_RETRY_DELAY: '0ms',
      PANDAFUZZ_GRPC_FAST_PATH: fastPathSetting,
      ...settings,
    },
  });
  const master = await startMaster(config, log, embedding);
  atEnd(() => master.stop());
  const address = formatAddress(master.grpc);
  const connection = connect(address);
  atEnd(() => connection.close());
  return { master, connection, address };
}
