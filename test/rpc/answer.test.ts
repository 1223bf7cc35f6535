import {
  status as Code,
  credentials,
  Metadata,
  makeClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { GetCorpusStatsResponse } from '../../src/gen/pandafuzz/v1/corpus_service.js';
import { fastPath } from '../../src/rpc/beneath/fast-path.js';
import { type CallPath, plainPath } from '../../src/rpc/call-path.js';
import { MethodCounters, watched } from '../../src/rpc/methods.js';
import { definitions, services } from '../../src/rpc/services.js';
import { atEnd } from '../harness.js';

/** One method, which answers with its request; "unsayable" cannot be serialized. */
const asText = {
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (text: string) => {
    if (text === 'unsayable') throw new Error('no bytes for that');
    return Buffer.from(text);
  },
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const service = {
  say: { path: '/test/Say', requestStream: false, responseStream: false, ...asText },
} as const;

async function asking(path: CallPath) {
  const server = new Server();
  server.addService(service, {
    say: (call: { request: string }, callback: sendUnaryData<string>) => {
      const trailers = new Metadata();
      trailers.set('x-said', String(call.request.length));
      path.answer(call, { message: call.request, trailers }, callback);
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const Client = makeClientConstructor(service, 'test');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  atEnd(() => {
    client.close();
    server.forceShutdown();
  });
  return (text: string) =>
    new Promise<{ answer: string; said: unknown }>((resolve, reject) => {
      const said = new Promise<unknown>((tell) => {
        const call = client['say']?.(text, (error: ServiceError | null, answer: string) =>
          error ? reject(error) : said.then((trailer) => resolve({ answer, said: trailer })),
        );
        call.on('status', ({ metadata }: { metadata: Metadata }) =>
          tell(metadata.get('x-said')[0]),
        );
      });
    });
}

describe.each([
  ['fast', fastPath],
  ['plain', plainPath],
])('on the %s path', (_, path) => {
  test('an answer comes with its trailers, however long it is', async () => {
    const ask = await asking(path);
    for (const text of ['short', 'x'.repeat(3_000_000)]) {
      expect(await ask(text)).toEqual({ answer: text, said: String(text.length) });
    }
  });

  test('an answer that cannot be serialized is INTERNAL, and the connection goes on', async () => {
    const ask = await asking(path);
    await expect(ask('unsayable')).rejects.toMatchObject({ code: Code.INTERNAL });
    expect(await ask('fine')).toEqual({ answer: 'fine', said: '4' });
  });
});

test('what cannot be serialized leaves nothing behind for the next answer', () => {
  const { methods } = definitions.CorpusService;
  const { getCorpusStats } = watched(services.CorpusService, methods, new MethodCounters());
  const bytesOf = (entries: number, bytes: number) =>
    getCorpusStats?.responseSerialize({ entries, bytes }) as Buffer;
  expect(() => bytesOf(1, -1)).toThrow();
  const first = bytesOf(2, 3);
  const second = bytesOf(4, 5);
  expect(GetCorpusStatsResponse.decode(first)).toEqual({ entries: 2, bytes: 3 });
  expect(GetCorpusStatsResponse.decode(second)).toEqual({ entries: 4, bytes: 5 });
});
