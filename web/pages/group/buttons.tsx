import { useState } from 'preact/hooks';
import { call } from '../../api/call.js';
import { num } from '../../format/figures.js';
import { Action } from '../../frame/actions.js';
import { Rights } from '../../frame/rights.js';
import type { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { MergeForm } from './merge-form.js';
import { SplitForm } from './split-form.js';
import { StatusForm } from './status-form.js';

const forms = [
  ['status', 'Status and note'],
  ['merge', 'Merge…'],
  ['split', 'Split…'],
] as const;

interface ButtonsProps {
  group: CrashGroup;
  similar: readonly CrashGroup[];
  /** Called when something has changed. */
  then: () => void;
}

/** What may be done with a group; one form at a time is open. */
export function Buttons({ group, similar, then }: ButtonsProps) {
  const [open, setOpen] = useState('');
  const close = () => setOpen('');
  const form = { group, close, then };
  if (group.mergedInto) return null;
  return (
    <Rights to="CrashService/SetCrashGroupStatus">
      <div class="buttons">
        {forms.map(([name, title]) => (
          <Opener
            key={name}
            isOpen={open === name}
            toggle={() => setOpen(open === name ? '' : name)}
            blocked={name === 'split' && num(group.crashInputsKept) < 2 ? oneInput : undefined}
          >
            {title}
          </Opener>
        ))}
        <Work id={group.id ?? ''} then={then} />
      </div>
      {open === 'status' && <StatusForm {...form} />}
      {open === 'merge' && <MergeForm {...form} similar={similar} />}
      {open === 'split' && <SplitForm {...form} />}
    </Rights>
  );
}

const oneInput = 'This group has one input: there is nothing to split.';

function Opener(props: {
  isOpen: boolean;
  toggle: () => void;
  blocked: string | undefined;
  children: string;
}) {
  const { isOpen, toggle, blocked, children } = props;
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      aria-disabled={blocked !== undefined}
      title={blocked}
      onClick={() => blocked === undefined && toggle()}
    >
      {children}
    </button>
  );
}

/** What a bot does with its reproducer. */
const Work = ({ id, then }: { id: string; then: () => void }) => (
  <>
    <Action
      ask="Have a bot run the reproducer again? It takes a slot for a short time."
      act={async () => {
        const { jobId = '' } = await call('CrashService', 'ReproduceCrash', { id });
        return `Job ${jobId} runs the reproducer again.`;
      }}
      then={then}
    >
      Reproduce
    </Action>
    <Action
      ask="Have a bot look for a smaller input? It takes a slot for some minutes."
      act={async () => {
        const { jobId = '' } = await call('CrashService', 'MinimiseCrash', { id });
        return `Job ${jobId} looks for a smaller input.`;
      }}
      then={then}
    >
      Minimise
    </Action>
  </>
);
