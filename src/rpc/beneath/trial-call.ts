import { connect } from 'node:http2';
import { duplexPair } from 'node:stream';
import { Server, ServerCredentials } from '@grpc/grpc-js';

const asIs = (bytes: Buffer) => bytes;
const path = '/trial/Begin';
const service = {
  begin: {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const;

/**
 * Begins a call on a server of its own, over a pair of streams in memory, and shows it to
 * `look` as a handler would get it. The call ends unanswered.
 *
 * @throws Error when the call does not reach its handler
 */
export async function trialCall<Seen>(look: (call: object) => Seen): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const server = new Server({ 'grpc.enable_channelz': 0 });
  server.addService(service, {
    begin(call: object) {
      try {
        resolve(look(call));
      } catch (error) {
        reject(error);
      }
    },
  });
  const [near, far] = duplexPair();
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(far);
  const client = connect('http://trial', { createConnection: () => near });
  client.on('error', reject);
  const stream = client.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
  });
  stream.on('error', reject);
  stream.once('close', () => reject(new Error('the trial call did not reach its handler')));
  try {
    return await promise;
  } finally {
    client.destroy();
    server.forceShutdown();
  }
}
