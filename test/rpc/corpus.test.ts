import { createHash, randomBytes } from 'node:crypto';
import { status as Code, Metadata, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import type { Connection } from '../../src/client/connect.js';
import { failureOf } from '../../src/client/failure.js';
import { newId } from '../../src/core/ids.js';
import {
  CorpusEntry,
  CorpusInput,
  PullCorpusRequest,
  type PushCorpusRequest,
  type PushCorpusResponse,
} from '../../src/gen/pandafuzz/v1/corpus_service.js';
import { JobOutcome } from '../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { patienceMs } from '../patience.js';
import { createJob, given, pulledLease, uploadTarget } from '../steps.js';

type Said = PushCorpusRequest['message'];

const entryOf = (bytes: Buffer): CorpusEntry =>
  CorpusEntry.create({
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
  });

/** An input as it is pushed: its header, then its bytes in pieces. */
function pushed(bytes: Buffer): Said[] {
  const said: Said[] = [{ $case: 'entry', value: entryOf(bytes) }];
  for (let at = 0; at < bytes.length; at += 256 * 1024) {
    said.push({ $case: 'chunk', value: bytes.subarray(at, at + 256 * 1024) });
  }
  return said;
}

/** An input as it is pushed with others in one message. */
const whole = (bytes: Buffer) =>
  CorpusInput.create({ sha256: entryOf(bytes).sha256, content: bytes });

function push({ corpora }: Connection, said: readonly Said[]): Promise<PushCorpusResponse> {
  return new Promise((resolve, reject) => {
    const call = corpora.pushCorpus((error: ServiceError | null, answer) =>
      error ? reject(error) : resolve(answer),
    );
    for (const message of said) call.write({ message });
    call.end();
  });
}

const pushAll = (connection: Connection, lease: Lease, inputs: readonly Buffer[]) =>
  push(connection, [{ $case: 'lease', value: lease }, ...inputs.flatMap(pushed)]);

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error) => failureOf(error),
  );

/** Inputs of a pull that understands many in a message, and how many each message had; 0: a large one's. */
async function pullBatches({ corpora }: Connection, targetName: string, cursor = 0) {
  const found: { entry: CorpusEntry; cursor: number; bytes: Buffer }[] = [];
  const sizes: number[] = [];
  const deadline = Date.now() + patienceMs;
  const request = PullCorpusRequest.create({ targetName, cursor, batches: true });
  for await (const message of corpora.pullCorpus(request, new Metadata(), { deadline })) {
    sizes.push(message.inputs.length);
    for (const { sha256, content, cursor: next } of message.inputs) {
      const entry = CorpusEntry.create({ sha256, sizeBytes: content.length });
      found.push({ entry, cursor: next, bytes: Buffer.from(content) });
    }
    const { entry, chunk } = message;
    if (entry) found.push({ entry, cursor: message.cursor, bytes: Buffer.from(chunk) });
    else if (chunk.length > 0) {
      const last = given(found.at(-1));
      last.bytes = Buffer.concat([last.bytes, chunk]);
    }
  }
  return { found, sizes };
}

/** Every input after the cursor with the cursor that came with it. */
async function pull({ corpora }: Connection, targetName: string, cursor = 0) {
  const found: { entry: CorpusEntry; cursor: number; bytes: Buffer }[] = [];
  const deadline = Date.now() + patienceMs;
  for await (const message of corpora.pullCorpus(
    PullCorpusRequest.create({ targetName, cursor }),
    new Metadata(),
    {
      deadline,
    },
  )) {
    const { entry, cursor: next, chunk } = message;
    if (entry) found.push({ entry, cursor: next, bytes: Buffer.from(chunk) });
    else {
      const last = given(found.at(-1));
      last.bytes = Buffer.concat([last.bytes, chunk]);
      expect(next).toBe(last.cursor);
    }
  }
  return found;
}

const size = ({ corpora }: Connection, targetName: string) =>
  unary(corpora, corpora.getCorpusStats, { targetName, project: '' });

/** A job of the target that a bot holds. */
async function held(connection: Connection, targetSha256: string, targetName = ''): Promise<Lease> {
  await createJob(connection, { targetSha256, targetName });
  return pulledLease(connection, newId());
}

