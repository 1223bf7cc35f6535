import { inputFile, replayLine } from '../../../src/core/replay.js';
import { Copy } from '../../frame/actions.js';
import type { Crash } from '../../gen/pandafuzz/v1/crash.js';
import { Text } from '../../text/text.js';

/** Lines to copy: each does all of it. What a target or a bot wrote is quoted for a shell. */
export function HowTo({ groupId, crash }: { groupId: string; crash: Crash | undefined }) {
  const fetched = `pandafuzz crash download ${crash?.id ?? groupId} --output ${inputFile}`;
  const here = crash && `${fetched} && ${replayLine(crash, inputFile)}`;
  return (
    <section class="how-to" aria-label="How to reproduce it">
      {here && <Line of={here}>Reproduce it, beside the target</Line>}
      <Line of={`pandafuzz crash reproduce ${groupId} --wait`}>Or on a bot</Line>
      <Line of={`pandafuzz crash get ${groupId}`}>All that is known</Line>
    </section>
  );
}

const Line = ({ of, children }: { of: string; children: string }) => (
  <p>
    {children}:{' '}
    <code>
      <Text of={of} />
    </code>{' '}
    <Copy text={of} />
  </p>
);
