import { RawClient } from '../../wire/raw-client.js';
import { type Abuse, abuse, distinct, slowAbuse } from '../abuse.js';
import {
  begin,
  callHeaders,
  Flag,
  Frame,
  frame,
  headerBlock,
  nameOfError,
  Peer,
  preface,
  settings,
  word,
} from '../frames.js';
import type { Stage } from '../stage.js';

/** What a connection can say that HTTP/2 does not have, or not so often. */

const getJob = '/pandafuzz.v1.JobService/GetJob';

/** How a connection ends that has said this after its greeting. */
const said =
  (...frames: readonly Uint8Array[]) =>
  async ({ address }: Stage): Promise<string> => {
    const peer = Peer.greeting(address);
    peer.send(...frames);
    return peer.ends();
  };

/** How a stream of a connection ends. */
const saidOn =
  (stream: number, ...frames: readonly Uint8Array[]) =>
  async ({ address }: Stage): Promise<string> => {
    const peer = Peer.greeting(address);
    peer.send(...frames);
    return peer.streamEnds(stream);
  };

const ping = frame(Frame.PING, { payload: Buffer.alloc(8) });
const empty = Buffer.alloc(0);
const [headerTableSize, enablePush, initialWindow, maxFrame] = [1, 2, 4, 5];

const malformed: readonly Abuse[] = [
  abuse(
    'a frame longer than frames may be',
    'GOAWAY FRAME_SIZE_ERROR',
    said(frame(Frame.DATA, { stream: 1, length: 2 ** 24 - 1 })),
  ),
  abuse('DATA of no stream', 'GOAWAY PROTOCOL_ERROR', said(frame(Frame.DATA, { payload: empty }))),
  abuse(
    'DATA of a stream that is not open',
    /^GOAWAY (STREAM_CLOSED|PROTOCOL_ERROR)/,
    said(frame(Frame.DATA, { stream: 7 })),
  ),
  abuse('a stream with an even number', 'GOAWAY PROTOCOL_ERROR', said(begin(2, getJob))),
  slowAbuse('a stream older than the last', 'closed', said(begin(9, getJob), begin(3, getJob))),
  abuse(
    'a PING of three bytes',
    'GOAWAY FRAME_SIZE_ERROR',
    said(frame(Frame.PING, { payload: Buffer.alloc(3) })),
  ),
  abuse(
    'PUSH_PROMISE by a client',
    'GOAWAY PROTOCOL_ERROR',
    said(
      begin(1, getJob),
      frame(Frame.PUSH_PROMISE, { stream: 1, flags: Flag.END_HEADERS, payload: word(2) }),
    ),
  ),
  abuse(
    'padding longer than its frame',
    'GOAWAY PROTOCOL_ERROR',
    said(
      begin(1, getJob),
      frame(Frame.DATA, { stream: 1, flags: Flag.PADDED, payload: Buffer.from([255, 0]) }),
    ),
  ),
  abuse(
    'headers that cannot be decoded',
    'GOAWAY COMPRESSION_ERROR',
    said(
      frame(Frame.HEADERS, { stream: 1, flags: Flag.END_HEADERS, payload: Buffer.alloc(50, 0xff) }),
    ),
  ),
  abuse(
    'headers without a path',
    /^(RST PROTOCOL_ERROR|GOAWAY PROTOCOL_ERROR)/,
    saidOn(
      1,
      frame(Frame.HEADERS, {
        stream: 1,
        flags: Flag.END_HEADERS,
        payload: headerBlock(callHeaders(getJob).filter(([name]) => name !== ':path')),
      }),
    ),
  ),
  slowAbuse(
    'a header with a line break',
    'RST NO_ERROR',
    saidOn(
      1,
      frame(Frame.HEADERS, {
        stream: 1,
        flags: Flag.END_HEADERS,
        payload: headerBlock([...callHeaders(getJob), ['x', 'a\r\nb: c']]),
      }),
    ),
  ),
  abuse(
    'a header in capitals',
    /^(RST|GOAWAY) PROTOCOL_ERROR/,
    saidOn(
      1,
      frame(Frame.HEADERS, {
        stream: 1,
        flags: Flag.END_HEADERS,
        payload: headerBlock([...callHeaders(getJob), ['Authorization', 'x']]),
      }),
    ),
  ),
  abuse(
    'HEADERS cut off by another frame',
    'GOAWAY PROTOCOL_ERROR',
    said(begin(1, getJob, 0), ping),
  ),
];

