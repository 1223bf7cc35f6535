import type { Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogger,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Address } from '../config/units.js';
import type { Clock } from '../core/clock.js';
import { ShuttingDownError, UserError } from '../core/errors.js';
import { countedIds } from '../core/ids.js';
import type { Logger } from '../core/log.js';
import type { Metrics } from '../metrics.js';
import type { State } from '../state/state.js';
import { Adapter } from './adapter.js';
import { Admission, type Pool, pools } from './admission.js';
import { allowResets, capDeadlines, keepStreamsApart } from './beneath/http2.js';
import { artifactHandlers } from './handlers/artifact.js';
import { botHandlers } from './handlers/bot.js';
import { corpusHandlers } from './handlers/corpus.js';
import { crashHandlers } from './handlers/crash.js';
import { jobHandlers } from './handlers/job.js';
import { systemHandlers } from './handlers/system.js';
import { addHealth } from './health.js';
import { listen } from './listen.js';
import { MethodCounters, watched } from './methods.js';
import { addReflection } from './reflection.js';
import { definitions, packageName, serviceNames, services } from './services.js';

export interface GrpcServer {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  /**
   * NOT_SERVING and nothing new taken; streams and long polls ended, calls in
   * flight given most of `graceMs`, then answered UNAVAILABLE; connections closed.
   */
  stop(graceMs: number): Promise<void>;
}

/** Of the time for a stop, what calls in flight may use before they are ended. */
const callsShare = 0.6;
/** What goes on until somebody ends it: a stop cannot wait for that. */
const withoutEnd: readonly Pool[] = ['streams', 'waits'];
/** What a bot is asked to wait before it looks for the master again, milliseconds. */
const reconnectAfterMs = 1000;

/** @throws UserError when the address cannot be had, or a setting names no method */
export async function startGrpcServer(options: {
  address: Address;
  maxMessageBytes: number;
  timeouts: { unaryMs: number; transferMs: number; stallMs: number; methods: MethodTimes };
  capacities: Readonly<Record<Pool, number>>;
  state: State;
  metrics: Metrics;
  log: Logger;
  clock: Clock;
}): Promise<GrpcServer> {
  const { state, log, metrics, clock } = options;
  listenTo(log);
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    // Bots beat; this finds operators' connections whose other end has vanished. Each of
    // ten thousand costs 100 us.
    'grpc.keepalive_time_ms': 600_000,
    'grpc.keepalive_timeout_ms': 20_000,
    // Nobody reads grpc-js's own accounts of each message; ours are in metrics.ts.
    'grpc.enable_channelz': 0,
  });
  const admission = new Admission(options.capacities);
  const counters = new MethodCounters();
  metrics.watchCalls({
    underWay: () => pools.map((pool) => [pool, admission.underWay(pool)]),
    methods: () => counters.all(),
  });
  const adapter = new Adapter({
    ...options,
    ...{ admission, counters, newRequestId: countedIds() },
    timeouts: { ...options.timeouts, byPath: timesByPath(options.timeouts.methods) },
  });
  const handlers: Record<keyof typeof services, UntypedServiceImplementation> = {
    ArtifactService: artifactHandlers(state, adapter),
    BotService: botHandlers(state, adapter),
    CorpusService: corpusHandlers(state, adapter),
    CrashService: crashHandlers(state, adapter),
    JobService: jobHandlers(state, adapter),
    SystemService: systemHandlers(state, adapter),
  };
  for (const name of serviceNames) {
    const { methods } = definitions[name];
    server.addService(watched(services[name], methods, counters), handlers[name]);
  }
  addReflection(server);
  const health = addHealth(server, state.vitals);
  allowResets(server);
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  capDeadlines(server);
  keepStreamsApart(server);
  const take = (connection: Socket) => connections.injectConnection(connection);
  const listener = await listen(options.address, take, log);
  return {
    address: listener.address,
    async stop(graceMs) {
      health.stop();
      const closed = listener.stop();
      server.tryShutdown(() => {}); // done before its connections have ended: they are not of its own making
      state.sessionParts.sessions.goAway('the master is shutting down', reconnectAfterMs);
      adapter.end(withoutEnd, new ShuttingDownError());
      const timers = [
        clock.schedule(graceMs * callsShare, () => adapter.end(pools, new ShuttingDownError())),
        clock.schedule(graceMs, () => {
          log.warn('calls were still open at the end of the grace period');
          server.forceShutdown();
        }),
      ];
      await closed;
      for (const timer of timers) timer.cancel();
    },
  };
}

/** Times of single methods, milliseconds, by "JobService/ListJobs". */
type MethodTimes = Readonly<Record<string, number>>;

function timesByPath(times: MethodTimes): ReadonlyMap<string, number> {
  const paths = Object.values(services).flatMap((service: ServiceDefinition) =>
    Object.values(service).map(({ path }) => path),
  );
  return new Map(
    Object.entries(times).map(([name, ms]) => {
      const path = `/${packageName}.${name}`;
      if (paths.includes(path)) return [path, ms];
      throw new UserError(
        `timeouts.methods.${name}: there is no such method; one is JobService/ListJobs, and "grpcurl describe" shows them all`,
        78,
      );
    }),
  );
}

/** What grpc-js has to say goes where everything else is said. */
function listenTo(log: Logger): void {
  const say = (...words: unknown[]) => log.debug({ from: 'grpc-js' }, words.join(' '));
  setLogger({ debug: say, info: say, error: say });
}
