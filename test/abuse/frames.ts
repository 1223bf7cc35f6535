import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { atEnd } from '../endings.js';

/** HTTP/2 frame by frame (RFC 9113), to say what no library would. */

export const Frame = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8 } as const;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface FrameOptions {
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array;
  /** A length that is not the payload's. */
  readonly length?: number;
}

export function frame(type: number, options: FrameOptions = {}): Buffer {
  const { flags = 0, stream = 0, payload = Buffer.alloc(0) } = options;
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(options.length ?? payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const entries = Object.entries(values).map(([id, value]) => {
    const entry = Buffer.alloc(6);
    entry.writeUInt16BE(Number(id));
    entry.writeUInt32BE(value, 2);
    return entry;
  });
  return frame(Frame.SETTINGS, { payload: Buffer.concat(entries) });
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Headers as HPACK literals, none of them indexed. */
export const headerBlock = (headers: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));

function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>>= 7) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const callHeaders = (path: string): [string, string][] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'master'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

/** HEADERS of a call that goes on. */
export const begin = (stream: number, path: string, flags: number = Flag.END_HEADERS): Buffer =>
  frame(Frame.HEADERS, { stream, flags, payload: headerBlock(callHeaders(path)) });

export function nameOfError(code: number): string {
  const isIt = ([name, value]: [string, unknown]) => errorNames.has(name) && value === code;
  const [name] = Object.entries(constants).find(isIt) ?? [];
  return name?.replace('NGHTTP2_', '') ?? String(code);
}

const errorNames = new Set(
  [
    'NO_ERROR',
    'PROTOCOL_ERROR',
    'INTERNAL_ERROR',
    'FLOW_CONTROL_ERROR',
    'SETTINGS_TIMEOUT',
    'STREAM_CLOSED',
    'FRAME_SIZE_ERROR',
    'REFUSED_STREAM',
    'CANCEL',
    'COMPRESSION_ERROR',
    'CONNECT_ERROR',
    'ENHANCE_YOUR_CALM',
    'INADEQUATE_SECURITY',
    'HTTP_1_1_REQUIRED',
  ].map((name) => `NGHTTP2_${name}`),
);

/** A connection that says what it is given. */
export class Peer {
  readonly socket: Socket;
  /** Types of the frames that came, and of those with a code the code. */
  readonly heard: { type: number; flags: number; stream: number; code: number }[] = [];
  readonly #closed: Promise<unknown>;
  #rest = Buffer.alloc(0);
  #onHeard = () => {};

  constructor(address: string, { reads = true }: { reads?: boolean } = {}) {
    const [host = '', port] = address.split(':');
    this.socket = connect(Number(port), host);
    this.socket.on('error', () => {});
    this.#closed = new Promise((resolve) => this.socket.once('close', resolve));
    if (reads) this.socket.on('data', (bytes: Buffer) => this.#take(bytes));
    atEnd(() => this.socket.destroy());
  }

  /** With the preface and empty settings. */
  static greeting(address: string, options?: { reads?: boolean }): Peer {
    const peer = new Peer(address, options);
    peer.send(preface, settings());
    return peer;
  }

  send(...frames: readonly Uint8Array[]): boolean {
    return !this.socket.destroyed && this.socket.write(Buffer.concat(frames));
  }

  /** Sends it again and again, until it was sent so often or the connection is closed. */
  async flood(bytes: Uint8Array, times: number): Promise<void> {
    for (let sent = 0; sent < times && !this.socket.destroyed; sent++) {
      if (this.socket.write(bytes)) continue;
      const over = new AbortController();
      const { signal } = over;
      const drained = once(this.socket, 'drain', { signal }).catch(() => {});
      await Promise.race([drained, this.#closed]);
      over.abort();
    }
  }

  /** How the connection ends. */
  async ends(): Promise<string> {
    await this.#closed;
    const goaway = this.heard.findLast(({ type, code }) => type === Frame.GOAWAY && code !== 0);
    return goaway ? `GOAWAY ${nameOfError(goaway.code)}` : 'closed';
  }

  /** How one of its streams ends, or else the connection. */
  async streamEnds(stream: number): Promise<string> {
    const reset = () =>
      this.heard.find((one) => one.type === Frame.RST_STREAM && one.stream === stream);
    for (let found = reset(); !this.socket.destroyed; found = reset()) {
      if (found) return `RST ${nameOfError(found.code)}`;
      await Promise.race([this.#hears(), this.#closed]);
    }
    return this.ends();
  }

  /** Resolves when the master has answered a PING that was sent after everything so far. */
  async isHeardOut(): Promise<string> {
    const before = this.#pongs();
    this.send(frame(Frame.PING, { payload: Buffer.from('heardout') }));
    while (this.#pongs() === before && !this.socket.destroyed) {
      await Promise.race([this.#hears(), this.#closed]);
    }
    return this.socket.destroyed ? this.ends() : 'goes on';
  }

  #pongs(): number {
    return this.heard.filter(({ type, flags }) => type === Frame.PING && flags === Flag.ACK).length;
  }

  #hears(): Promise<void> {
    return new Promise((resolve) => {
      this.#onHeard = resolve;
    });
  }

  #take(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      const type = rest.readUInt8(3);
      const at = { [Frame.GOAWAY]: 13, [Frame.RST_STREAM]: 9 }[type];
      const code = at === undefined ? 0 : rest.readUInt32BE(at);
      const stream = rest.readUInt32BE(5);
      this.heard.push({ type, flags: rest.readUInt8(4), stream, code });
      rest = rest.subarray(end);
    }
    this.#rest = rest;
    this.#onHeard();
  }
}
