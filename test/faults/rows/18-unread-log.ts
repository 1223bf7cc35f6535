import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../../src/cli/node-flags.js';
import { atEnd } from '../../endings.js';
import { reach } from '../../processes.js';
import { done } from '../history/operation.js';
import { talk } from '../means/talk.js';
import type { Outcome, Row, RunOptions } from '../row.js';
import { Scene } from '../scene.js';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

/** A terminal on which nobody reads. Passes SIGTERM on. */
const stoppedTerminal = `
import os, pty, signal, subprocess, sys
_, terminal = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stderr=terminal)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
sys.exit(child.wait())`;

const readers = ['pipe', 'terminal', 'full disk'] as const;

export const unreadLog: Row = {
  number: 18,
  fault: 'the log is not read: a pipe, a terminal, a full disk under it',
  promise: 'Nothing waits for the reader of the log.',
  found: ['A terminal that nobody read (Ctrl-S) stopped the whole master.'],
  async run(options) {
    const outcomes: Outcome[] = [];
    const wanted = options.isShort ? readers.slice(0, 1) : readers;
    for (const reader of wanted) outcomes.push(await unreadBy(reader, options));
    return {
      operations: outcomes.reduce((sum, { operations }) => sum + operations, 0),
      fired: outcomes.every(({ fired }) => fired > 0)
        ? outcomes.reduce((sum, { fired }) => sum + fired, 0)
        : 0,
      violations: outcomes.flatMap(({ violations }) => violations),
      figures: Object.assign({}, ...outcomes.map(({ figures }) => figures)),
    };
  },
};

async function unreadBy(reader: (typeof readers)[number], { seed }: RunOptions): Promise<Outcome> {
  const scene = await Scene.set(seed);
  const env = { PATH: process.env['PATH'], ...scene.environment };
  const command = [process.execPath, ...nodeFlags, main, 'master'];
  const full = reader === 'full disk' ? openSync('/dev/full', 'w') : undefined;
  const [program = '', ...args] =
    reader === 'terminal' ? ['python3', '-c', stoppedTerminal, ...command] : command;
  const master = spawn(program, args, { env, stdio: ['ignore', 'ignore', full ?? 'pipe'] });
  if (full !== undefined) closeSync(full);
  const exited = new Promise<number | null>((resolve) => master.once('exit', resolve));
  atEnd(async () => {
    master.kill('SIGKILL');
    await exited;
  });
  const connection = await reach(scene.address);
  // No bots: lines that are left out as a bot has too many would count as lost, too.
  const load = scene.load({ paceMs: 0, operators: 6, bots: 0 });
  const lost = async () => {
    const text = await (await fetch(`http://${scene.http}/metrics`)).text();
    return Number(/^log_lines_lost_total (\d+)/m.exec(text)?.[1] ?? 0);
  };
  await talk(connection, async () => (await lost()) > 0);
  const fired = await lost();
  const at = scene.mark('not read');
  // One more than operators have under way.
  await scene.busy('create', 7);
  const goesOn = done(scene.read(), 'create').some(({ askedAt }) => askedAt > at);
  await load.end(20_000);
  connection.close();
  master.kill('SIGTERM');
  const code = await exited;
  const violations = scene.judge().map(({ rule, what }) => `${rule}: ${what}`);
  if (!goesOn) violations.push(`${reader}: no job was created while the log was not read`);
  if (code !== 0) violations.push(`${reader}: the master ended with ${code}`);
  return {
    operations: scene.operations,
    fired,
    violations,
    figures: { [`lines dropped, ${reader}`]: String(fired) },
  };
}
