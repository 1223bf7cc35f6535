import { endAll } from '../../endings.js';
import { History } from '../history/history.js';
import { Load } from './load.js';

/** One bot of a load, in a process that can be stopped and killed: ADDRESS HISTORY SEED. Ends on SIGTERM. */
const [address = '', path = '', seed = '0'] = process.argv.slice(2);
const history = new History(path);
const load = new Load({
  address,
  history,
  seed: Number(seed),
  operators: 0,
  bots: 1,
  // Longer than it takes to see that it has begun.
  runMs: 4000,
  botName: `bot-of-${seed}`,
});
process.once('SIGTERM', () => load.end(10_000).then(() => endAll()));
process.stdout.write('at work\n');
