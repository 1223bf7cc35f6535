import { Agent, type BotOptions } from '../../src/bot/agent.js';
import { silentLog } from '../../src/core/log.js';
import { atEnd, temporaryFolder } from '../harness.js';

/** A bot with one slot, which keeps its inputs to itself; it stops with the test. */
export async function startedAgent(
  master: string,
  options: Partial<BotOptions> = {},
): Promise<Agent> {
  const agent = await Agent.start({
    master,
    name: 'tested',
    workDir: options.workDir ?? temporaryFolder(),
    slots: 1,
    labels: {},
    exchangeIntervalMs: 0,
    log: silentLog,
    ...options,
  });
  atEnd(() => agent.stop());
  return agent;
}
