import type { IncomingMessage } from 'node:http';
import { status as Code } from '@grpc/grpc-js';
import { Refusal, tooMany } from './refusal.js';

/** The caller has gone: nobody is to be answered. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

export interface BodyLimits {
  /** Longest body, bytes. */
  readonly longest: number;
  /** Bodies that may be under way, over all connections. */
  readonly most: number;
}

/** Bytes of all bodies together that are under way, as edge/unfinished.ts has for gRPC. */
const mostBytes = 64 * 1024 * 1024;

/** Reads the bodies of requests, within bounds. How long one may take, the HTTP server says. */
export class Bodies {
  #underWay = 0;
  #bytes = 0;

  constructor(private readonly limits: BodyLimits) {}

  /** @throws Refusal, CallerGone */
  async read(request: IncomingMessage): Promise<Buffer> {
    const { longest, most } = this.limits;
    if (Number(request.headers['content-length'] ?? 0) > longest) throw tooLarge(longest);
    if (this.#underWay >= most) throw tooManyUnderWay();
    this.#underWay++;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      await received(request, (chunk) => {
        chunks.push(chunk);
        size += chunk.length;
        this.#bytes += chunk.length;
        if (size > longest) throw tooLarge(longest);
        if (this.#bytes > mostBytes) throw tooManyUnderWay();
      });
      return Buffer.concat(chunks);
    } finally {
      this.#underWay--;
      this.#bytes -= size;
    }
  }
}

/** Node's own iterator would destroy the connection when a chunk is refused, and with it the answer. */
async function received(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    try {
      take(chunk);
    } catch (error) {
      reject(error);
      request.off('data', onData);
    }
  };
  const onClose = () => reject(new CallerGone());
  request.on('data', onData).once('end', resolve).once('close', onClose).once('error', onClose);
  try {
    await promise;
  } finally {
    request.off('data', onData).off('end', resolve).off('close', onClose);
    request.resume(); // the rest of one that is refused; Node ends it in time
  }
}

export const tooLarge = (longest: number): Refusal =>
  new Refusal(
    Code.RESOURCE_EXHAUSTED,
    `the request is larger than ${longest} bytes (grpc.max_message)`,
  );

const tooManyUnderWay = () => tooMany('too many requests are not whole yet');
