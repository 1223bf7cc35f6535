import { Agent } from '../../src/bot/agent.js';
import { silentLog } from '../../src/core/log.js';
import { atEnd, temporaryFolder } from '../harness.js';

/** A bot with one slot, which keeps its inputs to itself; it stops with the test. */
export async function startedAgent(master: string, workDir = temporaryFolder()): Promise<Agent> {
  const agent = await Agent.start({
    master,
    name: 'tested',
    workDir,
    slots: 1,
    labels: {},
    exchangeIntervalMs: 0,
    log: silentLog,
  });
  atEnd(() => agent.stop());
  return agent;
}
