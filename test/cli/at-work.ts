import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { pandafuzz, startPandafuzz } from './run.js';

/** A folder with an executable and seeds in it, as an operator has them. */
export function operatorsFolder(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'fuzzer'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(folder, 'fuzzer'), 0o755);
  mkdirSync(join(folder, 'seeds'));
  writeFileSync(join(folder, 'seeds', 'one'), 'seed');
  return folder;
}

/** A master, and `pandafuzz` with that master and that folder. */
export async function atWork(settings: Record<string, string> = {}) {
  const { connection, address } = await runMasterFor(settings);
  const folder = operatorsFolder();
  const options = { cwd: folder, environment: { PANDAFUZZ_MASTER: address } };
  const run = (...args: string[]) => pandafuzz(args, options);
  const runIn = (environment: Record<string, string>, ...args: string[]) =>
    pandafuzz(args, { ...options, environment: { ...options.environment, ...environment } });
  const start = (onTerminal: boolean, ...args: string[]) =>
    startPandafuzz(args, { ...options, onTerminal });
  return { connection, folder, run, runIn, start };
}
