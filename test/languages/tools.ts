import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { test } from '@jest/globals';

const run = promisify(execFile);

export const goClient = resolve('.tools/bin/go-client');
export const grpcurl = resolve('.tools/bin/grpcurl');
const pythonPackages = resolve('.tools/python');
const pythonClient = resolve('test/languages/python/client.py');

/** What a client in another language made of a status: google.rpc's details as JSON. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly details: readonly Record<string, unknown>[];
}

/** A call: its method's path and its request. */
export type Ask = readonly [path: string, request: Uint8Array];

const args = (address: string, asks: readonly Ask[]) => [
  address,
  ...asks.flatMap(([path, request]) => [path, Buffer.from(request).toString('hex')]),
];

export const clients = {
  Go: {
    isThere: existsSync(goClient),
    ask: async (address: string, asks: readonly Ask[]): Promise<Told[]> =>
      JSON.parse((await run(goClient, args(address, asks))).stdout),
  },
  Python: {
    isThere: existsSync(resolve(pythonPackages, 'grpc')),
    ask: async (address: string, asks: readonly Ask[]): Promise<Told[]> => {
      const env = { ...process.env, PYTHONPATH: pythonPackages };
      const command = [pythonClient, ...args(address, asks)];
      return JSON.parse((await run('python3', command, { env })).stdout);
    },
  },
};

/** A test that needs a tool; where `make test` could not bring it, its name says so. */
export function testWith(
  tool: { isThere: boolean; name: string },
  promise: string,
  body: () => Promise<void>,
): void {
  if (tool.isThere) test(promise, body);
  else test.skip(`${promise} (skipped: this machine has no ${tool.name})`, body);
}
