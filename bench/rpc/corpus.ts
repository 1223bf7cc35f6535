import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type CorpusInput, corpusInput, pullCorpus, pushCorpus } from '../../src/client/corpus.js';
import type { Lease } from '../../src/gen/pandafuzz/v1/lease.js';
import { type Bench, count, type MeasuredOf, ofRounds } from '../figure.js';
import { Stage } from '../stage.js';
import { watch } from '../watch.js';

/** Inputs of one run, and bytes of each: those that fuzzers find are small. */
const pushed = { inputs: 20_000, bytes: 300 } as const;
const pulled = { inputs: 20_000, bytes: 1024 } as const;
/** Inputs in one call, as a bot sends them. */
const inputsOfCall = 1024;

/** Inputs of corpora, as bots bring and fetch them. */
export async function benchCorpus(bench: Bench): Promise<MeasuredOf<'corpus'>> {
  const rounds: Awaited<ReturnType<typeof takeRound>>[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    bench.say('corpus inputs, brought and fetched');
    rounds.push(await Stage.with(bench, {}, (stage) => takeRound(stage, bench.scale)));
  }
  const of = (figure: keyof (typeof rounds)[number]) => rounds.map((round) => round[figure]);
  const about = `${count(pushed.inputs * bench.scale)} inputs of ${pushed.bytes} bytes`;
  return {
    pushRate: ofRounds(of('pushRate'), `${about}, ${inputsOfCall} a call`),
    pushCpu: ofRounds(of('pushCpu'), 'of all threads of the master, from the same runs'),
    blobSize: ofRounds(of('blobSize'), 'disk blocks of blobs/ after the run, beside before it'),
    pullRate: ofRounds(of('pullRate'), `${pulled.bytes} bytes each`),
    pullCpu: ofRounds(of('pullCpu'), 'of all threads of the master, from the same runs'),
  };
}

async function takeRound(stage: Stage, scale: number) {
  const { connection, master } = stage;
  const [botId = ''] = await stage.registerBots(1);
  const push = async (targetName: string, inputs: readonly CorpusInput[]) => {
    const lease = (await leaseOn(stage, targetName, botId)) as Lease;
    for (let at = 0; at < inputs.length; at += inputsOfCall) {
      await pushCorpus(connection, lease, inputs.slice(at, at + inputsOfCall));
    }
  };
  const small = newInputs(pushed, scale);
  const before = diskBytes(master.directory);
  const pushing = await watch(master, 'corpus pushed', () => push('small', small));
  const taken = diskBytes(master.directory) - before;
  const larger = newInputs(pulled, scale);
  await push('larger', larger);
  let pulledBytes = 0;
  const pulling = await watch(master, 'corpus pulled', async () => {
    for await (const { bytes } of pullCorpus(connection, { targetName: 'larger' }))
      pulledBytes += bytes.length;
  });
  return {
    pushRate: small.length / pushing.seconds,
    pushCpu: (pushing.cpuSeconds * 1e6) / small.length,
    blobSize: taken / (small.length * pushed.bytes),
    pullRate: pulledBytes / 1e6 / pulling.seconds,
    pullCpu: (pulling.cpuSeconds * 1e6) / larger.length,
  };
}

async function leaseOn(stage: Stage, targetName: string, botId: string) {
  await stage.createJob({ targetName });
  return stage.pullJob(botId);
}

const newInputs = ({ inputs, bytes }: { inputs: number; bytes: number }, scale: number) =>
  Array.from({ length: inputs * scale }, () => corpusInput(randomBytes(bytes)));

/** Blocks that the blobs take on the disk. */
const diskBytes = (directory: string): number =>
  Number.parseInt(execFileSync('du', ['-sB1', join(directory, 'blobs')], { encoding: 'utf8' }), 10);
