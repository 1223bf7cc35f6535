import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** TCP connections to a port, through a middle man who can lose what they carry. */
export class Road {
  readonly #server = createServer((near) => this.#pass(near));
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly port: number) {}

  static async to(port: number): Promise<Road> {
    const road = new Road(port);
    road.#server.listen(0, '127.0.0.1');
    await once(road.#server, 'listening');
    return road;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the connections there are now are given gets lost, both ways, and none is closed. */
  swallow(): void {
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(near: Socket): void {
    const far = connect(this.port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}); // the other side has gone: nothing more to pass on
    }
    near.pipe(far).pipe(near);
  }
}
