import { useState } from 'preact/hooks';
import { useAsk } from '../../api/ask.js';
import { call } from '../../api/call.js';
import { Age } from '../../format/ages.js';
import { bytes, many, num, short, si } from '../../format/figures.js';
import { Action } from '../../frame/actions.js';
import { FailureLine, Loading } from '../../frame/panel.js';
import type { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { go, pathOf } from '../../route/route.js';
import { Text } from '../../text/text.js';
import { ownName } from '../settings.js';
import { undone } from './decisions.js';

/** As many as the master takes at once. */
const most = 1000;
const longMs = 86_400_000;

/** Chooses crashes by what tells them apart, or one by one, and gives them a group of their own. */
export function SplitForm(props: { group: CrashGroup; close: () => void; then: () => void }) {
  const { group, close, then } = props;
  const groupId = group.id ?? '';
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  // What is chosen from does not change while somebody chooses.
  const answer = useAsk(
    `split ${groupId}`,
    (signal) => call('CrashService', 'ListCrashes', { groupId, pageSize: most }, signal),
    longMs,
  );
  const crashes = answer.value?.crashes ?? [];
  const choose = (ids: readonly string[], isIn: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) isIn ? next.add(id) : next.delete(id);
    setChosen(next);
  };
  const act = async () => {
    const request = { groupId, crashIds: [...chosen], by: ownName() };
    const { group: made, decision } = await call('CrashService', 'SplitCrashGroup', request);
    then();
    close();
    go(pathOf('groups', made?.id ?? ''));
    const text = `${many(chosen.size, 'crash', 'crashes')} went to ${short(made?.id)}.`;
    return { text, undo: () => undone(decision?.id ?? '') };
  };
  return (
    <div class="form wide">
      {answer.failure && <FailureLine of={answer} />}
      {!answer.value && !answer.failure && <Loading rows={3} />}
      {[...alike(crashes)].map(([name, ones]) => (
        <Alike key={name} name={name} of={ones} chosen={chosen} choose={choose} />
      ))}
      {answer.value?.nextPageToken && <p class="muted">These are the newest {most}.</p>}
      <p>
        {chosen.size} of {si(num(group.crashInputsKept))} inputs go to a group of their own, and
        with them later crashes of the same message and innermost frames with their lines. It can be
        undone.
      </p>
      <p class="buttons">
        <Action act={act} blocked={whyNot(chosen.size, crashes.length)}>
          Split them off
        </Action>
        <button type="button" onClick={close}>
          Leave it
        </button>
      </p>
    </div>
  );
}

function whyNot(chosen: number, all: number): string | undefined {
  if (chosen === 0) return 'Choose crashes first.';
  return chosen === all ? 'All of them are chosen: some have to stay.' : undefined;
}

const innermost = 3;
/** Crashes of one kind that are drawn. */
const mostRows = 200;

/** By message and innermost frames, in the order in which they came. */
function alike(crashes: readonly Crash[]): ReadonlyMap<string, readonly Crash[]> {
  const all = new Map<string, Crash[]>();
  for (const crash of crashes) {
    const frames = (crash.frames ?? []).slice(0, innermost).join(' ← ');
    const name = [crash.message || crash.kind, frames].filter(Boolean).join(': ');
    all.set(name, [...(all.get(name) ?? []), crash]);
  }
  return all;
}

function Alike(props: {
  name: string;
  of: readonly Crash[];
  chosen: ReadonlySet<string>;
  choose: (ids: readonly string[], isIn: boolean) => void;
}) {
  const { name, of: crashes, chosen, choose } = props;
  const [isOpen, setOpen] = useState(false);
  const ids = crashes.map(({ id = '' }) => id);
  return (
    <fieldset>
      <legend>
        <label>
          <input
            type="checkbox"
            checked={ids.every((id) => chosen.has(id))}
            onChange={(event) => choose(ids, event.currentTarget.checked)}
          />{' '}
          <Text of={name} most={300} /> ({ids.length})
        </label>
      </legend>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>One by one</summary>
        {(isOpen ? crashes.slice(0, mostRows) : []).map(
          ({ id = '', inputSizeBytes, foundAt, hits }) => (
            <label key={id} class="row">
              <input
                type="checkbox"
                checked={chosen.has(id)}
                onChange={(event) => choose([id], event.currentTarget.checked)}
              />{' '}
              <code>{id}</code> {bytes(inputSizeBytes)}, {si(num(hits))} hits, <Age of={foundAt} />{' '}
              ago
            </label>
          ),
        )}
        {crashes.length > mostRows && <p class="muted">The newest {mostRows} of them.</p>}
      </details>
    </fieldset>
  );
}
