import { Channel, type ChannelCredentials, type ClientOptions, credentials } from '@grpc/grpc-js';
import { isDirect } from '../core/proxies.js';
import { ArtifactServiceClient } from '../gen/pandafuzz/v1/artifact_service.js';
import { BotServiceClient } from '../gen/pandafuzz/v1/bot_service.js';
import { CampaignServiceClient } from '../gen/pandafuzz/v1/campaign_service.js';
import { CorpusServiceClient } from '../gen/pandafuzz/v1/corpus_service.js';
import { CoverageServiceClient } from '../gen/pandafuzz/v1/coverage_service.js';
import { CrashServiceClient } from '../gen/pandafuzz/v1/crash_service.js';
import { IdentityServiceClient } from '../gen/pandafuzz/v1/identity_service.js';
import { JobServiceClient } from '../gen/pandafuzz/v1/job_service.js';
import { SecretServiceClient } from '../gen/pandafuzz/v1/secret_service.js';
import { StatisticsServiceClient } from '../gen/pandafuzz/v1/statistics_service.js';
import { SystemServiceClient } from '../gen/pandafuzz/v1/system_service.js';
import { TargetServiceClient } from '../gen/pandafuzz/v1/target_service.js';
import { Addresses, isReachable } from './addresses.js';
import { bearer } from './bearer.js';
import { type ClientTls, namedForTls, secureCredentials } from './tls.js';

interface Services {
  readonly bots: BotServiceClient;
  readonly jobs: JobServiceClient;
  readonly crashes: CrashServiceClient;
  readonly artifacts: ArtifactServiceClient;
  readonly campaigns: CampaignServiceClient;
  readonly corpora: CorpusServiceClient;
  readonly statistics: StatisticsServiceClient;
  readonly system: SystemServiceClient;
  readonly targets: TargetServiceClient;
  readonly identity: IdentityServiceClient;
  readonly coverage: CoverageServiceClient;
  readonly secrets: SecretServiceClient;
}

/** What a connection needs besides an address. */
export interface ConnectOptions {
  /**
   * Interval of pings while calls are under way, milliseconds. A machine that vanishes closes
   * no connection; without pings calls would go to it for as long as TCP retries, a quarter
   * of an hour.
   */
  readonly keepaliveMs?: number;
  /** The token of the calls that begin now; undefined: none. */
  readonly token?: (() => string | undefined) | undefined;
  /** What to speak TLS with, asked for each new connection; undefined: without TLS. */
  readonly tls?: (() => ClientTls) | undefined;
}

/** The master's services, over one connection. */
export interface Connection extends Services {
  /** HOST:PORT of the master that calls go to now. */
  readonly address: string;
  /** There are other masters to turn to. */
  readonly hasOthers: boolean;
  /** Opens a new connection for later calls, to the next address; calls under way end on the old one. */
  renew(): void;
  /**
   * Turns to the next address while no master answers, each once at most. With one address it
   * returns at once: calls find out.
   */
  reach(signal: AbortSignal): Promise<void>;
  /** Ends the connection, for later calls too. */
  close(): void;
}

const common: ClientOptions = {
  'grpc.max_receive_message_length': 4 * 2 ** 20,
  // Finds a restarted master within a second or so.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2000,
  // Behind the bytes of an upload a ping waits: 64 KiB are on their way, 8 s at 64 kbit/s.
  'grpc.keepalive_timeout_ms': 20_000,
  // Otherwise a new channel would reuse the connection of the old one.
  'grpc.use_local_subchannel_pool': 1,
};

/** For an operator at a terminal. */
const defaultKeepaliveMs = 20_000;

/** Host of HOST:PORT. */
export const hostOf = (address: string): string => address.replace(/:\d+$/, '');

/**
 * Connects lazily: an absent master fails the first call.
 *
 * @param masters HOST:PORT, or several, separated by commas
 * @throws UserError when the files for TLS cannot be used
 */
export function connect(
  masters: string,
  { keepaliveMs = defaultKeepaliveMs, token, tls }: ConnectOptions = {},
): Connection {
  const addresses = new Addresses(masters);
  const open = channelsOf({ keepaliveMs, tls });
  let channel = open(addresses.current);
  const connection: Connection = {
    get address() {
      return addresses.current;
    },
    hasOthers: addresses.size > 1,
    ...servicesOver(channel, token),
    renew() {
      channel.close();
      addresses.next();
      channel = open(addresses.current);
      Object.assign(connection, servicesOver(channel, token));
    },
    async reach(signal) {
      if (addresses.size === 1) return;
      for (let tries = 0; tries < addresses.size && !signal.aborted; tries++) {
        if (await isReachable(channel)) return;
        if (!signal.aborted) connection.renew();
      }
    },
    close: () => channel.close(),
  };
  return connection;
}

/** Opens channels to an address. @throws UserError when the files for TLS cannot be used */
function channelsOf({
  keepaliveMs,
  tls,
}: Required<Pick<ConnectOptions, 'keepaliveMs'>> & Pick<ConnectOptions, 'tls'>) {
  const known = new Map<string, ChannelCredentials>();
  const credentialsFor = (host: string): ChannelCredentials => {
    if (!tls) return credentials.createInsecure();
    const before = known.get(host);
    try {
      known.set(host, secureCredentials(host, tls()));
    } catch (error) {
      // Files that are being replaced: those from before are as good as they were.
      if (!before) throw error;
    }
    return known.get(host) as ChannelCredentials;
  };
  return (address: string): Channel => {
    const host = hostOf(address).replace(/^\[(.*)\]$/, '$1');
    const options = {
      ...common,
      ...(tls && namedForTls(host)),
      'grpc.keepalive_time_ms': keepaliveMs,
      // grpc-js itself takes the environment's proxy to loopback, too.
      'grpc.enable_http_proxy': isDirect(hostOf(address), process.env) ? 0 : 1,
    };
    return new Channel(address, credentialsFor(host), options);
  };
}

function servicesOver(channel: Channel, token: ConnectOptions['token']): Services {
  const plaintext = credentials.createInsecure();
  const shared = { channelOverride: channel, ...(token && { interceptors: [bearer(token)] }) };
  const address = channel.getTarget();
  return {
    bots: new BotServiceClient(address, plaintext, shared),
    jobs: new JobServiceClient(address, plaintext, shared),
    crashes: new CrashServiceClient(address, plaintext, shared),
    artifacts: new ArtifactServiceClient(address, plaintext, shared),
    campaigns: new CampaignServiceClient(address, plaintext, shared),
    corpora: new CorpusServiceClient(address, plaintext, shared),
    statistics: new StatisticsServiceClient(address, plaintext, shared),
    system: new SystemServiceClient(address, plaintext, shared),
    targets: new TargetServiceClient(address, plaintext, shared),
    identity: new IdentityServiceClient(address, plaintext, shared),
    coverage: new CoverageServiceClient(address, plaintext, shared),
    secrets: new SecretServiceClient(address, plaintext, shared),
  };
}
