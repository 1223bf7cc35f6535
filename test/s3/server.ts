import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../src/core/ids.js';
import type { S3Options } from '../../src/store/blobs.js';

/** Of the test server; another one takes what the environment has. */
process.env['AWS_ACCESS_KEY_ID'] ??= 'S3RVER';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'S3RVER';

export const testBucket = 'pandafuzz-test';

/** A server that speaks S3, and has the bucket. */
export interface S3Server {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** S3_TEST_ENDPOINT names another server that runs already; its bucket is made by hand. */
export async function startS3(): Promise<S3Server> {
  const given = process.env['S3_TEST_ENDPOINT'];
  if (given) return { endpoint: given, stop: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'pandafuzz-s3-'));
  const program = fileURLToPath(new URL('server-process.js', import.meta.url));
  const child = spawn(process.execPath, [program, folder, testBucket], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    endpoint: `http://127.0.0.1:${String(port).trim()}`,
    async stop() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
      await rm(folder, { recursive: true });
    },
  };
}

/** Settings for a place of its own on the server. Tries follow each other quickly. */
export const s3Options = (
  { endpoint }: Pick<S3Server, 'endpoint'>,
  wanted: Partial<S3Options> = {},
): S3Options => ({
  url: `s3://${testBucket}/${newId()}`,
  endpoint,
  region: '',
  pathStyle: 'auto',
  timeoutMs: 15_000,
  maxRetries: 4,
  ...wanted,
});
