import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Connection, connect } from '../../src/client/connect.js';
import { atEnd } from '../harness.js';

/**
 * A gRPC server on a free port with just these methods, for what a real master
 * does not do when asked to: small pages, broken bytes, going away half way.
 */
export async function connectTo(
  ...services: [ServiceDefinition, UntypedServiceImplementation][]
): Promise<Connection> {
  const server = new Server();
  for (const [definition, methods] of services) server.addService(definition, methods);
  const port = await new Promise<number>((resolve, reject) => {
    const plaintext = ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', plaintext, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  atEnd(() => server.forceShutdown());
  const connection = connect(`127.0.0.1:${port}`);
  atEnd(() => connection.close());
  return connection;
}

/** What a call to a master that is not there fails with. */
export const away: Partial<ServiceError> = { code: status.UNAVAILABLE, details: 'gone' };
