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

const crash = (frame: string) =>
  ['==2==ERROR: AddressSanitizer: SEGV on unknown address', `    #0 0x55ef1163 ${frame}`].join(
    '\n',
  );

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

const nothing = async () => undefined;

describe('a crash whose stack has no names', () => {
  test('gets them by its offsets, and is not executed again', async () => {
    const stacks = new NamelessStacks();
    const replayed = () => Promise.reject(new Error('was executed again'));
    const named = async () => accountOf(crash('in parse /src/a.c:4:2'));
    const own = accountOf(crash(' (/run/bin/target+0xe8ce1)'));
    const account = await stacks.account(own, { named, replayed });
    expect(account.place).toBe('parse');
    expect(await stacks.account(own, { named: replayed, replayed })).toMatchObject({
      isCounted: true,
      key: account.key,
    });
    expect(stacks.areNamesNeeded).toBe(false);
  });

  test('is what its replay says where there is no symbolizer, though nothing of the stack is the target’s own', async () => {
    const stacks = new NamelessStacks();
    const replayed = async () => accountOf(named);
    const account = await stacks.account(accountOf(nameless), { named: nothing, replayed });
    expect(account.report).toBe(named);
    expect(stacks.areNamesNeeded).toBe(true);
  });

  test('stays what it is when neither says anything', async () => {
    const stacks = new NamelessStacks();
    const own = accountOf(nameless);
    const replayed = async () => accountOf('Executed the input in 1 ms');
    expect(await stacks.account(own, { named: nothing, replayed })).toBe(own);
    expect(await stacks.account(own, { named: nothing, replayed: nothing })).toBe(own);
  });
});
