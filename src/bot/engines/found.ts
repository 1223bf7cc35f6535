import type { Logger } from '../../core/log.js';
import { aflPlusPlusDriver } from './aflplusplus/driver.js';
import { commandDriver } from './command/command.js';
import type { Engine, EngineDriver, EngineMachine } from './engine.js';
import { goFuzzDriver } from './gofuzz/gofuzz.js';
import { honggfuzzDriver } from './honggfuzz/honggfuzz.js';
import { jazzerJsDriver } from './jazzerjs/jazzerjs.js';
import { libFuzzerDriver } from './libfuzzer/libfuzzer.js';

/** Every engine that this bot has a driver for. */
export const drivers: readonly EngineDriver[] = [
  libFuzzerDriver,
  aflPlusPlusDriver,
  honggfuzzDriver,
  goFuzzDriver,
  jazzerJsDriver,
  commandDriver,
];

export interface FoundEngine {
  readonly engine: Engine;
  readonly version: string;
  readonly note: string;
}

/** The engines of one machine, by name. */
export type FoundEngines = ReadonlyMap<string, FoundEngine>;

/** Finds out which engines the machine can run, all at the same time. */
export async function findEngines(
  machine: EngineMachine,
  log: Logger,
  candidates: readonly EngineDriver[] = drivers,
): Promise<FoundEngines> {
  const probes = await Promise.all(candidates.map((driver) => driver.probe(machine)));
  const found = new Map<string, FoundEngine>();
  for (const [index, { name }] of candidates.entries()) {
    const probe = probes[index];
    if (!probe || 'missing' in probe) {
      const level = probe?.isBroken ? 'warn' : 'info';
      log[level]({ engine: name, why: probe?.missing }, 'engine missing');
      continue;
    }
    found.set(name, probe);
    const { version, note } = probe;
    if (note) log.warn({ engine: name, version, note }, 'engine found');
    else log.info({ engine: name, version }, 'engine found');
  }
  return found;
}
