import { createRequire } from 'node:module';

/**
 * s3rver in a process of its own: `node server-process.js FOLDER BUCKET...`. Prints its port, and
 * ends with its standard input. It has no types.
 */
type Server = new (
  options: object,
) => { run(): Promise<{ address: string; port: number }>; close(): Promise<void> };

const S3rver = createRequire(import.meta.url)('s3rver') as Server;
const [directory, ...buckets] = process.argv.slice(2);
const server = new S3rver({
  ...{ address: '127.0.0.1', port: 0, silent: true, directory },
  configureBuckets: buckets.map((name) => ({ name })),
});
const { port } = await server.run();
process.stdout.write(`${port}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
