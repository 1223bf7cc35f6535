import type { Http2Server, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Metadata, Server, StatusObject } from '@grpc/grpc-js';

/**
 * The private fields of grpc-js and Node that this folder uses, as types, the ways to
 * them, and the check that they are there.
 */

/** A call as grpc-js keeps it behind the object that a handler gets. */
export interface InnerCall {
  readonly stream: ServerHttp2Stream;
  readonly handler: { deserialize(bytes: Buffer): unknown };
  readonly incomingEncoding: string;
  readonly maxReceiveMessageSize: number;
  readonly receivedHalfClose: boolean;
  readonly metadataSent: boolean;
  /** Whether its status has been given, and waits for earlier messages to leave. */
  readonly wantTrailers: boolean;
  /** What has come and is not taken yet, the oldest first. */
  readonly readQueue: readonly { readonly compressedMessage: Buffer | null }[];
  decoder: unknown;
  sendStatus(status: Omit<StatusObject, 'metadata'> & { metadata: Metadata | null }): void;
  sendMessage(message: unknown, onTaken: () => void): void;
  decompressMessage(message: Buffer, encoding: string): unknown;
  /** Hands over the oldest message, if it is inflated and wanted. */
  maybePushNextMessage(): void;
  serializeMessage(message: unknown): Buffer;
  maybeSendMetadata(): void;
  /** Whether nobody listens any more. */
  checkCancelled(): boolean;
  startRead(): void;
  handleDataFrame(bytes: Buffer): void;
  handleEndEvent(): void;
}

export const innerOf = (call: object): InnerCall => (call as { call: InnerCall }).call;

/** The types of InnerCall's values, and how many parameters its functions have. */
export const shapeOfInnerCall: { readonly [Field in keyof InnerCall]: string | number } = {
  stream: 'object',
  handler: 'object',
  incomingEncoding: 'string',
  maxReceiveMessageSize: 'number',
  receivedHalfClose: 'boolean',
  metadataSent: 'boolean',
  wantTrailers: 'boolean',
  readQueue: 'object',
  decoder: 'object',
  sendStatus: 1,
  sendMessage: 2,
  decompressMessage: 2,
  maybePushNextMessage: 0,
  serializeMessage: 1,
  maybeSendMetadata: 0,
  checkCancelled: 0,
  startRead: 0,
  handleDataFrame: 1,
  handleEndEvent: 0,
};

/** The streams of a session, by their ids. */
interface SessionState {
  streams?: Map<number, unknown>;
}

/** Node's own state of an HTTP/2 session, kept under a symbol. */
export function stateOf(session: object): SessionState | undefined {
  const isState = ({ description }: symbol) => description === 'state';
  const key = Object.getOwnPropertySymbols(session).find(isState);
  return key && (session as Record<symbol, SessionState>)[key];
}

/**
 * Looks at a call that has just begun for all that the fast path needs of it and of its
 * connection.
 *
 * @returns the names of fields that are missing or other than expected
 */
export function missingShapes(call: object): string[] {
  const inner: object | undefined = innerOf(call);
  if (typeof inner !== 'object' || inner === null) return ['call'];
  const isAsExpected = ([field, shape]: [string, string | number]) => {
    const value = (inner as Record<string, unknown>)[field];
    if (value === null) return false;
    return typeof value === 'function' ? value.length === shape : typeof value === shape;
  };
  const missing = Object.entries(shapeOfInnerCall)
    .filter((field) => !isAsExpected(field))
    .map(([field]) => `call.${field}`);
  const { stream, handler } = inner as Partial<InnerCall>;
  if (typeof handler?.deserialize !== 'function') missing.push('call.handler.deserialize');
  const streams = stream?.session && stateOf(stream.session)?.streams;
  if (!isMap(streams) || streams.get(Number(stream?.id)) !== stream) {
    missing.push('session.state.streams');
  }
  return missing;
}

const methodsOfMap = [
  'get',
  'set',
  'has',
  'delete',
  'clear',
  'entries',
  'keys',
  'values',
  'forEach',
];

/** Node's own kind of Map has no Map among its prototypes: its methods are looked at. */
const isMap = (value: unknown): value is Map<number, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  methodsOfMap.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** The HTTP/2 servers behind one of grpc-js; none where it keeps them elsewhere. */
export function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as object as { http2Servers?: Map<Http2Server, unknown> };
  return typeof http2Servers?.keys === 'function' ? [...http2Servers.keys()] : [];
}

/** The options of those that grpc-js has still to make. */
export const http2OptionsOf = (server: Server): ServerOptions | undefined =>
  (server as object as { commonServerOptions?: ServerOptions }).commonServerOptions;

/** The fields for correctness that this server lacks, once it has a connection injector. */
export function missingGuards(server: Server): string[] {
  const missing = [];
  if (!http2OptionsOf(server)) missing.push('server.commonServerOptions');
  if (http2ServersOf(server).length === 0) missing.push('server.http2Servers');
  return missing;
}

/** How many interceptors may stand between a call and its stream. */
const mostInterceptors = 100;

/** The HTTP/2 stream of a call, whatever interceptors are before it. */
export function streamOf(call: object): ServerHttp2Stream | undefined {
  let inner: (Partial<InnerCall> & { nextCall?: InnerCall }) | undefined = innerOf(call);
  for (let i = 0; inner?.nextCall && i < mostInterceptors; i++) inner = inner.nextCall;
  return inner?.stream;
}
