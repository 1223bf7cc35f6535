import { describe, expect, test } from '@jest/globals';
import { Addresses } from '../../src/client/addresses.js';
import { unary } from '../../src/client/call.js';
import { connect } from '../../src/client/connect.js';
import { atEnd, runMasterFor } from '../harness.js';

describe('several addresses', () => {
  test('are taken in an order of chance, a list of two as well, each in its turn', () => {
    const firstBy = (random: number) => new Addresses('a:1,b:1', () => random).current;
    expect([firstBy(0), firstBy(0.9)].sort()).toEqual(['a:1', 'b:1']);
    const three = new Addresses('a:1, b:1,c:1');
    const seen = [0, 1, 2].map(() => {
      const { current } = three;
      three.next();
      return current;
    });
    expect(seen.sort()).toEqual(['a:1', 'b:1', 'c:1']);
  });

  test('of which one answers lead there, whichever comes first', async () => {
    const { connection: known } = await runMasterFor();
    // Nobody listens on port 1. Among so many lists both orders come up.
    const tries = Array.from({ length: 8 }, async () => {
      const connection = connect(`127.0.0.1:1,${known.address}`);
      atEnd(() => connection.close());
      await connection.reach(new AbortController().signal);
      expect(connection.address).toBe(known.address);
      const { jobs } = connection;
      await unary(jobs, jobs.listJobs, { state: 0, pageSize: 1, pageToken: '' });
    });
    await Promise.all(tries);
  });

  test('of which none answers leave the failure to the call', async () => {
    const connection = connect('127.0.0.1:1,127.0.0.2:1');
    atEnd(() => connection.close());
    await connection.reach(new AbortController().signal);
    const { jobs } = connection;
    const call = unary(jobs, jobs.listJobs, { state: 0, pageSize: 1, pageToken: '' });
    await expect(call).rejects.toMatchObject({ code: 14 });
  });
});
