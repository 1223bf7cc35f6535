import type { Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  setLogger,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Address } from '../config/quantities.js';
import type { Clock } from '../core/clock.js';
import { ShuttingDownError, UserError } from '../core/errors.js';
import { countedIds } from '../core/ids.js';
import type { Logger } from '../core/log.js';
import { isLoopback } from '../core/loopback.js';
import type { TlsFiles } from '../core/tls-files.js';
import type { Metrics } from '../metrics.js';
import type { State } from '../state/state.js';
import type { Access } from './access.js';
import { Adapter } from './adapter.js';
import { Admission, type Pool, pools } from './admission.js';
import type { CallAudit } from './audit.js';
import { choosePath } from './beneath/choose.js';
import { capDeadlines } from './beneath/deadlines.js';
import { fastPath } from './beneath/fast-path.js';
import { allowResets } from './beneath/resets.js';
import { http2ServersOf, missingGuards } from './beneath/shapes.js';
import { keepStreamsApart } from './beneath/stream-table.js';
import type { CallPath } from './call-path.js';
import { type CallerLimits, CallerQuotas } from './caller-quotas.js';
import type { OwnNames } from './connect/browsers.js';
import { addRpcs, ConnectServer, type Rpc, type TakeCall } from './connect/connect.js';
import type { StartSpan } from './connect/exchange.js';
import { SignIn } from './connect/sign-in.js';
import { CallTurns } from './edge/call-turns.js';
import { Connections } from './edge/connections.js';
import { handshakes } from './edge/handshakes.js';
import { UnfinishedRequests } from './edge/unfinished.js';
import { Unsent } from './edge/unsent.js';
import { Guard } from './guard.js';
import { artifactHandlers } from './handlers/artifact.js';
import { botHandlers } from './handlers/bot.js';
import { campaignHandlers } from './handlers/campaign.js';
import { corpusHandlers } from './handlers/corpus.js';
import { coverageHandlers } from './handlers/coverage.js';
import { crashHandlers } from './handlers/crash.js';
import { identityHandlers } from './handlers/identity.js';
import { jobHandlers } from './handlers/job.js';
import { secretHandlers } from './handlers/secret.js';
import { statisticsHandlers } from './handlers/statistics.js';
import { systemHandlers } from './handlers/system.js';
import { targetHandlers } from './handlers/target.js';
import { addHealth } from './health.js';
import { listen } from './listen.js';
import { MethodCounters, watched } from './methods.js';
import { ProjectScope } from './project-scope.js';
import { addReflection } from './reflection.js';
import { definitions, packageName, serviceNames, services } from './services.js';

export interface GrpcServer {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  /** Calls by the Connect protocol, for the HTTP server to pass on. */
  readonly takeCall: TakeCall;
  /**
   * Stops the server: health is NOT_SERVING and no call is admitted; streams and long polls
   * end; calls in flight get most of `graceMs` and are then answered UNAVAILABLE;
   * connections close, and those whose peer does not react are destroyed.
   */
  stop(graceMs: number): Promise<void>;
}

/** Share of the time for a stop that calls in flight may use before they are ended. */
const callsShare = 0.6;
/** Pools whose calls go on until they are ended: a stop cannot wait for them. */
const withoutEnd: readonly Pool[] = ['streams', 'waits', 'feeds'];
/** Time that GoAway asks a bot to wait before it reconnects, milliseconds. */
const reconnectAfterMs = 1000;

/** For programs that run a master within themselves, and tests. */
export interface Embedding {
  /** They see every call; grpc.fast_path is off with them. */
  readonly interceptors?: readonly ServerInterceptor[];
}

