import { useState } from 'preact/hooks';
import { call } from '../../api/call.js';
import { groupStatus } from '../../format/states.js';
import { Action } from '../../frame/actions.js';
import type { CrashGroup, CrashGroupStatus } from '../../gen/pandafuzz/v1/crash.js';
import { ownName } from '../settings.js';

const choices: readonly (readonly [CrashGroupStatus, string])[] = [
  ['CRASH_GROUP_STATUS_NEW', 'new: nobody has looked at it'],
  ['CRASH_GROUP_STATUS_CONFIRMED', 'confirmed: it is a bug'],
  ['CRASH_GROUP_STATUS_FIXED', 'fixed: a later build that crashes this way makes it new again'],
  ['CRASH_GROUP_STATUS_WONT_FIX', "won't fix: it is a bug that stays"],
  ['CRASH_GROUP_STATUS_IGNORED', 'ignored: it is no bug'],
];

/** What people make of a group. The note is what it is when the form opens, until it is edited. */
export function StatusForm({
  group,
  close,
  then,
}: {
  group: CrashGroup;
  close: () => void;
  then: () => void;
}) {
  const [status, setStatus] = useState<CrashGroupStatus>(group.status ?? 'CRASH_GROUP_STATUS_NEW');
  const [note, setNote] = useState(group.note ?? '');
  const before = groupStatus(group);
  // What somebody else has set since is shown before it is overwritten.
  const [seen, setSeen] = useState(group.statusSetAt);
  const needsReason =
    note.trim() === '' &&
    (status === 'CRASH_GROUP_STATUS_WONT_FIX' || status === 'CRASH_GROUP_STATUS_IGNORED');
  const act = async () => {
    if (needsReason) throw new Error('a note has to say why it is not to be mended');
    const groupId = group.id ?? '';
    const { group: now = {} } = await call('CrashService', 'GetCrashGroup', { groupId });
    if (now.statusSetAt !== seen) {
      setSeen(now.statusSetAt);
      const who = now.statusSetBy || 'somebody';
      const words = now.note ? `, with the note "${now.note}"` : '';
      throw new Error(
        `${who} has set this to ${groupStatus(now)} meanwhile${words}: leave it, or save again to set yours`,
      );
    }
    const request = { groupId, status, note, by: ownName() };
    const answer = await call('CrashService', 'SetCrashGroupStatus', request);
    return `It was ${before}, and is ${groupStatus(answer.group ?? {})}.`;
  };
  return (
    <div class="form">
      <label>
        Status{' '}
        <select
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value as CrashGroupStatus)}
        >
          {choices.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      </label>
      <label>
        Note{' '}
        <textarea
          rows={3}
          maxLength={4000}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      <Action
        act={act}
        then={() => {
          then();
          close();
        }}
      >
        Save
      </Action>{' '}
      <button type="button" onClick={close}>
        Leave it
      </button>
    </div>
  );
}
