import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { GroupChip, titleOf } from '../format/states.js';
import { FailureLine, Loading, Panel } from '../frame/panel.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf } from '../route/route.js';
import { Lines } from '../text/lines.js';
import { Name, Text } from '../text/text.js';
import { About } from './group/about.js';
import { Builds } from './group/builds.js';
import { Buttons } from './group/buttons.js';
import { GroupCrashes } from './group/crashes.js';
import { Decisions } from './group/decisions.js';
import { HowTo } from './group/how-to.js';
import { Reproducer } from './group/reproducer.js';
import { Stack } from './group/stack.js';
import { GroupRows } from './group-rows.js';

/** What is it, and does it reproduce? */
export function GroupPage({ rest: [id = ''] }: PageProps) {
  const answer = useAsk(`group ${id}`, (signal) =>
    call('CrashService', 'GetCrashGroup', { groupId: id }, signal),
  );
  const group = answer.value?.group;
  const crashId = group?.reproducerCrashId || group?.firstCrashId || '';
  const found = useAsk(`crash ${crashId}`, async (signal) =>
    crashId === ''
      ? undefined
      : (await call('CrashService', 'GetCrash', { crashId }, signal)).crash,
  );
  if (!group) {
    return (
      <>
        <h1>Crash group</h1>
        {answer.failure ? <FailureLine of={answer} /> : <Loading rows={8} />}
      </>
    );
  }
  const crash = found.value;
  const similar = answer.value?.similar ?? [];
  return (
    <>
      <h1>
        <GroupChip of={group} /> <Name of={titleOf(group)} most={96} />
      </h1>
      {group.mergedInto && (
        <p class="away">
          This group was merged into <Link to={pathOf('groups', group.mergedInto)}>another</Link>:
          its decisions, below, can be undone.
        </p>
      )}
      {group.message && (
        <p>
          <Text of={group.message} most={500} />
        </p>
      )}
      <About group={group} crash={crash} />
      <Buttons group={group} similar={similar} then={answer.again} />
      <HowTo groupId={id} crash={crash} />
      <div class="columns">
        <Panel title="Stack" of={found}>
          {crash && <Stack of={crash} />}
        </Panel>
        <Panel title="Reproducer" of={found}>
          {crash && <Reproducer key={crash.id} of={crash} />}
        </Panel>
      </div>
      <Builds group={group} of={answer.value?.builds ?? []} answer={answer} />
      <Panel title="Report" of={found}>
        {crash?.report ? (
          <Lines of={crash.report} label="Report of the sanitizer" />
        ) : (
          <p class="muted">The target left no report; reproduce it to try again.</p>
        )}
      </Panel>
      <GroupCrashes groupId={id} />
      <Decisions groupId={id} then={answer.again} />
      {similar.length > 0 && (
        <Panel title="Similar groups">
          <GroupRows of={similar} />
        </Panel>
      )}
    </>
  );
}