const windows: readonly Abuse[] = [
  abuse(
    'a window of a stream beyond 2^31',
    /^(RST|GOAWAY) FLOW_CONTROL_ERROR/,
    saidOn(
      1,
      begin(1, getJob),
      frame(Frame.WINDOW_UPDATE, { stream: 1, payload: word(2 ** 31 - 1) }),
    ),
  ),
  abuse(
    'a window of a connection beyond 2^31',
    'GOAWAY FLOW_CONTROL_ERROR',
    said(frame(Frame.WINDOW_UPDATE, { payload: word(2 ** 31 - 1) })),
  ),
  abuse(
    'a window that grows by nothing',
    'GOAWAY PROTOCOL_ERROR',
    said(frame(Frame.WINDOW_UPDATE, { payload: word(0) })),
  ),
  abuse(
    'SETTINGS with a window beyond 2^31',
    'GOAWAY FLOW_CONTROL_ERROR',
    said(settings({ [initialWindow]: 2 ** 31 })),
  ),
  abuse(
    'SETTINGS with frames of no bytes',
    'GOAWAY PROTOCOL_ERROR',
    said(settings({ [maxFrame]: 0 })),
  ),
  abuse('SETTINGS with a push of 7', 'GOAWAY PROTOCOL_ERROR', said(settings({ [enablePush]: 7 }))),
  abuse('SETTINGS with a header table of 4 GiB', 'goes on', async ({ address }) => {
    const peer = new Peer(address);
    peer.send(preface, settings({ [headerTableSize]: 2 ** 32 - 1 }));
    return peer.isHeardOut();
  }),
  slowAbuse('windows of no bytes under forty lists', /^RST /, async ({ address, tokens }) => {
    const client = new RawClient(address, { initialWindowSize: 0 });
    const headers = { authorization: `Bearer ${tokens.viewer}` };
    const ends = Array.from({ length: 40 }, async () => {
      const open = client.open('/pandafuzz.v1.SystemService/GetSystemStats', headers);
      open.send(Buffer.alloc(0));
      open.end();
      const { resetCode } = await open.answer;
      return `RST ${nameOfError(resetCode)}`;
    });
    return distinct(await Promise.all(ends));
  }),
  abuse(
    'more DATA than the window has',
    /^(GOAWAY|RST) FLOW_CONTROL_ERROR/,
    async ({ address, tokens }) => {
      const peer = Peer.greeting(address);
      const path = '/pandafuzz.v1.ArtifactService/UploadArtifact';
      const authorization = `Bearer ${tokens.operator}`;
      const payload = headerBlock([...callHeaders(path), ['authorization', authorization]]);
      peer.send(frame(Frame.HEADERS, { stream: 1, flags: Flag.END_HEADERS, payload }));
      const data = frame(Frame.DATA, { stream: 1, payload: Buffer.alloc(16_384) });
      peer.send(...Array.from({ length: 40 }, () => data));
      return peer.streamEnds(1);
    },
  ),
];

const flooded =
  (bytes: Uint8Array, times: number, before: Uint8Array = empty, reads = true) =>
  async ({ address }: Stage): Promise<string> => {
    const peer = Peer.greeting(address, { reads });
    peer.send(before);
    await peer.flood(bytes, times);
    return reads ? peer.isHeardOut() : peer.ends();
  };

const hundred = (one: Uint8Array) => Buffer.concat(Array.from({ length: 100 }, () => one));
const unfinishedHeaders = begin(1, getJob, 0);
const continuation = (length: number) =>
  frame(Frame.CONTINUATION, { stream: 1, payload: Buffer.alloc(length, 0) });

