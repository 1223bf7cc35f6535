import {
  constants,
  type Http2Server,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { status as Code, type Metadata, type Server, type StatusObject } from '@grpc/grpc-js';
import { messageOf } from '../../core/errors.js';
import { Frames } from '../streams/frames.js';
import { StreamTable } from './stream-table.js';

/**
 * What has to be done below grpc-js, which has no door for it. This reaches for
 * fields it keeps to itself: the version is pinned, and test/rpc/answer.test.ts,
 * deadlines.test.ts, heartbeat.test.ts, http2.test.ts and streams.test.ts fail when an
 * upgrade moves them.
 */

/** Longest a client may ask for: a day. */
const longestSeconds = 86_400;
/**
 * Calls that one connection may give up at once, and in each second after that. Below
 * what Node's own clients stand: with 20,000 here, one that gave up 2000 calls a second
 * stopped after half a minute (nghttp2 limits "glitches", such as late answers; that it
 * is this is a guess), and grpc-js tried its calls again on it without end. What the
 * server closes first, it opens anew.
 */
const resetsAtOnce = 5000;
const resetsPerSecond = 250;
const header = 'grpc-timeout';
const secondsPer: Record<string, number> = { H: 3600, M: 60, S: 1, m: 1e-3, u: 1e-6, n: 1e-9 };

/**
 * Makes sense of every client's deadline before grpc-js reads it. It counts in
 * 32-bit milliseconds, where 700 hours are over before they begin; and it finds
 * a number anywhere in the text, so that "-5S" would be five seconds. Longer
 * than a day is a day; what is no timeout at all is as if it were not there.
 */
export function capDeadlines(server: Server): void {
  for (const http2 of http2ServersOf(server)) {
    http2.prependListener('stream', (_stream, headers) => {
      const given = headers[header];
      if (given === undefined) return;
      const [, count = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(given)) ?? [];
      if (count === '') delete headers[header];
      else if (Number(count) * (secondsPer[unit] as number) > longestSeconds) {
        headers[header] = `${longestSeconds}S`;
      }
    });
  }
}

/**
 * Has the streams of each connection kept in a StreamTable, where Node has a Map. If
 * this Node has none, what it has stays.
 */
export function keepStreamsApart(server: Server): void {
  for (const http2 of http2ServersOf(server)) {
    http2.on('session', (session) => {
      const isState = ({ description }: symbol) => description === 'state';
      const key = Object.getOwnPropertySymbols(session).find(isState);
      const state = key && (session as unknown as Record<symbol, HiddenState>)[key];
      if (state?.streams?.size === 0) state.streams = new StreamTable();
    });
  }
}

/**
 * Lets a connection's callers give up together. A client whose deadline passes resets
 * its stream; of more than 1000 such at once, or 33 a second, Node takes a connection
 * for an attack and drops it, with every other call on it. All that may be under way
 * at once are none. To be called before the server listens.
 */
export function allowResets(server: Server): void {
  const options = (server as unknown as { commonServerOptions: ServerOptions }).commonServerOptions;
  options.streamResetBurst = resetsAtOnce;
  options.streamResetRate = resetsPerSecond;
}

/**
 * Ends a stream that was answered and goes on: its peer reads no more, so that
 * its status is stuck behind what it was sent, or has not finished sending,
 * which grpc-js waits for without end.
 *
 * @param overloaded tells the peer RESOURCE_EXHAUSTED, by HTTP/2's own code for it
 */
export function cutOff(call: object, overloaded: boolean): void {
  const stream = streamOf(call);
  if (!stream || stream.closed) return;
  stream.close(overloaded ? constants.NGHTTP2_ENHANCE_YOUR_CALM : constants.NGHTTP2_NO_ERROR);
}

export const isOpen = (call: object): boolean => streamOf(call)?.closed === false;

/**
 * Sends messages on a stream, in one write, without the object stream that grpc-js puts
 * before it. That passes one on only when the one before is with the socket, so each
 * goes out in a frame of its own.
 *
 * @param onTaken called when the socket has them; never for a stream that is over
 */
export function sendMessages<Message>(
  call: object,
  messages: readonly Message[],
  onTaken: () => void,
): void {
  const inner = innerOf(call);
  if (inner.checkCancelled() || inner.stream.writableEnded) return;
  const frames: Buffer[] = [];
  for (const message of messages) {
    try {
      frames.push(inner.serializeMessage(message));
    } catch {
      inner.sendMessage(message, onTaken); // which ends the stream with a status for it
      return;
    }
  }
  inner.maybeSendMetadata();
  const bytes = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
  inner.stream.write(bytes, (error) => {
    if (!error) onTaken();
  });
}

/**
 * Answers a call that has one answer: its message and its status together, where
 * grpc-js waits with the status until the socket has taken the message.
 */
export function answerCall<Message>(call: object, message: Message, trailers: Metadata): void {
  const inner = innerOf(call);
  inner.sendMessage(message, () => {});
  // A message that cannot be serialized is answered with a status of its own.
  if (inner.metadataSent) {
    inner.sendStatus({ code: Code.OK, details: 'OK', metadata: trailers });
  }
}

/**
 * Messages of a stream as they come, null after the last: one for each
 * `askForMessage`. Without the object stream of grpc-js; and if the peer does not
 * compress them, without the queue and the promise it has for each, and the copy of
 * the last one that it keeps.
 */
export function takeMessages<Message>(call: object, take: (message: Message | null) => void): void {
  const inner = innerOf(call);
  if (inner.incomingEncoding === 'identity') takeFrames(inner, take);
  else {
    (call as { push(message: Message | null): boolean }).push = (message) => {
      take(message);
      return true;
    };
  }
}

export const askForMessage = (call: object): void => innerOf(call).startRead();

/** Puts itself in the place of what grpc-js does with a stream's bytes. */
function takeFrames<Message>(inner: InnerCall, take: (message: Message | null) => void): void {
  const { stream } = inner;
  const frames = new Frames(inner.maxReceiveMessageSize);
  inner.decoder = undefined; // in its place; what it holds weighs half a KiB
  const endOfGrpc = inner.handleEndEvent;
  let isAsked = false;
  const answer = (message: Message | null) => {
    isAsked = false;
    take(message);
  };
  const next = (): Buffer | undefined => {
    try {
      return frames.next();
    } catch (error) {
      const status = { code: Code.RESOURCE_EXHAUSTED, details: messageOf(error), metadata: null };
      inner.sendStatus(status);
      isAsked = false;
      return undefined;
    }
  };
  const proceed = () => {
    const bytes = next();
    if (!isAsked || inner.checkCancelled()) return;
    if (bytes) answer(inner.handler.deserialize(bytes) as Message);
    else if (inner.receivedHalfClose) answer(null);
    else if (stream.isPaused()) stream.resume();
  };
  inner.startRead = () => {
    isAsked = true;
    proceed();
  };
  inner.handleDataFrame = (bytes) => {
    if (inner.checkCancelled()) return;
    frames.add(bytes);
    if (isAsked) proceed();
    if (!isAsked) stream.pause();
  };
  inner.handleEndEvent = () => {
    endOfGrpc.call(inner);
    if (isAsked) proceed();
  };
}

/** Of what Node keeps of a session. */
interface HiddenState {
  streams?: { readonly size: number };
}

const http2ServersOf = (server: Server): Iterable<Http2Server> =>
  (server as unknown as { http2Servers: Map<Http2Server, unknown> }).http2Servers.keys();

interface InnerCall {
  readonly stream: ServerHttp2Stream;
  readonly handler: { deserialize(bytes: Buffer): unknown };
  readonly incomingEncoding: string;
  readonly maxReceiveMessageSize: number;
  readonly receivedHalfClose: boolean;
  readonly metadataSent: boolean;
  decoder: unknown;
  sendStatus(status: Omit<StatusObject, 'metadata'> & { metadata: Metadata | null }): void;
  sendMessage(message: unknown, onTaken: () => void): void;
  serializeMessage(message: unknown): Buffer;
  maybeSendMetadata(): void;
  /** Whether nobody listens any more. */
  checkCancelled(): boolean;
  startRead(): void;
  handleDataFrame(bytes: Buffer): void;
  handleEndEvent(): void;
}

const innerOf = (call: object): InnerCall => (call as { call: InnerCall }).call;

const streamOf = (call: object): ServerHttp2Stream | undefined => innerOf(call)?.stream;
