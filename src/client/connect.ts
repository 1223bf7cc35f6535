import { Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import { ArtifactServiceClient } from '../gen/pandafuzz/v1/artifact_service.js';
import { BotServiceClient } from '../gen/pandafuzz/v1/bot_service.js';
import { CorpusServiceClient } from '../gen/pandafuzz/v1/corpus_service.js';
import { CrashServiceClient } from '../gen/pandafuzz/v1/crash_service.js';
import { JobServiceClient } from '../gen/pandafuzz/v1/job_service.js';
import { SystemServiceClient } from '../gen/pandafuzz/v1/system_service.js';

/** The master's services, over one connection. */
export interface Connection {
  /** HOST:PORT as it was given. */
  readonly address: string;
  readonly bots: BotServiceClient;
  readonly jobs: JobServiceClient;
  readonly crashes: CrashServiceClient;
  readonly artifacts: ArtifactServiceClient;
  readonly corpora: CorpusServiceClient;
  readonly system: SystemServiceClient;
  /** Ends the connection and every call on it. */
  close(): void;
}

const common: ClientOptions = {
  'grpc.max_receive_message_length': 4 * 2 ** 20,
  // A master that was restarted is found again within a second or so.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.keepalive_timeout_ms': 5000,
};

/** Of somebody who looks at it. */
const defaultKeepaliveMs = 20_000;

/**
 * Connects lazily: a master that is not there shows in the first call.
 *
 * @param keepaliveMs how often the master is asked whether it is there while there are
 *   calls: a machine that vanished closes no connection, and without that they would go
 *   on being sent to it for as long as TCP tries, a quarter of an hour
 */
export function connect(address: string, keepaliveMs = defaultKeepaliveMs): Connection {
  const plaintext = credentials.createInsecure();
  const options = { ...common, 'grpc.keepalive_time_ms': keepaliveMs };
  const shared = new Client(address, plaintext, options);
  const overShared = { ...options, channelOverride: shared.getChannel() };
  return {
    address,
    bots: new BotServiceClient(address, plaintext, overShared),
    jobs: new JobServiceClient(address, plaintext, overShared),
    crashes: new CrashServiceClient(address, plaintext, overShared),
    artifacts: new ArtifactServiceClient(address, plaintext, overShared),
    corpora: new CorpusServiceClient(address, plaintext, overShared),
    system: new SystemServiceClient(address, plaintext, overShared),
    close: () => shared.close(),
  };
}
