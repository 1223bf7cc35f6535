import { useState } from 'preact/hooks';
import { useAsk } from '../../api/ask.js';
import { call } from '../../api/call.js';
import { Age } from '../../format/ages.js';
import { many, num, short, si } from '../../format/figures.js';
import { GroupChip, titleOf } from '../../format/states.js';
import { Action } from '../../frame/actions.js';
import { FailureLine } from '../../frame/panel.js';
import type { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { go, pathOf } from '../../route/route.js';
import { Name, Text } from '../../text/text.js';
import { ownName } from '../settings.js';
import { undone } from './decisions.js';

interface FormProps {
  group: CrashGroup;
  close: () => void;
  then: () => void;
}

/** An id, also at the end of an address of this page. */
const idIn = (text: string): string =>
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i.exec(text)?.[0].toLowerCase() ??
  '';

/** Chooses another group of the target, shows both side by side, and makes one of them. */
export function MergeForm({
  group,
  similar,
  close,
  then,
}: FormProps & { similar: readonly CrashGroup[] }) {
  const [text, setText] = useState('');
  const otherId = idIn(text);
  const isSame = otherId === group.id;
  const answer = useAsk(`other ${otherId}`, async (signal) =>
    otherId === '' || isSame
      ? undefined
      : (await call('CrashService', 'GetCrashGroup', { groupId: otherId }, signal)).group,
  );
  const other = answer.value;
  return (
    <div class="form wide">
      <label>
        The other group, by its id or address{' '}
        <input
          type="text"
          size={40}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {similar.length > 0 && (
        <p class="buttons">
          <span class="muted">Similar:</span>
          {similar.map(({ id = '', ...one }) => (
            <button
              key={id}
              type="button"
              aria-pressed={otherId === id}
              onClick={() => setText(id)}
            >
              <Name of={titleOf(one)} most={40} /> {short(id)}
            </button>
          ))}
        </p>
      )}
      {isSame && <p class="failure">This is the group itself.</p>}
      {otherId !== '' && answer.failure && <FailureLine of={answer} />}
      {other && <Preview key={otherId} group={group} other={other} close={close} then={then} />}
      <button type="button" onClick={close}>
        Leave it
      </button>
    </div>
  );
}

/** The older one stays, unless somebody chooses otherwise: ids sort by time. */
function Preview({ group, other, close, then }: FormProps & { other: CrashGroup }) {
  const [first, second] = (group.id ?? '') < (other.id ?? '') ? [group, other] : [other, group];
  const [staysId, setStays] = useState(first.id ?? '');
  const [stays, goes] = staysId === first.id ? [first, second] : [second, first];
  const blocked = whyNot(group, other);
  const act = async () => {
    const request = { groupIds: [goes.id ?? ''], intoGroupId: staysId, by: ownName() };
    const { decisions } = await call('CrashService', 'MergeCrashGroups', request);
    const id = decisions?.[0]?.id ?? '';
    return { text: `${short(goes.id)} went into ${short(staysId)}.`, undo: () => undone(id) };
  };
  const done = () => {
    then();
    close();
    go(pathOf('groups', staysId));
  };
  return (
    <>
      <div class="beside">
        {[first, second].map((one) => (
          <Side
            key={one.id}
            of={one}
            against={one === first ? second : first}
            isThis={one.id === group.id}
            stays={one.id === staysId}
            keep={() => setStays(one.id ?? '')}
          />
        ))}
      </div>
      <p>
        Then one group with {hitsOf(stays, goes)} hits and{' '}
        {many(num(group.crashInputsKept) + num(other.crashInputsKept), 'input')}, with the status
        and note of the one that stays. Later crashes of either come to it. It can be undone.
      </p>
      <Action act={act} then={done} blocked={blocked}>
        Merge them
      </Action>
    </>
  );
}

const hitsOf = (one: CrashGroup, other: CrashGroup): string =>
  si(num(one.crashHits) + num(other.crashHits));

function whyNot(group: CrashGroup, other: CrashGroup): string | undefined {
  if (other.mergedInto) return 'The other group was merged already.';
  const isOfTarget = group.project === other.project && group.targetName === other.targetName;
  return isOfTarget ? undefined : 'Groups of different targets cannot be one.';
}

function Side(props: {
  of: CrashGroup;
  against: CrashGroup;
  isThis: boolean;
  stays: boolean;
  keep: () => void;
}) {
  const { of: group, against, isThis, stays, keep } = props;
  const others = against.frames ?? [];
  return (
    <fieldset>
      <legend>{isThis ? 'This group' : `Group ${short(group.id)}`}</legend>
      <p>
        <GroupChip of={group} /> <Name of={titleOf(group)} most={64} />
      </p>
      <p class="muted">
        <Text of={group.message} most={200} />
      </p>
      <ol class="frames" start={0}>
        {(group.frames ?? []).map((frame, depth) => {
          const isEqual = frame.function === others[depth]?.function;
          return (
            <li key={depth} class={isEqual ? 'equal' : 'differs'}>
              <Text of={frame.function} most={120} />{' '}
              <small class="muted">{isEqual ? 'equal' : 'differs'}</small>
            </li>
          );
        })}
      </ol>
      <p>
        {si(num(group.crashHits))} hits, {many(num(group.crashInputsKept), 'input')}, first met{' '}
        <Age of={group.firstFoundAt} /> ago
      </p>
      <label>
        <input type="radio" name="stays" checked={stays} onChange={keep} /> stays
      </label>
    </fieldset>
  );
}
