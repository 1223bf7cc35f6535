import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { status as Code } from '@grpc/grpc-js';
import { beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { unary } from '../../src/client/call.js';
import { BadRequest } from '../../src/gen/google/rpc/error_details.js';
import { runMasterFor, shared, type TestMaster } from '../harness.js';
import { forAtMost, replaying } from '../property/replaying.js';
import { everyMethod } from '../wire/contract.js';
import { type RawAnswer, RawClient } from '../wire/raw-client.js';
import { validRequests } from '../wire/requests.js';

/** One field of an encoded message, taken apart. */
interface Field {
  readonly number: number;
  readonly type: WireType;
  /** Its value as it was encoded, without the tag. */
  readonly raw: Uint8Array;
}

/** None for what an earlier mutation has made unreadable. */
function fieldsOf(message: Uint8Array): Field[] {
  const reader = new BinaryReader(message);
  const fields: Field[] = [];
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      const from = reader.pos;
      reader.skip(type, number);
      fields.push({ number, type, raw: message.slice(from, reader.pos) });
    }
    return fields;
  } catch {
    return [];
  }
}

function encode(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(({ number, type, raw }) =>
      Buffer.concat([new BinaryWriter().uint32(((number << 3) | type) >>> 0).finish(), raw]),
    ),
  );
}

const bytesValue = (bytes: Uint8Array) => new BinaryWriter().bytes(bytes).finish();

/** Texts that break things: control characters, lone surrogates as UTF-8 would have them, sizes. */
const nastyText = fc.constantFrom(
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('a\u0000b\u001b[31m\r\n'),
  Buffer.from('../../etc/passwd'),
  Buffer.from("'; DROP TABLE jobs; --"),
  Buffer.from('\u202e\u2028'),
  Buffer.alloc(0),
  Buffer.alloc(70_000, 'x'),
);
const nastyVarint = fc.constantFrom(0n, 1n, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 64n - 1n);

type Mutation = (message: Uint8Array, at: number) => Uint8Array;

/** Changes one field, at any depth that holds messages. */
const inField =
  (change: (field: Field) => Field[]): Mutation =>
  (message, at) => {
    const fields = fieldsOf(message);
    if (fields.length === 0) return message;
    const chosen = at % fields.length;
    return encode(fields.flatMap((field, i) => (i === chosen ? change(field) : [field])));
  };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constant<Mutation>((message, at) => message.slice(0, at % (message.length + 1))),
  fc.uint8Array({ maxLength: 40 }).map<Mutation>((bytes) => () => bytes),
  fc.nat(255).map<Mutation>((byte) => (message, at) => {
    const changed = Uint8Array.from(message);
    if (changed.length > 0) changed[at % changed.length] = byte;
    return changed;
  }),
  fc.constant(inField(() => [])),
  fc.constant(inField((field) => Array.from({ length: 100 }, () => field))),
  nastyText.map((text) =>
    inField((field) =>
      field.type === WireType.LengthDelimited ? [{ ...field, raw: bytesValue(text) }] : [field],
    ),
  ),
  nastyVarint.map((value) =>
    inField((field) =>
      field.type === WireType.Varint
        ? [{ ...field, raw: new BinaryWriter().uint64(value).finish() }]
        : [field],
    ),
  ),
  fc
    .nat(30)
    .map<Mutation>(
      (number) => (message) =>
        Buffer.concat([
          message,
          encode([
            { number: number + 1, type: WireType.Varint, raw: Buffer.from([0xff, 0xff, 0x03]) },
          ]),
        ]),
    ),
);

/** Mutations also inside messages that lie within: a spec's limits, a beat's leases. */
const nested = (inner: Mutation, depth: number): Mutation =>
  depth === 0
    ? inner
    : (message, at) =>
        inField((field) => {
          if (field.type !== WireType.LengthDelimited) return [field];
          try {
            const within = new BinaryReader(field.raw).bytes();
            const changed = nested(inner, depth - 1)(within, at >>> 3);
            return [{ ...field, raw: bytesValue(changed) }];
          } catch {
            return [field]; // a text or bytes, not a message
          }
        })(message, at);

const anyMutation = fc.tuple(mutation, fc.nat({ max: 3 }), fc.nat({ max: 1000 })).map(
  ([inner, depth, at]) =>
    (message: Uint8Array) =>
      nested(inner, depth)(message, at),
);

/** Parts of the nasty texts, which no status may repeat. */
const echoes = ['etc/passwd', 'DROP TABLE', 'xxxx', '\u001b'];

/** A refused request says which fields are wrong, and repeats none of them. */
function expectClear(name: string, answer: RawAnswer): void {
  if (answer.code !== Code.INVALID_ARGUMENT) return;
  const detail = answer.details.details.find(({ typeUrl }) => typeUrl.endsWith('BadRequest'));
  const violations = detail ? BadRequest.decode(detail.value).fieldViolations : [];
  expect({ name, violations: violations.length > 0 }).toEqual({ name, violations: true });
  expect(answer.message.length).toBeLessThan(20_000);
  expect(echoes.filter((text) => answer.message.includes(text))).toEqual([]);
}

let master: TestMaster;
beforeAll(async () => {
  master = await shared(() => runMasterFor());
});

/** They wait until their deadline, where nothing is wrong with what they are sent. */
const waiting = new Set(['JobService/WatchJobs', 'SystemService/HoldBlobs']);

const runs = Number(process.env['FUZZ_RUNS'] ?? 60);

test.each(everyMethod())(
  '$name answers whatever it is sent with a status that its comment names',
  async ({ name, path, documented }) => {
    const { connection, address } = master;
    const messages = (await validRequests(connection))[name] ?? [];
    const client = new RawClient(address);
    const property = fc.asyncProperty(
      fc.array(anyMutation, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      forAtMost(15_000, async (mutations, which) => {
        const sent = messages.map((message, i) =>
          i === which % messages.length
            ? mutations.reduce((m, mutate) => mutate(m), message)
            : message,
        );
        const timeout = waiting.has(name) ? '200m' : '2S';
        const answer = await client.call(path, sent, { 'grpc-timeout': timeout });
        const undocumented = documented.has(answer.code) ? '' : Code[answer.code];
        expect({ name, undocumented }).toEqual({ name, undocumented: '' });
        expectClear(name, answer);
      }),
    );
    await fc.assert(property, { ...replaying(), numRuns: runs });
    // Nobody else has noticed.
    const { system } = connection;
    expect(await unary(system, system.getSystemStats, {})).toMatchObject({
      version: expect.any(String),
    });
  },
);
