import { answerOf } from '../../sandbox/answer.js';
import { findProgram } from '../../sandbox/programs.js';
import type { EngineDriver, EngineMachine, Probe } from '../engine.js';
import { aflPlusPlus } from './aflplusplus.js';
import { plainText } from './log.js';

/** For afl-fuzz to print how it is used, milliseconds. */
const answerMs = 5000;

/** Each for one more kind of job; merges need the last two. */
const toolNames = ['afl-tmin', 'afl-cmin', 'afl-showmap'] as const;

/** AFL++, where the machine has afl-fuzz; targets bring its instrumentation. */
export const aflPlusPlusDriver: EngineDriver = { name: 'aflplusplus', probe };

async function probe({ symbolizer, path }: EngineMachine): Promise<Probe> {
  const [fuzz, ...tools] = ['afl-fuzz', ...toolNames].map((name) => findProgram([name], path));
  const [tmin, cmin, showmap] = tools;
  if (!fuzz) return { missing: 'afl-fuzz is not on the PATH (Debian: afl++)' };
  // It has no flag that asks for its version; the first line of its usage names it.
  const answer = plainText(await answerOf(fuzz, [], answerMs));
  const version = /afl-fuzz\+\+(\d[\w.-]{0,30})/.exec(answer)?.[1];
  if (!version) {
    const said = answer.trim().split('\n')[0]?.slice(0, 200) || 'nothing';
    return { missing: `${fuzz} does not answer as AFL++ does; it printed: ${said}` };
  }
  const absent = toolNames.filter((_name, index) => tools[index] === undefined);
  return {
    engine: aflPlusPlus({ fuzz, tmin, cmin, showmap, version, symbolizer }),
    version,
    note: absent.length > 0 ? `missing beside afl-fuzz: ${absent.join(', ')}` : '',
  };
}