export interface GrpcServerOptions extends Embedding {
  address: Address;
  /** Absent: without TLS. */
  tls?: TlsFiles | undefined;
  /** Names by which Connect's calls come, where no tokens keep others out. */
  names?: OwnNames | undefined;
  /** Of Connect's calls; OpenTelemetry's own instrumentation sees those of gRPC. */
  startSpan?: StartSpan | undefined;
  fastPath: 'auto' | 'off';
  maxMessageBytes: number;
  timeouts: {
    unaryMs: number;
    transferMs: number;
    stallMs: number;
    stalledTransferMs: number;
    idleConnectionMs: number;
    requestMs: number;
    methods: MethodTimes;
  };
  capacities: Readonly<Record<Pool, number>>;
  maxUnfinishedRequests: number;
  maxUnsentBytes: number;
  callerLimits: CallerLimits;
  /** Whether a new connection may stay. */
  takeConnection: (connection: Socket) => boolean;
  access: Access;
  audit: CallAudit;
  /** Longest session of the page. */
  sessionMs: number;
  state: State;
  metrics: Metrics;
  log: Logger;
  clock: Clock;
}

/** @throws UserError when the address cannot be had, or a setting names no method */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { state, log, metrics, clock, interceptors = [] } = options;
  listenTo(log);
  const path = await choosePath({ setting: options.fastPath, interceptors, log });
  const server = new Server({
    interceptors: [...interceptors],
    'grpc.max_receive_message_length': options.maxMessageBytes,
    // Bots beat; this finds operators' connections whose other end has vanished. A ping of
    // each of ten thousand connections costs 100 us.
    'grpc.keepalive_time_ms': 600_000,
    'grpc.keepalive_timeout_ms': 20_000,
    // Nobody reads grpc-js's own counts of each message; ours are in metrics.ts.
    'grpc.enable_channelz': 0,
  });
  const admission = new Admission(options.capacities);
  const counters = new MethodCounters();
  const unsent = new Unsent(clock, {
    stallMs: options.timeouts.stallMs,
    mostBytes: options.maxUnsentBytes,
  });
  metrics.watchCalls({
    underWay: () => pools.map((pool) => [pool, admission.underWay(pool)]),
    unsentBytes: () => unsent.bytes,
    methods: () => counters.all(),
  });
  const adapter = new Adapter({
    ...options,
    path: unsent.over(path),
    projects: new ProjectScope(state.projects),
    isPrivate: (address) => options.tls !== undefined || isLoopback(address),
    quotas: new CallerQuotas(options.callerLimits, clock),
    admission,
    counters,
    newRequestId: countedIds(),
    timeouts: { ...options.timeouts, byPath: timesByPath(options.timeouts.methods) },
  });
  const handlers = handlersOf(state, adapter);
  const overHttp = handlersOf(state, adapter.forOtherCalls());
  const rpcs = new Map<string, Rpc>();
  for (const name of serviceNames) {
    const { methods } = definitions[name];
    const definition = watched(services[name], methods, counters);
    server.addService(definition, handlers[name]);
    addRpcs(rpcs, definition, overHttp[name]);
  }
  const connect = new ConnectServer({
    ...{
      rpcs,
      unsent,
      clock,
      log,
      tls: options.tls,
      names: options.names,
      access: options.access,
      audit: options.audit,
      sessions: state.pageSessions,
      sessionMs: options.sessionMs,
      startSpan: options.startSpan,
    },
    maxMessageBytes: options.maxMessageBytes,
    maxUnfinished: options.maxUnfinishedRequests,
    stallMs: options.timeouts.stallMs,
  });
  const signIn = new SignIn({
    access: options.access,
    audit: options.audit,
    sessions: state.pageSessions,
    endToken: (ctx, token) => state.signIns.endToken(ctx, token),
    tls: options.tls,
    lifetimeMs: options.sessionMs,
    timeoutMs: options.timeouts.unaryMs,
    log,
  });
  const guard = new Guard(options.access, log, options.audit);
  addReflection(guard.before(server));
  const health = addHealth(guard.before(server), state.vitals);
  state.tokens.onEnded(({ tokenId }, why) => {
    adapter.endCallsOf(tokenId, why);
    guard.endStreamsOf(tokenId, why);
  });
  const connections = new Connections(clock, { idleMs: options.timeouts.idleConnectionMs });
  const limits = { longestMs: options.timeouts.requestMs, most: options.maxUnfinishedRequests };
  const unfinished = new UnfinishedRequests(clock, limits, streamsOfRequests());
  const enter = connectionsOf(server, { path, connections, unfinished, log });
  const idleMs = options.timeouts.idleConnectionMs;
  const speaking = options.tls ? handshakes(options.tls, enter, { clock, log, idleMs }) : enter;
  const take = (connection: Socket) => {
    if (!options.takeConnection(connection)) return;
    connections.own(connection);
    speaking(connection);
  };
  const listener = await listen(options.address, take, log).catch((error) => {
    connections.destroy();
    throw error;
  });
  return {
    address: listener.address,
    takeCall: (request, response) =>
      signIn.take(request, response) || connect.take(request, response),
    async stop(graceMs) {
      health.stop();
      const closed = listener.stop();
      server.tryShutdown(() => {}); // calls back before the injected connections have ended
      state.sessionParts.sessions.goAway('the master is shutting down', reconnectAfterMs);
      adapter.end(withoutEnd, new ShuttingDownError());
      const timers = [
        clock.schedule(graceMs * callsShare, () => adapter.end(pools, new ShuttingDownError())),
        clock.schedule(graceMs, () => {
          log.warn('calls cut off at the end of the grace period');
          server.forceShutdown();
          connections.destroy();
        }),
      ];
      connections.endAfterCalls();
      await Promise.all([closed, connect.idle(graceMs)]);
      connections.destroy();
      unfinished.stop();
      unsent.stop();
      for (const timer of timers) timer.cancel();
    },
  };
}

