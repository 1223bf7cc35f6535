import { constants } from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { newId } from '../../../src/core/ids.js';
import { DownloadArtifactRequest } from '../../../src/gen/pandafuzz/v1/artifact_service.js';
import {
  type BeatAck,
  HeartbeatRequest,
  HeartbeatResponse,
} from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { fastPathSetting, runMasterFor } from '../../harness.js';
import { pause } from '../../pause.js';
import { createJob, eventually, metric, registerBot, uploadTarget } from '../../steps.js';
import { framed, RawClient } from '../../wire/raw-client.js';

const heartbeat = '/pandafuzz.v1.BotService/Heartbeat';

const encode = (message: HeartbeatRequest['message']) =>
  HeartbeatRequest.encode({ message }).finish();
const hello = (botId: string, freeSlots = 0) =>
  encode({ $case: 'hello', value: { botId, instanceId: newId(), freeSlots, leases: [] } });
const beat = (sequence: number) =>
  encode({ $case: 'beat', value: { sequence, freeSlots: 0, leases: [], resources: undefined } });

/** Bytes on the heap that somebody still refers to. */
async function heapHeld(): Promise<number> {
  setFlagsFromString('--expose-gc');
  await runInNewContext('gc')({ execution: 'async' });
  return process.memoryUsage().heapUsed;
}

const acksIn = (messages: readonly Buffer[]): BeatAck[] =>
  messages.flatMap((bytes) => {
    const { message } = HeartbeatResponse.decode(bytes);
    return message?.$case === 'beatAck' ? [message.value] : [];
  });

describe('acknowledgements', () => {
  test('of beats that came together are one, to the last', async () => {
    const { connection, address } = await runMasterFor();
    const bot = await registerBot(connection);
    const beats = Array.from({ length: 500 }, (_, i) => beat(i + 1));
    const answer = await new RawClient(address).call(heartbeat, [hello(bot.id), ...beats]);
    const acks = acksIn(answer.messages);
    expect(acks.at(-1)?.sequence).toBe(500);
    expect(acks.length).toBeLessThan(250);
    expect(answer.code).toBe(Code.OK);
  });
});

describe('messages to a bot', () => {
  test('go out together when they are sent together: on the fast path, its jobs in one frame', async () => {
    const { connection, address } = await runMasterFor();
    const targetSha256 = (await uploadTarget(connection)).sha256;
    for (let i = 0; i < 8; i++) await createJob(connection, { targetSha256 });
    const bot = await registerBot(connection, 'bot', { slots: 8 });
    const call = new RawClient(address).open(heartbeat);
    const chunks: Buffer[] = [];
    const assigned = new Promise<void>((resolve) => {
      call.stream.on('data', (chunk: Buffer) => {
        if (chunks.push(chunk) === 2) resolve();
      });
    });
    call.send(hello(bot.id, 8));
    await assigned;
    call.end();
    const { messages } = await call.answer;
    const kinds = messages.map((bytes) => HeartbeatResponse.decode(bytes).message?.$case);
    expect(kinds).toEqual(['welcome', ...Array.from({ length: 8 }, () => 'assign')]);
    expect(chunks.length).toBe(fastPathSetting === 'off' ? 9 : 2);
  });
});

describe('messages of a bot', () => {
  test('are understood however they are cut', async () => {
    const { connection, address } = await runMasterFor();
    const bot = await registerBot(connection);
    const { stream, answer } = new RawClient(address).open(heartbeat);
    const bytes = Buffer.concat([hello(bot.id), beat(1), beat(2), beat(3)].map((m) => framed(m)));
    for (const byte of bytes) {
      await new Promise((resolve) => stream.write(Buffer.of(byte), resolve));
    }
    stream.end();
    const { code, messages } = await answer;
    expect(acksIn(messages).at(-1)?.sequence).toBe(3);
    expect(code).toBe(Code.OK);
  });

  test('are understood when they are compressed', async () => {
    const { connection, address } = await runMasterFor();
    const bot = await registerBot(connection);
    const { stream, answer } = new RawClient(address).open(heartbeat, { 'grpc-encoding': 'gzip' });
    stream.write(framed(gzipSync(hello(bot.id)), true));
    stream.end(framed(gzipSync(beat(1)), true));
    const { code, message, messages } = await answer;
    const acks = acksIn(messages);
    expect({ code, message, acks }).toMatchObject({ code: Code.OK, acks: [{ sequence: 1 }] });
  });

  test('may be none: the stream ends in peace', async () => {
    const { address, master } = await runMasterFor();
    const client = new RawClient(address);
    expect(await client.call(heartbeat, [])).toMatchObject({ code: Code.OK, messages: [] });
    const late = client.open(heartbeat);
    const open = () => metric(master, 'api_in_flight{pool="streams"}');
    await eventually(async () => (await open()) === 1 || undefined);
    late.end();
    expect(await late.answer).toMatchObject({ code: Code.OK, messages: [] });
  });

  test('end the stream when one is too long, and nobody else’s', async () => {
    const { connection, address } = await runMasterFor();
    const [long, fine] = [await registerBot(connection, 'a'), await registerBot(connection, 'b')];
    const client = new RawClient(address);
    const other = client.open(heartbeat);
    other.send(hello(fine.id));
    const { stream, answer } = client.open(heartbeat);
    const prefix = framed(new Uint8Array()).fill(0x7f, 1);
    stream.write(Buffer.concat([framed(hello(long.id)), prefix]));
    expect(await answer).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: expect.stringMatching(new RegExp(`${0x7f7f7f7f}.*${512 * 1024}`)),
    });
    other.send(beat(1));
    other.end();
    expect(acksIn((await other.answer).messages)).toMatchObject([{ sequence: 1 }]);
  });
});

