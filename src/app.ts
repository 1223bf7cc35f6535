import type { Socket } from 'node:net';
import { firstAdmin } from './app/first-admin.js';
import { readSecretKeys } from './app/secret-keys.js';
import { loadMasterConfig } from './config/load.js';
import { type Address, formatAddress } from './config/quantities.js';
import type { MasterConfig } from './config/schema.js';
import { systemClock } from './core/clock.js';
import { ConnectionsByAddress } from './core/connections-by-address.js';
import { backgroundRunner } from './core/context.js';
import { newId } from './core/ids.js';
import { Lifecycle } from './core/lifecycle.js';
import { createLog, type Logger } from './core/log.js';
import { onStopSignals } from './core/stop-signals.js';
import { TlsFiles } from './core/tls-files.js';
import { version } from './core/version.js';
import { startHttpServer } from './http/server.js';
import { createMetrics } from './metrics.js';
import { Access } from './rpc/access.js';
import { askedAt, CallAudit } from './rpc/audit.js';
import { notYet } from './rpc/connect/connect.js';
import { exposureOf, isThisMachine } from './rpc/exposure.js';
import { type Embedding, startGrpcServer } from './rpc/server.js';
import { createState } from './state/state.js';
import type { ClusterOptions } from './store/cluster.js';
import { Store } from './store/store.js';
import { startTracing } from './tracing.js';

/** A running master. */
export interface Master {
  readonly grpc: Address;
  readonly http: Address;
  /** Rejects if a part has failed for good; the caller then calls `stop`. */
  readonly failed: Promise<never>;
  /** Idempotent. All acknowledged writes are on disk when it resolves. */
  stop(): Promise<void>;
}

/** Share of the shutdown time for calls in flight, before connections are closed. */
const callsGrace = 0.6;

/**
 * Builds the parts bottom up and starts them. If one cannot start, those before it are
 * stopped again.
 *
 * @throws UserError for a fault that a person can correct
 */
