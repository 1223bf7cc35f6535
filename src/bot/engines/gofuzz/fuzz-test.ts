import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import { TargetFault } from '../../../target/fault.js';
import type { Answer, EngineCommand } from '../engine.js';
import { makeSharedFolders } from '../shared-folder.js';
import { argumentsOf, type GoArguments } from './arguments.js';
import type { InputType } from './corpus-file.js';

/** The one fuzz test of a binary that a job runs. */
export interface FuzzTest {
  /** e.g. "FuzzParse". */
  readonly name: string;
  readonly type: InputType;
}

export interface OfBinary {
  readonly target: string;
  readonly spec: JobSpec;
  readonly ask?: (command: EngineCommand) => Promise<Answer>;
}

/** What was found out last: a run asks before each start and each replay. */
const known = new Map<string, FuzzTest>();
const mostKnown = 64;

/**
 * Asks a test binary for its fuzz tests, and for the arguments of the one that the job names,
 * or of the only one.
 *
 * @param room a folder of the run, in which a folder is made for the time of the call
 * @throws TargetFault where none, or more than one, can be meant
 */
export async function fuzzTestOf(of: OfBinary, room: string): Promise<FuzzTest> {
  const { size, mtimeMs, ino } = await stat(of.target);
  const read = argumentsOf(of.spec);
  const key = [of.target, ino, size, mtimeMs, read.fuzz, ...read.own].join('\0');
  const before = known.get(key);
  if (before) return before;
  const name = chosen(await namesIn(of, read), read.fuzz);
  const found = { name, type: await typeOf(of, read, name, room) };
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size >= mostKnown) known.delete(oldest);
  known.set(key, found);
  return found;
}

async function namesIn(of: OfBinary, { own }: GoArguments): Promise<string[]> {
  const list = { file: of.target, args: ['-test.list=^Fuzz', ...own] };
  const { exit, output } = await asked(of, { ...list, environment: of.spec.environment });
  const names = output.split('\n').filter((line) => /^Fuzz\S*$/.test(line));
  if (names.length > 0) return names;
  const words = output.trim().slice(-500);
  if (exit.code !== 0) {
    throw new TargetFault(
      `the test binary does not list its fuzz tests (-test.list; exit code ${exit.code}): ${words}`,
    );
  }
  throw new TargetFault('there is no fuzz test in it: no function FuzzXxx(*testing.F)');
}

function chosen(names: readonly string[], pattern: string): string {
  const listed = names.slice(0, 10).join(', ');
  const fitting = names.includes(pattern) ? [pattern] : names.filter(matcher(pattern));
  const [only] = fitting;
  if (only === undefined) {
    throw new TargetFault(`no fuzz test fits -test.fuzz=${pattern}: there are ${listed}`);
  }
  if (fitting.length === 1) return only;
  throw new TargetFault(
    `it has ${fitting.length} fuzz tests${pattern ? ` that fit -test.fuzz=${pattern}` : ''}: name one with -- -test.fuzz='^${only}$' (${listed})`,
  );
}

function matcher(pattern: string): (name: string) => boolean {
  try {
    const expression = new RegExp(pattern);
    return (name) => expression.test(name);
  } catch {
    throw new TargetFault(`-test.fuzz=${pattern} is no regular expression`);
  }
}

/** An input of a type that few tests take: Go answers with the types that it wants. */
const probe = 'go test fuzz v1\nbool(true)\n';

async function typeOf(
  of: OfBinary,
  { own }: GoArguments,
  name: string,
  room: string,
): Promise<InputType> {
  const folder = await mkdtemp(join(room, 'probe-'));
  try {
    const inputs = await makeSharedFolders(folder, 'testdata', 'fuzz', name);
    await writeFile(join(inputs, 'probe'), probe);
    const args = [`-test.run=^${name}$/^probe$`, ...own];
    const command = inFolder(folder, of.target, args);
    const { output } = await asked(of, { ...command, environment: of.spec.environment });
    const [, wanted] = /, want \[(.*)\]$/m.exec(output) ?? [];
    if (wanted === '[]uint8' || wanted === '[]byte') return '[]byte';
    return wanted === 'string' ? 'string' : 'other';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function asked({ ask }: OfBinary, command: EngineCommand): Promise<Answer> {
  if (!ask) throw new TargetFault('the test binary cannot be asked for its fuzz tests here');
  return ask(command);
}

/** Go looks for testdata/ in its working folder. */
export const inFolder = (folder: string, target: string, args: readonly string[]) => ({
  file: '/bin/sh',
  args: ['-c', 'cd "$0" && exec "$@"', folder, target, ...args],
});