describe('a peer that does not read', () => {
  test('is cut off with RESOURCE_EXHAUSTED, and costs next to no memory until then', async () => {
    const settings = {
      PANDAFUZZ_TIMEOUTS_STALLED_STREAM: '1s',
      PANDAFUZZ_LIMITS_MAX_MESSAGES_PER_SECOND: '1000000',
    };
    const { connection, address } = await runMasterFor(settings);
    const bot = await registerBot(connection);
    const client = new RawClient(address, { initialWindowSize: 100 });
    const call = client.open(heartbeat);
    call.stream.pause(); // no window is given back any more
    call.send(hello(bot.id));
    let sequence = 0;
    let rounds = 0;
    let isOver = false;
    void call.answer.then(() => {
      isOver = true;
    });
    const heapBefore = await heapHeld();
    let mostHeap = Number.NEGATIVE_INFINITY;
    while (!isOver) {
      // What the master has not read yet is in this process, too, and not what is measured.
      const isRead = call.stream.writableLength < 2 ** 20;
      for (let i = 0; isRead && i < 100; i++) call.send(beat(++sequence));
      if (++rounds % 500 === 0) mostHeap = Math.max(mostHeap, (await heapHeld()) - heapBefore);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await call.answer;
    // HTTP/2's code that gRPC clients read as RESOURCE_EXHAUSTED.
    expect(answer.resetCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(sequence).toBeGreaterThan(1000);
    expect(mostHeap).toBeGreaterThan(Number.NEGATIVE_INFINITY);
    expect(mostHeap).toBeLessThan(32 * 2 ** 20);
    const { bot: after } = await new Promise<{ bot: unknown }>((resolve, reject) =>
      connection.bots.getBot({ botId: bot.id }, (error, response) =>
        error ? reject(error) : resolve({ bot: response.bot }),
      ),
    );
    expect(after).toMatchObject({ state: 2 });
  });

  test('of a download is cut off too', async () => {
    const settings = { PANDAFUZZ_TIMEOUTS_STALLED_TRANSFER: '1s' };
    const { connection, address } = await runMasterFor(settings);
    const { sha256 } = await uploadTarget(connection, Buffer.alloc(20 * 2 ** 20));
    const client = new RawClient(address, { initialWindowSize: 100 });
    const call = client.open('/pandafuzz.v1.ArtifactService/DownloadArtifact');
    call.stream.pause();
    call.send(DownloadArtifactRequest.encode({ sha256, offsetBytes: 0 }).finish());
    call.end();
    expect((await call.answer).resetCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
});

describe('a download that meets its deadline', () => {
  test('gets its status, though more was to be sent', async () => {
    const { connection, address, master } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection, Buffer.alloc(20 * 2 ** 20));
    const download = '/pandafuzz.v1.ArtifactService/DownloadArtifact';
    const call = new RawClient(address).open(download, { 'grpc-timeout': '100m' });
    call.stream.pause();
    call.send(DownloadArtifactRequest.encode({ sha256, offsetBytes: 0 }).finish());
    call.end();
    const missed = () => metric(master, `api_deadline_exceeded_total{endpoint="${download}"}`);
    await eventually(async () => (await missed()) === 1 || undefined);
    await pause(); // grpc-js has a timer of its own
    call.stream.resume();
    expect(Code[(await call.answer).code]).toBe('DEADLINE_EXCEEDED');
  });
});

describe('a stream that was refused', () => {
  test('ends even if its client never stops sending', async () => {
    const { address } = await runMasterFor();
    const call = new RawClient(address).open('/pandafuzz.v1.ArtifactService/UploadArtifact');
    call.send(Buffer.from('not an upload'));
    const answer = await call.answer;
    expect(Code[answer.code]).toBe('INVALID_ARGUMENT');
  });

  test('is told why before it ends, whatever was still to be sent', async () => {
    const { connection, address } = await runMasterFor();
    const bot = await registerBot(connection);
    const answer = await new RawClient(address).call(heartbeat, [hello(bot.id), beat(1), beat(3)]);
    expect(Code[answer.code]).toBe('FAILED_PRECONDITION');
    expect(answer.message).toBe('beats count up from 1 without a gap; the next is 2');
  });
});
