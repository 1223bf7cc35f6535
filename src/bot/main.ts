import { Agent, type BotOptions } from './agent.js';
import { killEverything } from './sandbox/sandbox.js';

/** 128 and the signal's number, as a shell would say it. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a bot until SIGTERM or SIGINT, then stops it within 5 s. A second signal
 * ends the process at once. However the process ends, no engine outlives it.
 *
 * @throws UserError when the bot cannot work at all
 */
export async function runBot(options: BotOptions): Promise<void> {
  process.on('exit', killEverything);
  const agent = await Agent.start(options);
  let isStopping = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (isStopping) process.exit(exitCodes[signal]);
    isStopping = true;
    options.log.info({ signal }, 'bot stopping');
    void agent.stop();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await agent.finished;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    killEverything();
    process.off('exit', killEverything);
  }
}
