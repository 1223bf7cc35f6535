import { existsSync, readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { JobOutcome } from '../../../../src/gen/pandafuzz/v1/job.js';
import { atEnd } from '../../../harness.js';
import { testWith } from '../../../languages/tools.js';
import { atherisPython, buildScript } from '../../programs/build.js';
import { assignment, ScriptedMaster } from '../../scripted-master.js';
import { startedAgent } from '../../started-agent.js';

const isPowerOfTwo = (count: number) => Number.isInteger(Math.log2(count));

testWith(
  { isThere: existsSync(atherisPython), name: 'Atheris' },
  'a Python target that is stopped reports all of its executions, not only those of its last line',
  async () => {
    const master = await new ScriptedMaster().start();
    atEnd(() => master.stop());
    await startedAgent(master.address);
    const { peer } = await master.nextStream();
    peer.welcome();
    const script = readFileSync(buildScript('idles.py', atherisPython));
    const job = assignment(master.addArtifact(script));
    peer.assign(job);
    // Lines come at powers of two only.
    await peer.next('beat', ({ leases }) => (leases[0]?.statistics?.executions ?? 0) >= 2 ** 16);
    peer.say({ $case: 'cancel', value: { lease: job.lease } });
    const { result } = await peer.next('jobDone');
    expect(result?.outcome).toBe(JobOutcome.CANCELLED);
    expect(isPowerOfTwo(result?.statistics?.executions ?? 0)).toBe(false);
  },
);
