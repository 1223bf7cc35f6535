import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Exchange } from '../../../src/bot/corpus/exchange.js';
import { PutAside } from '../../../src/bot/corpus/put-aside.js';
import { Stocks } from '../../../src/bot/corpus/stocks.js';
import { libFuzzer } from '../../../src/bot/engines/libfuzzer/libfuzzer.js';
import { unary } from '../../../src/client/call.js';
import { type Connection, connect } from '../../../src/client/connect.js';
import { pullCorpus } from '../../../src/client/corpus.js';
import { silentLog } from '../../../src/core/log.js';
import { JobOutcome } from '../../../src/gen/pandafuzz/v1/job.js';
import type { Lease } from '../../../src/gen/pandafuzz/v1/lease.js';
import { atEnd, runMasterFor, temporaryFolder } from '../../harness.js';
import { pause } from '../../pause.js';
import { createJob, pulledLease } from '../../steps.js';

const targetName = 'png';
const never = new AbortController().signal;

/** The corpus of the target on a new bot's disk, and what is put aside for a build. */
async function corpusOn(connection: Connection, lease: Lease, folder = temporaryFolder()) {
  const { signal } = new AbortController();
  const stocks = new Stocks({ folder, connection, mostBytes: 2 ** 30, log: silentLog, signal });
  const corpus = { project: 'default', targetName };
  const { stock } = await stocks.open(corpus);
  const aside = new PutAside({ connection, lease, corpus, targetSha256: 'a'.repeat(64) });
  return { stock, aside };
}

/** A run of the target, as its bot holds it, with an empty corpus folder. */
class Run {
  private constructor(
    readonly connection: Connection,
    readonly lease: Lease,
    private readonly corpus: string,
    private readonly exchange: Exchange,
  ) {}

  static async of(connection: Connection, intervalMs = 3_600_000): Promise<Run> {
    await createJob(connection, { targetName });
    const lease = await pulledLease(connection);
    const place = temporaryFolder();
    const folder = { corpus: join(place, 'corpus'), seeds: join(place, 'seeds') };
    mkdirSync(folder.corpus);
    mkdirSync(folder.seeds);
    const engine = libFuzzer({ symbolizer: undefined });
    const exchange = new Exchange({
      connection,
      lease,
      ...(await corpusOn(connection, lease)),
      engine,
      folder,
      intervalMs,
      log: silentLog,
    });
    const run = new Run(connection, lease, folder.corpus, exchange);
    atEnd(() => run.end(AbortSignal.abort()));
    return run;
  }

  /** As libFuzzer would write it. */
  finds(input: Buffer | string, name = createHash('sha1').update(input).digest('hex')): string {
    writeFileSync(join(this.corpus, name), input);
    return name;
  }

  loses(name: string): void {
    rmSync(join(this.corpus, name));
  }

  begin = (): Promise<void> => this.exchange.begin(never);
  end = (signal = never): Promise<void> => this.exchange.end(signal);

  get isCorpusFull(): boolean {
    return this.exchange.isCorpusFull;
  }

  /** What the engine sees. */
  get inputs(): string[] {
    return readdirSync(this.corpus)
      .map((name) => readFileSync(join(this.corpus, name), 'latin1'))
      .sort();
  }
}

/** What the master has. */
async function shared(connection: Connection): Promise<string[]> {
  const inputs: string[] = [];
  for await (const { bytes } of pullCorpus(connection, { targetName })) {
    inputs.push(bytes.toString('latin1'));
  }
  return inputs.sort();
}

