#!/usr/bin/env -S node --no-allocation-site-pretenuring --max-semi-space-size=8 --heap-growing-percent=30
import { debuglog } from 'node:util';
import { CommanderError } from 'commander';
import { messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { complain } from '../operator/output.js';
import { namesWord } from './completion/lines.js';

/** EX_USAGE of sysexits.h. */
const usage = 64;

// `pandafuzz … | head`: a reader that closes its end needs no more output.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const given = process.argv.slice(2);
if (given[0] === namesWord) {
  // A shell that completes a word waits for it: no other command is loaded.
  const { printNames } = await import('./completion/names.js');
  await printNames(given.slice(1));
} else {
  const { makeProgram } = await import('./program.js');
  try {
    const program = await makeProgram(given[0]);
    await program.parseAsync(helpAtTheEnd(given), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
  if (error instanceof UserError) {
    complain(error.message);
    return error.exitCode;
  }
  const fault = `internal error: ${messageOf(error)} (NODE_DEBUG=pandafuzz shows where; please report it)`;
  complain(describeTrouble(error) ?? fault);
  debuglog('pandafuzz')('%O', error);
  return 1;
}

/** "help job submit" as "job submit --help": commander itself reads only "help job". */
function helpAtTheEnd(args: string[]): string[] {
  return args[0] === 'help' && args.length > 2 ? [...args.slice(1), '--help'] : args;
}
