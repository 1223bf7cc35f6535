import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Address, formatAddress } from '../config/quantities.js';
import { cannotListen, codeOf } from '../core/errors.js';
import type { Logger } from '../core/log.js';

/**
 * Connections that may wait to be accepted, within the system's net.core.somaxconn. Each
 * turn of the event loop accepts one. When a fleet comes back at once, Node's default of
 * 511 leaves the rest to TCP, which tries again after 1, 3 and 7 s.
 */
const backlog = 4096;

export interface Listener {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  /** Accepts no more connections. Resolves when the accepted ones have ended; it ends none itself. */
  stop(): Promise<void>;
}

/**
 * Listens on every address of `host` ("localhost" often has two), and passes each
 * connection to `take`.
 *
 * @throws UserError when no address can be listened on
 */
export async function listen(
  { host, port }: Address,
  take: (connection: Socket) => void,
  log: Logger,
): Promise<Listener> {
  const servers: Server[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => once(server.close(), 'close')));
  };
  const realPort = () => (servers[0]?.address() as AddressInfo | undefined)?.port ?? port;
  let failure: unknown;
  try {
    for (const { address } of await lookup(host, { all: true })) {
      const server = createServer(take).listen({ host: address, port: realPort(), backlog });
      try {
        await once(server, 'listening');
      } catch (error) {
        if (!isNotOurs(error)) throw error;
        failure = error; // of several, as where IPv6 is switched off
        continue;
      }
      server.on('error', (error) => log.warn({ err: error }, 'connection not accepted'));
      servers.push(server);
    }
    if (servers.length === 0) throw failure;
    return { address: { host, port: realPort() }, stop };
  } catch (error) {
    await stop();
    throw cannotListen('gRPC', formatAddress({ host, port }), error);
  }
}

/** An address of the name that this machine does not have. */
const isNotOurs = (error: unknown): boolean =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '');