const handlersOf = (
  state: State,
  adapter: Adapter,
): Record<keyof typeof services, UntypedServiceImplementation> => ({
  ArtifactService: artifactHandlers(state, adapter),
  BotService: botHandlers(state, adapter),
  CampaignService: campaignHandlers(state, adapter),
  CorpusService: corpusHandlers(state, adapter),
  CoverageService: coverageHandlers(state, adapter),
  CrashService: crashHandlers(state, adapter),
  IdentityService: identityHandlers(state, adapter),
  JobService: jobHandlers(state, adapter),
  SecretService: secretHandlers(state, adapter),
  StatisticsService: statisticsHandlers(state, adapter),
  SystemService: systemHandlers(state, adapter),
  TargetService: targetHandlers(state, adapter),
});

/** Adds what is beneath grpc-js. @returns the way for connections into the server */
function connectionsOf(
  server: Server,
  {
    path,
    connections,
    unfinished,
    log,
  }: { path: CallPath; connections: Connections; unfinished: UnfinishedRequests; log: Logger },
): (connection: Socket) => void {
  allowResets(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  capDeadlines(server);
  const missing = missingGuards(server);
  if (missing.length > 0) log.warn({ missing }, 'grpc guards missing');
  if (path === fastPath) keepStreamsApart(server);
  for (const http2 of http2ServersOf(server)) {
    http2.on('stream', (stream, headers) => unfinished.begun(stream, headers[':path']));
    CallTurns.before(http2);
  }
  connections.watch(http2ServersOf(server));
  return (connection) => injector.injectConnection(connection);
}

/** Paths of the calls with a stream of requests: admission sees them as they begin. */
const streamsOfRequests = (): ReadonlySet<string> =>
  new Set(
    Object.values(services)
      .flatMap((service: ServiceDefinition) => Object.values(service))
      .filter(({ requestStream }) => requestStream)
      .map(({ path }) => path),
  );

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

/** Sends grpc-js's own messages to the master's log. */
function listenTo(log: Logger): void {
  const say = (...words: unknown[]) => log.debug({ from: 'grpc-js' }, words.join(' '));
  setLogger({ debug: say, info: say, error: say });
}