describe("a run's inputs", () => {
  test('go to the master, and to a run that begins later, each once', async () => {
    const { connection } = await runMasterFor();
    const first = await Run.of(connection);
    await first.begin();
    const large = randomBytes(700_000).toString('latin1');
    first.finds('one');
    first.finds('');
    first.finds(Buffer.from(large, 'latin1'));
    await first.end();
    expect(await shared(connection)).toEqual(['', 'one', large].sort());

    const second = await Run.of(connection);
    await second.begin();
    expect(second.inputs).toEqual(['', 'one', large].sort());
    second.finds('two');
    await second.end();
    expect(await shared(connection)).toEqual(['', 'one', 'two', large].sort());
  });

  test('are only those that the engine has written, and whole', async () => {
    const { connection } = await runMasterFor();
    const run = await Run.of(connection);
    await run.begin();
    run.finds('half of it', createHash('sha1').update('half of it and the rest').digest('hex'));
    run.finds('a note', 'README');
    run.finds(Buffer.alloc(2 ** 20 + 1));
    run.finds('one');
    await run.end();
    expect(await shared(connection)).toEqual(['one']);
  });

  test('go both ways while it runs, and those that it brought do not come back', async () => {
    const { connection } = await runMasterFor();
    const [first, second] = [await Run.of(connection, 20), await Run.of(connection, 20)];
    await Promise.all([first.begin(), second.begin()]);
    const name = first.finds('of the first');
    second.finds('of the second');
    const both = ['of the first', 'of the second'];
    while (second.inputs.length < 2 || first.inputs.length < 2) {
      await pause();
    }
    expect([first.inputs, second.inputs]).toEqual([both, both]);
    first.loses(name);
    second.finds('of the second, later');
    while (first.inputs.length < 2) await pause();
    expect(first.inputs).toEqual(['of the second', 'of the second, later']);
  });

  test('stay with the run while the corpus is full, and go when there is room again', async () => {
    const { connection } = await runMasterFor({ PANDAFUZZ_CORPUS_MAX_INPUTS: '1' });
    const [first, second] = [await Run.of(connection, 20), await Run.of(connection, 20)];
    await Promise.all([first.begin(), second.begin()]);
    first.finds('one');
    while (second.inputs.length < 1) await pause();
    second.finds('two');
    while (!second.isCorpusFull) await pause();
    expect(first.isCorpusFull).toBe(false);
    expect(await shared(connection)).toEqual(['one']);
    const corpus = { project: 'default', targetName };
    await unary(connection.corpora, connection.corpora.resetCorpus, { corpus });
    while ((await shared(connection))[0] !== 'two') await pause();
    expect(second.isCorpusFull).toBe(false);
    await Promise.all([first.end(), second.end()]);
  });

  test('wait at its end for a master that is away', async () => {
    const directory = temporaryFolder();
    const { master, connection, address } = await runMasterFor({}, directory);
    const run = await Run.of(connection);
    await run.begin();
    run.finds('one');
    await master.stop();
    const ended = run.end();
    await expect(Promise.race([ended, shared(connection)])).rejects.toThrow(/UNAVAILABLE/);
    await runMasterFor({ PANDAFUZZ_GRPC_ADDRESS: address }, directory);
    await ended;
    expect(await shared(connection)).toEqual(['one']);
  });

  test('are given up at once when the lease is no longer valid, or the run is', async () => {
    const { connection } = await runMasterFor();
    const run = await Run.of(connection);
    await run.begin();
    run.finds('one');
    const { jobs } = connection;
    const result = { outcome: JobOutcome.COMPLETED, message: '', statistics: undefined };
    await unary(jobs, jobs.completeJob, { lease: run.lease, result });
    await run.end();
    expect(await shared(connection)).toEqual([]);

    const nobody = connect('127.0.0.1:9');
    atEnd(() => nobody.close());
    const other = new Exchange({
      connection: nobody,
      lease: run.lease,
      ...(await corpusOn(nobody, run.lease)),
      intervalMs: 1000,
      log: silentLog,
      engine: libFuzzer({ symbolizer: undefined }),
      folder: { corpus: temporaryFolder(), seeds: temporaryFolder() },
    });
    await other.begin(never);
    await other.end(AbortSignal.abort());
  });
});
