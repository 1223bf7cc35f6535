import { useAsk } from '../../api/ask.js';
import { call } from '../../api/call.js';
import { Age } from '../../format/ages.js';
import { many, num, short } from '../../format/figures.js';
import { Action } from '../../frame/actions.js';
import { Panel } from '../../frame/panel.js';
import { Rights } from '../../frame/rights.js';
import type { CrashDecision } from '../../gen/pandafuzz/v1/crash.js';
import { Link, pathOf } from '../../route/route.js';
import { Text } from '../../text/text.js';
import { ownName } from '../settings.js';

const shown = 50;

/** Takes a merge or a split back, and says so. */
export async function undone(decisionId: string): Promise<string> {
  const request = { decisionId, by: ownName() };
  const { decision } = await call('CrashService', 'UndoCrashDecision', request);
  return `The ${decision?.kind ?? 'decision'} is undone: groups and figures are as without it.`;
}

/** Merges and splits from and to a group, the newest first; each can be undone at any time. */
export function Decisions({ groupId, then }: { groupId: string; then: () => void }) {
  const answer = useAsk(`decisions ${groupId}`, (signal) =>
    call('CrashService', 'ListCrashDecisions', { groupId, pageSize: shown }, signal),
  );
  const decisions = answer.value?.decisions ?? [];
  const again = () => {
    answer.again();
    then();
  };
  return (
    <Panel title="Merges and splits" of={answer}>
      {decisions.length === 0 && <p class="muted">Nobody has merged or split this group.</p>}
      <ul class="decisions">
        {decisions.map((decision) => (
          <li key={decision.id}>
            <One of={decision} groupId={groupId} then={again} />
          </li>
        ))}
      </ul>
      {answer.value?.nextPageToken && (
        <p class="muted">
          The newest {shown}: <code>pandafuzz crash decisions --group {groupId}</code> has all.
        </p>
      )}
    </Panel>
  );
}

function One(props: { of: CrashDecision; groupId: string; then: () => void }) {
  const { of: decision, groupId, then } = props;
  const { id = '', kind = '', crashes, by, at, undoneAt } = decision;
  const isFrom = decision.groupId === groupId;
  const other = (isFrom ? decision.toGroupId : decision.groupId) ?? '';
  return (
    <>
      <span>
        <b>{kind}</b>: {many(num(crashes), 'crash', 'crashes')} went {isFrom ? 'to' : 'here from'}{' '}
        <Link to={pathOf('groups', other)}>{short(other)}</Link>
        <span class="muted">
          , <Age of={at} /> ago by <Text of={by || 'an unnamed person'} most={64} />
        </span>
      </span>
      {undoneAt ? (
        <span class="muted">
          undone <Age of={undoneAt} /> ago
        </span>
      ) : (
        <Rights to="CrashService/UndoCrashDecision" quiet>
          <Action act={() => undone(id)} then={then}>
            Undo
          </Action>
        </Rights>
      )}
    </>
  );
}
