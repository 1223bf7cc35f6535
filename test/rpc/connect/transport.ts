import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import {
  createFileRegistry,
  type DescService,
  fromBinary,
  type JsonObject,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type Address, formatAddress } from '../../../src/config/quantities.js';
import { given } from '../../steps.js';

const file = new URL('../../../src/gen/descriptors/pandafuzz.binpb', import.meta.url);
export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));

/** A service of the contract, for Connect's own client. */
export const serviceOf = (name: string): DescService =>
  given(registry.getService(`pandafuzz.v1.${name}`));

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpQuestion {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Of this machine, to come from: 127.0.0.2 is somebody else than 127.0.0.1. */
  readonly localAddress?: string;
}

/** One request by Node's own client: fetch would let no test set Host or Sec-Fetch-Site. */
export function ask(at: Address, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const { method = 'POST', headers = {}, body = '', localAddress } = question;
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const options = { ...at, path, method, headers, agent: false };
  const from = localAddress === undefined ? {} : { localAddress };
  const sent = request({ ...options, ...from, host: at.host, port: at.port }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, body: Buffer.concat(chunks) });
    });
  });
  sent.on('error', reject).end(body);
  return promise;
}

export const json = { 'content-type': 'application/json' };
export const stream = { 'content-type': 'application/connect+json' };

export const jsonOf = ({ body }: HttpAnswer): JsonObject => JSON.parse(body.toString());

/** "pandafuzz.v1.JobService/ListJobs" of "JobService/ListJobs". */
export const pathOf = (method: string): string => `/pandafuzz.v1.${method}`;

/** A message of a stream, as the protocol puts it. */
export function envelope(message: string | Uint8Array, flags = 0): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flags);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export interface Frame {
  readonly flags: number;
  readonly bytes: Buffer;
}

export function framesOf(body: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let rest = body; rest.length >= 5; ) {
    const end = 5 + rest.readUInt32BE(1);
    frames.push({ flags: rest.readUInt8(), bytes: rest.subarray(5, end) });
    rest = rest.subarray(end);
  }
  return frames;
}

/** What the last frame of a stream says. */
export const endOf = (answer: HttpAnswer): JsonObject => {
  const last = given(framesOf(answer.body).at(-1));
  if (last.flags !== 2) throw new Error('the stream has no end');
  return JSON.parse(last.bytes.toString());
};

export const urlOf = (at: Address): string => `http://${formatAddress(at)}`;
