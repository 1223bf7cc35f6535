import { describe, expect, test } from '@jest/globals';
import { keyOf } from '../../../src/bot/findings/crash-key.js';
import { type Account, NamelessStacks } from '../../../src/bot/runs/nameless-stacks.js';

/** A report of libFuzzer's own, whose stack is of its runtime alone. */
const overwritten = (frames: readonly string[]) =>
  [
    '==2== ERROR: libFuzzer: fuzz target overwrites its const input',
    ...frames.map((frame, at) => `    #${at} 0x55ef1163${at} ${frame}`),
    'SUMMARY: libFuzzer: overwrites-const-input',
  ].join('\n');

const nameless = overwritten([' (/run/bin/target+0xe8ce1)', ' (/run/bin/target+0x5b638)']);
const named = overwritten([
  'in __sanitizer_print_stack_trace (/run/bin/target+0xe8ce1)',
  'in fuzzer::PrintStackTrace() (/run/bin/target+0x5b638)',
]);

const accountOf = (report: string): Account => ({
  report,
  ...keyOf(report),
  exit: undefined,
  replayCommand: undefined,
});

describe('a crash whose stack has no names', () => {
  test('is what its replay says, though nothing of the stack is the target’s own', async () => {
    const stacks = new NamelessStacks();
    const account = await stacks.account(accountOf(nameless), async () => accountOf(named));
    expect(account.report).toBe(named);
    expect(stacks.areNamesNeeded).toBe(true);
  });

  test('stays what it is when its replay says nothing', async () => {
    const stacks = new NamelessStacks();
    const own = accountOf(nameless);
    expect(await stacks.account(own, async () => accountOf('Executed the input in 1 ms'))).toBe(
      own,
    );
    expect(await stacks.account(own, async () => undefined)).toBe(own);
  });
});
