import { readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Stocks } from '../../../src/bot/corpus/stocks.js';
import { unary } from '../../../src/client/call.js';
import type { Connection } from '../../../src/client/connect.js';
import { importCorpus } from '../../../src/client/corpora.js';
import { corpusInput } from '../../../src/client/corpus.js';
import { silentLog } from '../../../src/core/log.js';
import { runMasterFor, temporaryFolder } from '../../harness.js';
import { given } from '../../steps.js';

const never = new AbortController().signal;
const corpusNamed = (targetName: string) => ({ project: 'default', targetName });
const inputs = (...texts: string[]) => texts.map((text) => corpusInput(Buffer.from(text)));

const stocksIn = (folder: string, connection: Connection, mostBytes = 2 ** 30) =>
  new Stocks({ folder, connection, mostBytes, log: silentLog, signal: never });

/** What lies in a bot's folder of corpora, by content. */
const onDisk = (folder: string): string[] =>
  readdirSync(folder)
    .flatMap((name) => {
      const place = join(folder, name, 'inputs');
      return readdirSync(place).map((file) => readFileSync(join(place, file), 'utf8'));
    })
    .sort();

test('a corpus outlives its run and its process, and only what is new is brought', async () => {
  const { connection } = await runMasterFor();
  const folder = temporaryFolder();
  const png = corpusNamed('png');
  await importCorpus(connection, png, inputs('one', 'two', ''));
  const first = await stocksIn(folder, connection).open(png);
  await Promise.all([first.stock.refresh(never), first.stock.refresh(never)]);
  expect(onDisk(folder)).toEqual(['', 'one', 'two']);
  await first.close();

  const [lost] = inputs('one');
  const [name = ''] = readdirSync(folder);
  rmSync(join(folder, name, 'inputs', given(lost).sha256));
  await importCorpus(connection, png, inputs('three'));
  const second = await stocksIn(folder, connection).open(png);
  expect(second.stock.size).toBe(2);
  await second.stock.refresh(never);
  // The cursor went on from where it was: what is behind it does not come again.
  expect(onDisk(folder)).toEqual(['', 'three', 'two']);
});

test('inputs that leave the corpus leave the disk, and those that a merge kept stay', async () => {
  const { connection } = await runMasterFor();
  const { corpora } = connection;
  const folder = temporaryFolder();
  const png = corpusNamed('png');
  await importCorpus(connection, png, inputs('one', 'two', 'three'));
  const { stock } = await stocksIn(folder, connection).open(png);
  await stock.refresh(never);
  const [two] = inputs('two');
  const removal = { corpus: png, sha256s: [given(two).sha256] };
  await unary(corpora, corpora.removeCorpusEntries, removal);
  await importCorpus(connection, png, inputs('four'));
  await stock.refresh(never);
  expect(onDisk(folder)).toEqual(['four', 'one', 'three']);
  expect(stock.has(given(two).sha256)).toBe(false);
  await unary(corpora, corpora.resetCorpus, { corpus: png });
  await stock.refresh(never);
  expect(onDisk(folder)).toEqual([]);
});

test('the corpora that were unused for longest go when all take more than the bound', async () => {
  const { connection } = await runMasterFor();
  const folder = temporaryFolder();
  const stocks = stocksIn(folder, connection, 3 * 4096);
  const used: string[] = [];
  for (const [index, name] of ['first', 'second', 'third'].entries()) {
    await importCorpus(connection, corpusNamed(name), inputs(`${name} 1`, `${name} 2`));
    const { stock, close } = await stocks.open(corpusNamed(name));
    await stock.refresh(never);
    const place = given(readdirSync(folder).find((one) => !used.includes(one)));
    used.push(place);
    utimesSync(join(folder, place), 1000 + index, 1000 + index);
    if (name !== 'first') await close();
  }
  // The first is the oldest, and in use.
  expect(onDisk(folder)).toEqual(['first 1', 'first 2']);
});

test('a folder whose note is damaged is brought anew', async () => {
  const { connection } = await runMasterFor();
  const folder = temporaryFolder();
  const png = corpusNamed('png');
  await importCorpus(connection, png, inputs('one'));
  const first = await stocksIn(folder, connection).open(png);
  await first.stock.refresh(never);
  await first.close();
  const [name = ''] = readdirSync(folder);
  rmSync(join(folder, name, 'corpus.json'));
  const second = await stocksIn(folder, connection).open(png);
  expect(second.stock.size).toBe(0);
  await second.stock.refresh(never);
  expect(onDisk(folder)).toEqual(['one']);
});
