import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { service } from 'grpc-health-check';
import { formatAddress } from '../../src/config/quantities.js';
import { lockFromOutside } from '../guarantees/second-process.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';

type Answer = { status: string };

function healthClient(address: string) {
  const Client = makeClientConstructor(service, 'grpc.health.v1.Health');
  const client = new Client(address, credentials.createInsecure());
  atEnd(() => client.close());
  const check = (name: string) =>
    new Promise<string>((resolve, reject) =>
      client['check']?.({ service: name }, (error: Error | null, answer: Answer) =>
        error ? reject(error) : resolve(answer.status),
      ),
    );
  /** Every status the service goes through, as it is told. */
  const watch = (name: string) => {
    const call = client['watch']?.({ service: name });
    atEnd(() => call.cancel());
    call.on('error', () => {}); // of being cancelled at the end
    const told: string[] = [];
    const waiting: (() => void)[] = [];
    call.on('data', ({ status }: Answer) => {
      told.push(status);
      for (const wake of waiting.splice(0)) wake();
    });
    return async (count: number) => {
      while (told.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return told;
    };
  };
  return { check, watch };
}

/** Also the time a look may take: on a busy machine a write takes a while. */
const settings = { PANDAFUZZ_DATABASE_PROBE_INTERVAL: '500ms' };
const jobs = 'pandafuzz.v1.JobService';
const readOnly = 'pandafuzz.v1.SystemService';
const crashes = 'pandafuzz.v1.CrashService';

describe('health', () => {
  test('is told per service, and an unknown one is not known', async () => {
    const { address } = await runMasterFor();
    const { check } = healthClient(address);
    for (const name of ['', jobs, readOnly, crashes]) expect(await check(name)).toBe('SERVING');
    await expect(check('no.such.Service')).rejects.toThrow(/NOT_FOUND/);
  });

  test('follows the writer: what writes does not serve while nothing can be written', async () => {
    const directory = temporaryFolder();
    const { address, master } = await runMasterFor(settings, directory);
    const { check, watch } = healthClient(address);
    const seen = watch(jobs);
    expect(await seen(1)).toEqual(['SERVING']);
    const ready = () => fetch(`http://${formatAddress(master.http)}/readyz`);
    expect((await ready()).status).toBe(200);
    const { release } = await lockFromOutside(directory);
    expect(await seen(2)).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await check('')).toBe('NOT_SERVING');
    expect(await check(readOnly)).toBe('SERVING');
    expect((await ready()).status).toBe(503);
    await release();
    expect(await seen(3)).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    expect(await check('')).toBe('SERVING');
  });

  test('follows the disk: what brings files does not serve where there is no room', async () => {
    const { address } = await runMasterFor({ PANDAFUZZ_LIMITS_MIN_DISK_FREE: '1024TiB' });
    const { check } = healthClient(address);
    expect(await check(crashes)).toBe('NOT_SERVING');
    expect(await check(jobs)).toBe('SERVING');
    expect(await check('')).toBe('NOT_SERVING');
  });

  test('is NOT_SERVING from the moment the master begins to stop', async () => {
    const { address, master } = await runMasterFor();
    const seen = healthClient(address).watch(jobs);
    await seen(1);
    const stopped = master.stop();
    expect(await seen(2)).toEqual(['SERVING', 'NOT_SERVING']);
    await stopped;
  });
});