const floods: readonly Abuse[] = [
  abuse(
    'CONTINUATION without end',
    /^(GOAWAY|closed)/,
    flooded(
      frame(Frame.CONTINUATION, { stream: 1, payload: headerBlock([['x', 'y'.repeat(8000)]]) }),
      2000,
      unfinishedHeaders,
    ),
  ),
  abuse(
    'empty CONTINUATION without end',
    /^(GOAWAY|closed)/,
    flooded(hundred(continuation(0)), 200, unfinishedHeaders),
  ),
  abuse('PING without end', /^(goes on|GOAWAY|closed)/, flooded(hundred(ping), 200)),
  slowAbuse(
    'PING without end, and no answer read',
    /^(GOAWAY|closed)/,
    flooded(hundred(ping), 20_000, empty, false),
  ),
  abuse(
    'SETTINGS without end',
    /^(goes on|GOAWAY|closed)/,
    flooded(hundred(settings({ [initialWindow]: 65_535 })), 100),
  ),
  slowAbuse(
    'SETTINGS without end, and no answer read',
    /^(GOAWAY|closed)/,
    flooded(hundred(settings()), 20_000, empty, false),
  ),
  abuse(
    'empty DATA without end',
    /^(GOAWAY|closed)/,
    flooded(hundred(frame(Frame.DATA, { stream: 1 })), 200, begin(1, getJob)),
  ),
  abuse(
    'PRIORITY without end',
    /^(goes on|GOAWAY|closed)/,
    flooded(
      hundred(frame(Frame.PRIORITY, { stream: 3, payload: Buffer.from([0, 0, 0, 1, 9]) })),
      100,
    ),
  ),
  abuse(
    'WINDOW_UPDATE without end',
    /^(goes on|GOAWAY|closed)/,
    flooded(hundred(frame(Frame.WINDOW_UPDATE, { payload: word(1) })), 200),
  ),
  abuse(
    'frames of no known type without end',
    /^(goes on|GOAWAY|closed)/,
    flooded(hundred(frame(0x7f, { payload: Buffer.alloc(20) })), 200),
  ),
  abuse(
    'calls that are reset at once, without end',
    'GOAWAY ENHANCE_YOUR_CALM',
    async ({ address }) => {
      const peer = Peer.greeting(address);
      for (let stream = 1; stream < 60_000 && !peer.socket.destroyed; stream += 100) {
        const some = Array.from({ length: 50 }, (_, i) => {
          const reset = frame(Frame.RST_STREAM, { stream: stream + 2 * i, payload: word(8) });
          return Buffer.concat([begin(stream + 2 * i, getJob), reset]);
        });
        await peer.flood(Buffer.concat(some), 1);
        await new Promise(setImmediate);
      }
      return peer.ends();
    },
  ),
  abuse(
    'calls that make the master reset them, without end',
    /^(GOAWAY|closed)/,
    async ({ address }) => {
      const peer = Peer.greeting(address);
      for (let stream = 1; stream < 60_000 && !peer.socket.destroyed; stream += 100) {
        const some = Array.from({ length: 50 }, (_, i) => {
          const none = frame(Frame.WINDOW_UPDATE, { stream: stream + 2 * i, payload: word(0) });
          return Buffer.concat([begin(stream + 2 * i, getJob), none]);
        });
        await peer.flood(Buffer.concat(some), 1);
        await new Promise(setImmediate);
      }
      return peer.ends();
    },
  ),
];

const words =
  (text: string) =>
  async ({ address }: Stage) => {
    const peer = new Peer(address);
    peer.send(Buffer.from(text, 'latin1'));
    return peer.ends();
  };

const peers: readonly Abuse[] = [
  slowAbuse('a connection that says nothing', 'closed', words('')),
  slowAbuse('a connection that says half a greeting', 'closed', words('PRI * HTTP/2.0\r\n\r\nS')),
  slowAbuse('a connection that greets and does nothing', /^(closed|GOAWAY)/, said(empty)),
  slowAbuse('a connection that ends its half and stays', 'closed', async ({ address }) => {
    const peer = new Peer(address);
    peer.socket.allowHalfOpen = true;
    peer.send(preface, settings());
    peer.socket.end();
    return peer.ends();
  }),
  abuse(
    'HTTP/1 on the port of gRPC',
    /^(closed|GOAWAY)/,
    words('POST /x HTTP/1.1\r\nHost: a\r\n\r\n'),
  ),
  abuse(
    'a ClientHello on a port without TLS',
    /^(closed|GOAWAY)/,
    words('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(500, 'a')),
  ),
  abuse('bytes of no protocol', /^(closed|GOAWAY)/, words('\x00\xff'.repeat(5000))),
  abuse('five hundred connections that break off at once', 'closed', async ({ address }) => {
    const all = Array.from({ length: 500 }, async () => {
      const peer = Peer.greeting(address);
      peer.send(begin(1, getJob));
      peer.socket.once('connect', () => setImmediate(() => peer.socket.resetAndDestroy()));
      return peer.ends();
    });
    return distinct(await Promise.all(all));
  }),
  abuse(
    'a client that says GOAWAY and goes on',
    /^(goes on|closed|GOAWAY)/,
    async ({ address }) => {
      const peer = Peer.greeting(address);
      peer.send(frame(Frame.GOAWAY, { payload: Buffer.alloc(8) }), begin(1, getJob));
      return peer.isHeardOut();
    },
  ),
];

export const connections: readonly Abuse[] = [...peers, ...windows, ...malformed, ...floods];
