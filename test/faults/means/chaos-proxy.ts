import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../../../src/core/clock.js';
import { atEnd } from '../../endings.js';

/**
 * `through`: all passes. `silent`: nothing passes, and no connection ends, as when a
 * cable is pulled. `deaf`: what the master sends does not arrive. `slow`: 2 KiB a second and
 * connection, each way. `lost answers`: a connection ends as soon as the master answers on it.
 */
export type Mode = 'through' | 'silent' | 'deaf' | 'slow' | 'lost answers';

const slowBytesPerSecond = 2048;
/** Bytes waiting in one direction, beyond which their sender is held up. */
const mostWaitingBytes = 2 ** 20;

/** A way to a port of this machine on which faults happen. */
export async function chaosProxy(port: number) {
  let mode: Mode = 'through';
  let hurt = 0;
  const links = new Set<Link>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const link = new Link(near, connect({ port, host: '127.0.0.1', allowHalfOpen: true }), {
      mode: () => mode,
      hurt: () => hurt++,
    });
    links.add(link);
    near.once('close', () => links.delete(link));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const link of links) link.end();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    become(next: Mode) {
      mode = next;
      if (mode === 'through') for (const link of links) link.flow();
    },
    /** Ends every connection at once. */
    reset() {
      hurt += links.size;
      for (const link of links) link.reset();
    },
    /** Chunks and connections that a fault has met. */
    hurt: () => hurt,
  };
}

class Link {
  readonly #waiting: { to: Socket; from: Socket; chunk: Buffer }[] = [];
  #waitingBytes = 0;

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    private readonly fault: { readonly mode: () => Mode; readonly hurt: () => void },
  ) {
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.once('close', () => this.end());
    }
    near.on('data', (chunk) => this.#pass(near, far, chunk, false));
    far.on('data', (chunk) => this.#pass(far, near, chunk, true));
    near.once('end', () => far.end());
    far.once('end', () => near.end());
  }

  end(): void {
    this.near.destroy();
    this.far.destroy();
  }

  reset(): void {
    this.near.resetAndDestroy();
    this.far.resetAndDestroy();
  }

  /** Sends what was held back. */
  flow(): void {
    for (const { from, to, chunk } of this.#waiting.splice(0)) {
      if (!to.destroyed) to.write(chunk);
      from.resume();
    }
    this.#waitingBytes = 0;
  }

  #pass(from: Socket, to: Socket, chunk: Buffer, isAnswer: boolean): void {
    const mode = this.fault.mode();
    if (mode === 'lost answers' && isAnswer && !isSmall(chunk)) {
      this.fault.hurt();
      this.reset();
      return;
    }
    if (mode === 'silent' || (mode === 'deaf' && isAnswer)) {
      this.fault.hurt();
      this.#waiting.push({ from, to, chunk });
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes > mostWaitingBytes) from.pause();
      return;
    }
    if (mode === 'slow') {
      this.fault.hurt();
      from.pause();
      const delayMs = (chunk.length / slowBytesPerSecond) * 1000;
      systemClock.schedule(
        delayMs,
        () => {
          if (!to.destroyed) to.write(chunk);
          from.resume();
        },
        { unref: true },
      );
      return;
    }
    to.write(chunk);
  }
}

/** Frames that begin a connection or keep it: SETTINGS, pings and windows are no answers. */
const isSmall = (chunk: Buffer): boolean => chunk.length < 100;
