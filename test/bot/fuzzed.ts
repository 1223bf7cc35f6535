import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';
import type { JobSpec } from '../../src/gen/pandafuzz/v1/job.js';
import { atEnd, temporaryFolder } from '../harness.js';
import { buildProgram } from './programs/build.js';
import { assignment, type Peer, ScriptedMaster } from './scripted-master.js';
import { startedAgent } from './started-agent.js';

async function archive(seeds: readonly string[]): Promise<Buffer> {
  const folder = join(temporaryFolder(), 'seeds');
  mkdirSync(folder);
  seeds.forEach((seed, i) => {
    writeFileSync(join(folder, `${i}`), seed);
  });
  const file = join(temporaryFolder(), 'seeds.tar.gz');
  await create({ file, gzip: true, cwd: folder }, ['.']);
  return readFileSync(file);
}

export interface Fuzzed {
  readonly master: ScriptedMaster;
  readonly peer: Peer;
  readonly targetSha256: string;
}

/** A bot that fuzzes a program. */
export async function fuzz(
  program: string,
  flags: readonly string[],
  { seeds, ...spec }: Partial<Pick<JobSpec, 'limits' | 'environment'>> & { seeds?: string[] } = {},
): Promise<Fuzzed> {
  const master = await new ScriptedMaster().start();
  atEnd(() => master.stop());
  const targetSha256 = master.addArtifact(readFileSync(await buildProgram(program, flags)));
  const seedsSha256 = seeds ? master.addArtifact(await archive(seeds)) : '';
  await startedAgent(master.address);
  const { peer } = await master.nextStream();
  peer.welcome();
  peer.assign(assignment(targetSha256, { seedsSha256, ...spec }));
  return { master, peer, targetSha256 };
}
