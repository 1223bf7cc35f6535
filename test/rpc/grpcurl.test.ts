import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { serviceNames } from '../../src/rpc/services.js';
import { atEnd, runMasterFor } from '../harness.js';
import { grpcurl, testWith } from '../languages/tools.js';
import { createJob, registerBot, uploadTarget } from '../steps.js';
import { everyMethod } from '../wire/contract.js';

const run = promisify(execFile);
const tool = { isThere: existsSync(grpcurl), name: 'grpcurl' };

/** The real grpcurl, by reflection alone. */
async function call(address: string, ...args: string[]): Promise<string> {
  const flags = args.filter((arg) => arg.startsWith('-') || arg.startsWith('{'));
  const words = args.filter((arg) => !flags.includes(arg));
  const { stdout } = await run(grpcurl, ['-plaintext', ...flags, address, ...words]);
  return stdout;
}

/** grpcurl prints one JSON document after the other. */
const documents = (text: string) =>
  text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== '')
    .map((part) => JSON.parse(part));

describe('grpcurl', () => {
  testWith(tool, 'lists every service and describes every method', async () => {
    const { address } = await runMasterFor();
    const listed = (await call(address, 'list')).trim().split('\n');
    expect(listed).toEqual(
      expect.arrayContaining([
        ...serviceNames.map((name) => `pandafuzz.v1.${name}`),
        'grpc.health.v1.Health',
      ]),
    );
    for (const service of serviceNames) {
      const text = await call(address, 'describe', `pandafuzz.v1.${service}`);
      for (const { name } of everyMethod().filter(({ name }) => name.startsWith(`${service}/`))) {
        expect(text).toMatch(new RegExp(`rpc ${name.split('/')[1]} \\(`));
      }
    }
    expect(await call(address, 'describe', 'pandafuzz.v1.Job')).toContain(
      '.google.protobuf.Timestamp created_at',
    );
  });

  testWith(tool, 'makes a unary call, and reads the details of an error', async () => {
    const { address, connection } = await runMasterFor();
    await registerBot(connection, 'north');
    const path = 'pandafuzz.v1.BotService/ListBots';
    expect(documents(await call(address, path))).toMatchObject([{ bots: [{ name: 'north' }] }]);
    const failed = await call(address, '-d', '{"page_size": 5000}', path).catch((error) => error);
    expect(failed.stderr).toMatch(/Code: InvalidArgument/);
    expect(failed.stderr).toMatch(/fieldViolations/);
  });

  testWith(tool, 'reads a server stream', async () => {
    const { address, connection } = await runMasterFor();
    const { sha256 } = await uploadTarget(connection, Buffer.alloc(300_000, 'x'));
    const path = 'pandafuzz.v1.ArtifactService/DownloadArtifact';
    const messages = documents(await call(address, '-d', JSON.stringify({ sha256 }), path));
    expect(messages[0]).toMatchObject({ artifact: { sha256, sizeBytes: '300000' } });
    const bytes = messages.map(({ chunk = '' }) => Buffer.from(chunk, 'base64').length);
    expect(bytes.reduce((sum, length) => sum + length, 0)).toBe(300_000);
  });

  testWith(tool, 'has a heartbeat conversation from standard input', async () => {
    const { address, connection } = await runMasterFor();
    const bot = await registerBot(connection);
    const job = await createJob(connection);
    const path = 'pandafuzz.v1.BotService/Heartbeat';
    const child = spawn(grpcurl, ['-plaintext', '-d', '@', address, path]);
    const exited = once(child, 'exit');
    atEnd(async () => {
      child.kill();
      await exited;
    });
    const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
    const heard = hear(child.stdout);
    say({ hello: { bot_id: bot.id, instance_id: newId(), free_slots: 1 } });
    expect(await heard('welcome')).toMatchObject({ heartbeatIntervalMs: 5000 });
    const { assignment } = await heard('assign');
    expect(assignment.lease).toMatchObject({ jobId: job.id, fence: '1' });
    say({ lease_ack: { lease: assignment.lease } });
    say({ beat: { sequence: 1, leases: [{ lease: assignment.lease, phase: 2 }] } });
    expect(await heard('beatAck')).toMatchObject({ sequence: '1' });
    say({ job_done: { lease: assignment.lease, result: { outcome: 'JOB_OUTCOME_COMPLETED' } } });
    expect(await heard('jobDoneAck')).toMatchObject({ receipt: { state: 'JOB_STATE_COMPLETED' } });
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
  });
});

/** A message of the stream as JSON; only an Assign has an assignment. */
interface Heard {
  readonly assignment: { readonly lease: object };
}

/** The next message of a kind that is printed; others before it are passed over. */
function hear(output: NodeJS.ReadableStream) {
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  return async (kind: string): Promise<Heard> => {
    for (let text = ''; ; ) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the stream ended before ${kind} came`);
      text += value;
      if (value !== '}') continue;
      const message = JSON.parse(text);
      if (kind in message) return message[kind];
      text = '';
    }
  };
}
