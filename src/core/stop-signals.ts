import { constants } from 'node:os';

/** Set by bin/pandafuzz where SIGHUP was ignored at its start, as by nohup: Node forgets that. */
const ignoresHangUp = 'PANDAFUZZ_NOHUP';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `stop` on the first SIGINT, SIGTERM or SIGHUP, and `endAtOnce` on every later SIGINT
 * or SIGTERM. A later SIGHUP means nothing: the end of a terminal sends two of them, by the
 * kernel and by the shell, and systemd sends one right after its SIGTERM.
 *
 * Under nohup SIGHUP is ignored altogether.
 *
 * @returns removes the listeners
 */
export function onStopSignals(
  on: { stop: (signal: NodeJS.Signals) => void; endAtOnce: (signal: NodeJS.Signals) => void },
  environment: NodeJS.ProcessEnv = process.env,
): () => void {
  let isStopping = false;
  const hear = (signal: NodeJS.Signals) => {
    if (signal === 'SIGHUP' && (isStopping || environment[ignoresHangUp] === '1')) return;
    if (isStopping) on.endAtOnce(signal);
    else {
      isStopping = true;
      on.stop(signal);
    }
  };
  for (const name of stopSignals) process.on(name, hear);
  return () => {
    for (const name of stopSignals) process.off(name, hear);
  };
}

/** As a shell reports the end by a signal: 130 for SIGINT. */
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