export async function startMaster(
  config: Readonly<MasterConfig>,
  log: Logger,
  embedding: Embedding = {},
): Promise<Master> {
  const lifecycle = new Lifecycle(log);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // may have no listener
  const { timeouts, database } = config;
  let ready = false;
  let takeCall = notYet;
  const stop = () => {
    ready = false;
    return lifecycle.stop(timeouts.shutdown);
  };
  try {
    const { needsTokens, warnings } = await exposureOf(config);
    for (const warning of warnings) log.warn(warning);
    const tls = await openTls(config.tls, log);
    if (tls) lifecycle.own('TLS files', () => tls.stop());
    const { otlp_endpoint: endpoint } = config.tracing;
    const tracing = endpoint === '' ? undefined : await startTracing({ endpoint, version, log });
    if (tracing) lifecycle.own('tracing', () => tracing.stop());
    const metrics = createMetrics();
    const store = await Store.open({
      directory: config.data.directory,
      url: database.url,
      cluster: clusterOf(config),
      synchronous: database.synchronous,
      readers: database.readers,
      maxQueuedWrites: database.max_queued_writes,
      maxQueuedReads: database.max_queued_reads,
      retry: {
        maxRetries: database.max_retries,
        firstDelayMs: database.retry_delay,
        maxDelayMs: database.max_retry_delay,
        multiplier: database.retry_multiplier,
      },
      checkpointIntervalMs: database.checkpoint_interval,
      leastFreeBytes: config.limits.min_disk_free,
      maxUnfinishedBytes: config.limits.max_unfinished,
      metrics,
      log,
      onFailure: failed.reject,
    });
    lifecycle.own('store', () => store.close());

    const parts = { log, metrics, newId };
    const secretKeys = await readSecretKeys(config.secrets);
    const about = { clock: systemClock, version, warnings, secretKeys };
    const state = createState({ ...parts, store, config, ...about });
    lifecycle.own('state', () => state.stop());
    await state.start();
    metrics.watchMaster({
      version,
      ready: () => ready && state.vitals.writes,
      diskFreeBytes: () => state.vitals.freeBytes,
      leastDiskFreeBytes: config.limits.min_disk_free,
    });

    if (needsTokens) {
      const { directory } = config.data;
      const run = backgroundRunner({ timeoutMs: timeouts.database_op, log });
      await firstAdmin({ directory, tokens: state.tokens }, run, log);
    }
    const access = new Access({
      isOn: needsTokens,
      find: (token) => state.tokens.find(token),
      findByCertificate: (names) => state.tokens.findByCertificate(names),
      clock: systemClock,
      log,
    });
    const takeConnection = () => {
      const most = config.limits.max_connections_per_address;
      const onRefused = (address: string) => {
        metrics.quotaRefusals.inc({ quota: 'limits.max_connections_per_address' });
        log.warn({ path: address, most }, 'connection refused');
      };
      const connections = new ConnectionsByAddress({ most, onRefused });
      return (connection: Socket) => connections.take(connection);
    };
    const audit = new CallAudit(state.audit, systemClock, metrics.auditEntries);
    const http = await startHttpServer({
      ...parts,
      refusalOf: (path, asked) => {
        const caller = access.ofPage(path, asked);
        audit.page(askedAt(`HTTP${path}`, asked.address), caller);
        return caller.refusal;
      },
      address: config.http.address,
      tls,
      ready: () => ready && state.vitals.writes,
      takeCall: (request, response) => takeCall(request, response),
      takeConnection: takeConnection(),
    });
    lifecycle.own('http', () => http.stop());

    const grpc = await startGrpcServer({
      ...parts,
      ...embedding,
      state,
      access,
      audit,
      sessionMs: config.auth.session_lifetime,
      address: config.grpc.address,
      tls,
      names: needsTokens
        ? undefined
        : {
            configured: config.http.address.host,
            isLocal: await isThisMachine(config.http.address),
          },
      startSpan: tracing?.startSpan,
      fastPath: config.grpc.fast_path,
      maxMessageBytes: config.grpc.max_message,
      clock: systemClock,
      timeouts: {
        unaryMs: timeouts.database_op,
        transferMs: timeouts.transfer,
        stallMs: timeouts.stalled_stream,
        stalledTransferMs: timeouts.stalled_transfer,
        idleConnectionMs: timeouts.idle_connection,
        requestMs: timeouts.request,
        methods: timeouts.methods,
      },
      maxUnfinishedRequests: config.limits.max_unfinished_requests,
      maxUnsentBytes: config.limits.max_unsent,
      callerLimits: {
        callsPerConnection: config.limits.max_calls_per_connection,
        uploadBytesPerDay: config.limits.max_upload_per_day,
      },
      takeConnection: takeConnection(),
      capacities: {
        calls: config.limits.max_calls,
        transfers: config.limits.max_transfers,
        waits: config.limits.max_waits,
        feeds: config.limits.max_watches,
        streams: config.limits.max_streams,
      },
    });
    lifecycle.own('grpc', () => grpc.stop(timeouts.shutdown * callsGrace));
    takeCall = grpc.takeCall;

    ready = true;
    return { grpc: grpc.address, http: http.address, failed: failed.promise, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Undefined where the database is to be this master's alone. */
function clusterOf({ cluster }: Readonly<MasterConfig>): ClusterOptions | undefined {
  const { address, ttl: ttlMs, allow_lost_writes: allowLostWrites } = cluster;
  return address === '' ? undefined : { address, ttlMs, allowLostWrites, version };
}

/** Undefined where the master is to have no TLS. */
async function openTls(
  { cert, key, client_ca: clientCa }: MasterConfig['tls'],
  log: Logger,
): Promise<TlsFiles | undefined> {
  if (cert === '') return undefined;
  return await TlsFiles.open({ cert, key, clientCa }, { clock: systemClock, log });
}

/**
 * Runs a master in this process until a signal stops it gracefully; a second one ends it at
 * once (core/stop-signals.ts).
 *
 * @returns the exit code
 * @throws UserError
 */
export async function runMaster(configFile: string | undefined): Promise<number> {
  const config = loadMasterConfig({
    environment: process.env,
    ...(configFile !== undefined && { file: configFile }),
  });
  const log = createLog(config.log);
  const asked = Promise.withResolvers<NodeJS.Signals>();
  const forget = onStopSignals({
    stop: asked.resolve,
    endAtOnce(signal) {
      forget();
      process.kill(process.pid, signal);
    },
  });
  try {
    const master = await startMaster(config, log);
    const grpc = formatAddress(master.grpc);
    const http = formatAddress(master.http);
    log.info({ grpc, http, data: config.data.directory, version }, 'master ready');
    const signal = await Promise.race([asked.promise, master.failed]).catch((error) => {
      log.fatal({ err: error }, 'master failed');
      return undefined;
    });
    if (signal) log.info({ signal, hint: 'a second signal stops it at once' }, 'master stopping');
    await master.stop();
    log.info('master stopped');
    return signal ? 0 : 1;
  } finally {
    forget();
  }
}
