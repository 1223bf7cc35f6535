import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, UserError } from '../../core/errors.js';
import { engineOf } from '../../core/target-engine.js';
import { TargetFault } from '../../target/fault.js';
import { type Library, librariesOf } from '../../target/libraries.js';
import { type Program, readProgram } from '../../target/program.js';
import { dataError } from '../exit-codes.js';

/** A program that is about to be sent. */
export interface AtDoor {
  /** Path here. */
  readonly path: string;
  /** Its name for people. */
  readonly name: string;
  /** Whether what lies beside it goes with it. */
  readonly isBundle: boolean;
  /** The engine that was asked for; undefined: by what the program was built for. */
  readonly engine: string | undefined;
  /** Machines of the fleet, as `os.arch()` names them; empty: unknown. */
  readonly machines: ReadonlySet<string>;
}

/** What was found: the engine, and what may go wrong. */
export interface Admitted {
  readonly engine: string;
  readonly warnings: readonly string[];
}

/** Engines that need nothing of theirs in a target. */
const needsNothing = new Set(['command', 'honggfuzz']);
const defaultEngine = 'libfuzzer';

/**
 * Looks at a program before it is sent: what no bot can run is refused here, in words.
 *
 * @throws UserError
 */
export async function admit(one: AtDoor): Promise<Admitted> {
  const program = await readProgram(one.path).catch((error) => {
    if (error instanceof TargetFault) throw refused(one, error.message);
    throw error;
  });
  expectMachine(one, program);
  const libraries = program.elf ? await librariesOf(one.path) : [];
  if (!one.isBundle) expectNoneBeside(one, libraries);
  const engine = await engineFor(one, program, libraries);
  return { engine, warnings: await missingHere(one, program, libraries) };
}

function expectMachine(one: AtDoor, { elf }: Program): void {
  if (!elf || one.machines.size === 0 || one.machines.has(elf.machine)) return;
  const fleet = [...one.machines].sort().join(' or ');
  throw refused(
    one,
    `it is built for ${elf.machine}, and every bot is ${fleet}: build it for that`,
  );
}

function expectNoneBeside(one: AtDoor, libraries: readonly Library[]): void {
  const beside = libraries.filter(({ found }) => found === 'own' || found === 'beside');
  if (beside.length === 0) return;
  const names = beside.map(({ name }) => name).join(', ');
  throw refused(
    one,
    `it needs ${names}, which a bot would not have: send the folder with --bundle ${dirname(one.path)} ${basename(one.path)}`,
  );
}

async function engineFor(
  one: AtDoor,
  program: Program,
  libraries: readonly Library[],
): Promise<string> {
  const built = program.engine ?? (await engineIn(libraries));
  const asked = one.engine;
  if (asked === undefined && built !== undefined) return built;
  if (!program.elf || (asked !== undefined && needsNothing.has(asked))) {
    return asked ?? defaultEngine;
  }
  if (built === undefined) {
    throw refused(
      one,
      'there is no fuzzer in it: build it for an engine, such as libFuzzer with -fsanitize=fuzzer (--no-check sends it all the same)',
    );
  }
  if (asked !== built) {
    throw refused(one, `it is built for ${built}, not for ${asked}: leave --engine out`);
  }
  return built;
}

/** The runtime of a fuzzer may be in a library of its own. */
async function engineIn(libraries: readonly Library[]): Promise<string | undefined> {
  for (const { found, path } of libraries) {
    if (found !== 'own' && found !== 'beside') continue;
    const engine = await engineOf(path);
    if (engine !== undefined) return engine;
  }
  return undefined;
}

/** What is not on this machine may still be on the bots'. */
async function missingHere(
  { name }: AtDoor,
  { interpreter }: Program,
  libraries: readonly Library[],
): Promise<string[]> {
  const missing = libraries.filter(({ found }) => found === 'nowhere').map((one) => one.name);
  return [
    ...(interpreter === '' || (await isThere(interpreter))
      ? []
      : [`${name} needs ${interpreter}, which is not on this machine: the bots must have it`]),
    ...(missing.length === 0
      ? []
      : [`${name} needs ${missing.join(', ')}, not on this machine: the bots must have it`]),
  ];
}

async function isThere(program: string): Promise<boolean> {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(':');
  for (const folder of folders) {
    const path = folder === '' ? program : join(folder, program);
    const isFound = await access(path).then(
      () => true,
      () => false,
    );
    if (isFound) return true;
  }
  return false;
}

export const refused = ({ name }: Pick<AtDoor, 'name'>, why: string) =>
  new UserError(`${name}: ${why}`, dataError);

/** A fault of what people gave, as an error for them. */
export async function inWords<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TargetFault)) throw error;
    throw new UserError(`${what}: ${messageOf(error)}`, dataError);
  }
}