describe('a corpus', () => {
  test('comes back in order, from any cursor, each input once, after a restart too', async () => {
    const directory = temporaryFolder();
    const { connection, master } = await runMasterFor({}, directory);
    const { sha256 } = await uploadTarget(connection);
    const lease = await held(connection, sha256, 'png');
    const inputs = [Buffer.alloc(0), Buffer.from('a'), randomBytes(700_000), randomBytes(2 ** 20)];
    expect(await pushAll(connection, lease, inputs)).toEqual({ added: 4, known: 0 });
    const more = [...inputs, Buffer.from('b'), Buffer.from('b')];
    expect(await pushAll(connection, lease, more)).toEqual({ added: 1, known: 5 });

    const whole = await pull(connection, 'png');
    for (const [index, input] of [...inputs, Buffer.from('b')].entries()) {
      const { entry, bytes } = given(whole[index]);
      expect({ index, entry, same: bytes.equals(input) }).toEqual({
        index,
        entry: entryOf(input),
        same: true,
      });
    }
    const rest = await pull(connection, 'png', given(whole[2]).cursor);
    expect(rest.map(({ entry }) => entry)).toEqual(whole.slice(3).map(({ entry }) => entry));
    expect(await pull(connection, 'png', given(whole[4]).cursor)).toEqual([]);
    const bytes = inputs.reduce((sum, input) => sum + input.length, 1);
    expect(await size(connection, 'png')).toEqual({ entries: 5, bytes });

    await master.stop();
    const again = await runMasterFor({}, directory);
    expect(await size(again.connection, 'png')).toEqual({ entries: 5, bytes });
    expect(await pull(again.connection, 'png')).toHaveLength(5);
  });

  test('is that of a target: another one has its own, an unknown one none', async () => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const [png, gif] = [
      await held(connection, sha256, 'png'),
      await held(connection, sha256, 'gif'),
    ];
    const input = Buffer.from('shared');
    expect(await pushAll(connection, png, [input])).toEqual({ added: 1, known: 0 });
    expect(await pushAll(connection, gif, [input, Buffer.from('x')])).toEqual({
      added: 2,
      known: 0,
    });
    expect(await size(connection, 'png')).toEqual({ entries: 1, bytes: 6 });
    expect(await size(connection, 'gif')).toEqual({ entries: 2, bytes: 7 });
    expect(await size(connection, 'tiff')).toEqual({ entries: 0, bytes: 0 });
    expect(await pull(connection, 'tiff')).toEqual([]);
  });

  test('of more inputs than are recorded and read at once is whole', async () => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const lease = await held(connection, sha256, 'png');
    const inputs = Array.from({ length: 230 }, (_, i) => Buffer.from(`input ${i}`));
    expect(await pushAll(connection, lease, inputs)).toEqual({ added: 230, known: 0 });
    const found = await pull(connection, 'png');
    expect(found.map(({ bytes }) => bytes.toString())).toEqual(inputs.map(String));
  });

  test('comes many inputs in a message to those who understand that, as large ones do not', async () => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const lease = await held(connection, sha256, 'png');
    const small = Array.from({ length: 700 }, (_, i) => Buffer.alloc(1024, `input ${i}`));
    const inputs = [Buffer.alloc(0), ...small, randomBytes(700_000), Buffer.from('last')];
    const message: Said = { $case: 'inputs', value: { inputs: small.slice(0, 200).map(whole) } };
    const said: Said[] = [{ $case: 'lease', value: lease }, ...pushed(Buffer.alloc(0)), message];
    expect(await push(connection, said)).toEqual({ added: 201, known: 0 });
    expect(await pushAll(connection, lease, inputs)).toEqual({ added: 502, known: 201 });

    const { found, sizes } = await pullBatches(connection, 'png');
    expect(found.map(({ bytes }) => entryOf(bytes))).toEqual(inputs.map(entryOf));
    expect(found.map(({ entry }) => entry)).toEqual(inputs.map(entryOf));
    expect(Math.max(...sizes)).toBeGreaterThan(200);
    // Three messages of small ones before the large one, its three chunks, and the last.
    expect(sizes.filter((size) => size === 0)).toHaveLength(3);
    expect(sizes.length).toBeLessThan(10);
    const single = await pull(connection, 'png');
    expect(found.map(({ entry, cursor }) => ({ entry, cursor }))).toEqual(
      single.map(({ entry, cursor }) => ({ entry, cursor })),
    );
    const rest = await pullBatches(connection, 'png', given(found[600]).cursor);
    expect(rest.found.map(({ entry }) => entry)).toEqual(inputs.slice(601).map(entryOf));
  });

  test('takes nothing under a lease that is not the valid one', async () => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const lease = await held(connection, sha256, 'png');
    const inputs = [Buffer.from('late')];
    for (const wrong of [
      { ...lease, fence: lease.fence + 1 },
      { ...lease, attempt: lease.attempt + 1 },
    ]) {
      expect(await refusalOf(pushAll(connection, wrong, inputs))).toMatchObject({
        code: Code.FAILED_PRECONDITION,
        reason: 'STALE_LEASE',
      });
    }
    const nobody = await refusalOf(pushAll(connection, { ...lease, jobId: newId() }, inputs));
    expect(nobody?.code).toBe(Code.NOT_FOUND);
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    await unary(connection.jobs, connection.jobs.completeJob, { lease, result });
    expect(await refusalOf(pushAll(connection, lease, inputs))).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'STALE_LEASE',
    });
    expect(await size(connection, 'png')).toEqual({ entries: 0, bytes: 0 });
  });

  test('takes nothing once the lease has ended in the midst of a push', async () => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const lease = await held(connection, sha256, 'png');
    const answer = Promise.withResolvers<PushCorpusResponse>();
    const call = connection.corpora.pushCorpus((error, told) =>
      error ? answer.reject(error) : answer.resolve(told),
    );
    call.write({ message: { $case: 'lease', value: lease } });
    for (const message of pushed(Buffer.from('in time'))) call.write({ message });
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    await unary(connection.jobs, connection.jobs.completeJob, { lease, result });
    for (const message of pushed(Buffer.from('too late'))) call.write({ message });
    call.end();
    expect((await refusalOf(answer.promise))?.reason).toBe('STALE_LEASE');
    expect(await size(connection, 'png')).toEqual({ entries: 0, bytes: 0 });
  });

  const complete = Buffer.from('whole');
  const other = { ...entryOf(complete), sha256: 'e'.repeat(64) };
  const lease = { jobId: '', attempt: 0, fence: 0 };
  test.each<[string, Said[], Code]>([
    [
      'bytes of another hash',
      [{ $case: 'entry', value: other }, given(pushed(complete)[1])],
      Code.DATA_LOSS,
    ],
    ['too few bytes', [given(pushed(complete)[0])], Code.DATA_LOSS],
    ['too many bytes', [...pushed(complete), given(pushed(complete)[1])], Code.DATA_LOSS],
    ['bytes without a header', [given(pushed(complete)[1])], Code.INVALID_ARGUMENT],
    ['a second lease', [{ $case: 'lease', value: lease }], Code.INVALID_ARGUMENT],
    ['nothing in a message', [undefined], Code.INVALID_ARGUMENT],
    [
      'a whole input of another hash',
      [{ $case: 'inputs', value: { inputs: [{ ...whole(complete), sha256: other.sha256 }] } }],
      Code.DATA_LOSS,
    ],
    [
      'bytes after whole inputs',
      [{ $case: 'inputs', value: { inputs: [whole(complete)] } }, given(pushed(complete)[1])],
      Code.INVALID_ARGUMENT,
    ],
    ['an input beyond 1 MiB', pushed(Buffer.alloc(2 ** 20 + 1)), Code.INVALID_ARGUMENT],
    [
      'a chunk beyond 256 KiB',
      [given(pushed(complete)[0]), { $case: 'chunk', value: Buffer.alloc(2 ** 18 + 1) }],
      Code.INVALID_ARGUMENT,
    ],
  ])('refuses %s, and the connection goes on', async (_, said, code) => {
    const { connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection);
    const valid: Said = { $case: 'lease', value: await held(connection, sha256, 'png') };
    expect((await refusalOf(push(connection, [valid, ...said])))?.code).toBe(code);
    expect(await pull(connection, 'png')).toEqual([]);
    const bare = await refusalOf(push(connection, said));
    expect(bare?.code).toBe(Code.INVALID_ARGUMENT);
    expect(await push(connection, [valid, ...pushed(complete)])).toEqual({ added: 1, known: 0 });
  });

  test('refuses an input whose length is not that of what has its hash', async () => {
    const { connection } = await runMasterFor();
    const target = randomBytes(1000);
    const { sha256 } = await uploadTarget(connection, target);
    const valid: Said = { $case: 'lease', value: await held(connection, sha256, 'png') };
    const lie: Said = { $case: 'entry', value: CorpusEntry.create({ sha256, sizeBytes: 999 }) };
    expect((await refusalOf(push(connection, [valid, lie])))?.code).toBe(Code.DATA_LOSS);
    expect(await push(connection, [valid, { $case: 'entry', value: entryOf(target) }])).toEqual({
      added: 1,
      known: 0,
    });
  });
});
