import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Address, formatAddress } from '../config/units.js';
import { cannotListen, codeOf } from '../core/errors.js';
import type { Logger } from '../core/log.js';

/**
 * Connections that may wait to be taken; the system's net.core.somaxconn may say
 * fewer. One is taken in each turn of the event loop, and of a fleet that comes back
 * at once Node's own 511 leave the rest to try again after 1, 3 and 7 s, as TCP does.
 */
const backlog = 4096;

export interface Listener {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  /** Takes no more connections. @returns when those that it took have ended, which is for others to see to */
  stop(): Promise<void>;
}

/**
 * Hands over every connection to any of the addresses that `host` stands for:
 * "localhost" is often two.
 *
 * @throws UserError when it cannot be had
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
      server.on('error', (error) => log.warn({ err: error }, 'a connection could not be taken'));
      servers.push(server);
    }
    if (servers.length === 0) throw failure;
    return { address: { host, port: realPort() }, stop };
  } catch (error) {
    await stop();
    throw cannotListen('gRPC', formatAddress({ host, port }), error);
  }
}

/** The name stands for an address that this machine does not have. */
const isNotOurs = (error: unknown): boolean =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '');
