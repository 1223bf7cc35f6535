import { exitCodeOf, onStopSignals } from '../core/stop-signals.js';
import { Agent, type BotOptions } from './agent.js';
import { killEverything } from './sandbox/sandbox.js';

/**
 * Runs a bot until a signal, then stops it within 5 s; a second signal ends the process at
 * once (core/stop-signals.ts). However the process ends, no engine outlives it.
 *
 * @throws UserError when the bot cannot work at all
 */
export async function runBot(options: BotOptions): Promise<void> {
  process.on('exit', killEverything);
  const started = Promise.withResolvers<Agent>();
  const forget = onStopSignals({
    stop(signal) {
      options.log.info({ signal }, 'bot stopping');
      void started.promise.then((agent) => agent.stop());
    },
    endAtOnce: (signal) => process.exit(exitCodeOf(signal)),
  });
  try {
    const agent = await Agent.start(options);
    started.resolve(agent);
    await agent.finished;
  } finally {
    forget();
    killEverything();
    process.off('exit', killEverything);
  }
}
