import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { systemClock } from '../../src/core/clock.js';
import { atEnd } from '../endings.js';

/** A line to a port of this machine that breaks or is slow. */
export async function poorLine(
  port: number,
  poor: {
    /** Bytes that go one way before the connection breaks; each time anew. */
    readonly breaksAfterBytes?: number;
    /** Times that it breaks. */
    readonly breaks?: number;
    /** Bytes a second, both ways. */
    readonly bytesPerSecond?: number;
  },
) {
  let left = poor.breaks ?? 0;
  let carried = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const cut = () => {
      left -= 1;
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    const way = (from: Socket, to: Socket) => {
      let passed = 0;
      const line = new Transform({
        transform(chunk: Buffer, _, done) {
          passed += chunk.length;
          carried += chunk.length;
          if (left > 0 && passed > (poor.breaksAfterBytes ?? Number.POSITIVE_INFINITY))
            return cut();
          const { bytesPerSecond } = poor;
          if (bytesPerSecond === undefined) return done(null, chunk);
          const delayMs = (chunk.length / bytesPerSecond) * 1000;
          systemClock.schedule(delayMs, () => done(null, chunk), { unref: true });
        },
      });
      from.pipe(line).pipe(to);
    };
    way(near, far);
    way(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Bytes that were carried, both ways. */
    carried: () => carried,
    breaksLeft: () => left,
  };
}
