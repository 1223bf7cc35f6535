import {
  Server,
  ServerCredentials,
  setLogger,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { type Address, formatAddress } from '../config/units.js';
import { systemClock } from '../core/clock.js';
import { messageOf, ShuttingDownError, UserError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { ArtifactServiceService } from '../gen/pandafuzz/v1/artifact_service.js';
import { BotServiceService } from '../gen/pandafuzz/v1/bot_service.js';
import { CorpusServiceService } from '../gen/pandafuzz/v1/corpus_service.js';
import { CrashServiceService } from '../gen/pandafuzz/v1/crash_service.js';
import { JobServiceService } from '../gen/pandafuzz/v1/job_service.js';
import { SystemServiceService } from '../gen/pandafuzz/v1/system_service.js';
import type { Metrics } from '../metrics.js';
import type { State } from '../state/state.js';
import { Adapter } from './adapter.js';
import { artifactHandlers } from './handlers/artifact.js';
import { botHandlers } from './handlers/bot.js';
import { crashHandlers } from './handlers/crash.js';
import { jobHandlers } from './handlers/job.js';
import { systemHandlers } from './handlers/system.js';
import { addReflection } from './reflection.js';

const serviceNames = [
  'ArtifactService',
  'BotService',
  'CorpusService',
  'CrashService',
  'JobService',
  'SystemService',
].map((name) => `pandafuzz.v1.${name}`);

export interface GrpcServer {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  /** NOT_SERVING, nothing new taken, calls in flight ended, connections closed. */
  stop(graceMs: number): Promise<void>;
}

/** @throws UserError when the address cannot be had */
export async function startGrpcServer(options: {
  address: Address;
  maxMessageBytes: number;
  timeouts: { unaryMs: number; transferMs: number };
  state: State;
  metrics: Metrics;
  log: Logger;
  newId: () => string;
}): Promise<GrpcServer> {
  const { state, log } = options;
  listenTo(log);
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    // Bots beat; this finds operators' connections whose other end has vanished.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  const shutdown = new AbortController();
  const adapter = new Adapter({ ...options, shutdown: shutdown.signal });
  // Methods that later work will fill are answered with UNIMPLEMENTED by grpc-js.
  const missing: UntypedServiceImplementation = {};
  server.addService(ArtifactServiceService, { ...missing, ...artifactHandlers(state, adapter) });
  server.addService(BotServiceService, { ...missing, ...botHandlers(state, adapter) });
  server.addService(CorpusServiceService, missing);
  server.addService(CrashServiceService, { ...missing, ...crashHandlers(state, adapter) });
  server.addService(JobServiceService, { ...missing, ...jobHandlers(state, adapter) });
  server.addService(SystemServiceService, { ...missing, ...systemHandlers(state, adapter) });
  addReflection(server);
  const health = addHealth(server);
  const address = await listen(server, options.address);
  return {
    address,
    async stop(graceMs) {
      for (const name of ['', ...serviceNames]) health.setStatus(name, 'NOT_SERVING');
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      shutdown.abort(new ShuttingDownError());
      const timer = systemClock.schedule(graceMs, () => {
        log.warn('calls were still open at the end of the grace period');
        server.forceShutdown();
      });
      await closed;
      timer.cancel();
    },
  };
}

function addHealth(server: Server): HealthImplementation {
  const names = ['', ...serviceNames];
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, 'SERVING' as const])),
  );
  health.addToServer(server);
  return health;
}

function listen(server: Server, address: Address): Promise<Address> {
  const where = formatAddress(address);
  return new Promise((resolve, reject) => {
    server.bindAsync(where, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) return resolve({ host: address.host, port });
      const why = messageOf(error);
      reject(
        new UserError(
          `gRPC cannot listen on ${where} (${why.includes('EADDRINUSE') ? 'it is in use' : why}): end the program that uses it, or set another grpc.address`,
        ),
      );
    });
  });
}

/** What grpc-js has to say goes where everything else is said. */
function listenTo(log: Logger): void {
  const say = (...words: unknown[]) => log.debug({ from: 'grpc-js' }, words.join(' '));
  setLogger({ debug: say, info: say, error: say });
}
