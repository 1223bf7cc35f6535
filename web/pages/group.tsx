import { useState } from 'preact/hooks';
import { type Answer, useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { many, num, si, utc } from '../format/figures.js';
import { GroupChip, titleOf } from '../format/states.js';
import { Action, Copy } from '../frame/actions.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import type { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import type { GroupBuild } from '../gen/pandafuzz/v1/crash_service.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf } from '../route/route.js';
import { Lines } from '../text/lines.js';
import { Name, Text } from '../text/text.js';
import { GroupCrashes } from './group-crashes.js';
import { GroupRows } from './group-rows.js';
import { Reproducer } from './reproducer.js';
import { Stack } from './stack.js';
import { StatusForm } from './status-form.js';

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
  return (
    <>
      <h1>
        <GroupChip of={group} /> <Name of={titleOf(group)} most={96} />
      </h1>
      {group.mergedInto && (
        <p class="away">
          This group was merged into <Link to={pathOf('groups', group.mergedInto)}>another</Link>.
        </p>
      )}
      {group.message && (
        <p>
          <Text of={group.message} most={500} />
        </p>
      )}
      <About group={group} crash={crash} />
      <Buttons group={group} then={answer.again} />
      <HowTo group={group} />
      <div class="columns">
        <Panel title="Stack" of={found}>
          {crash && <Stack of={crash} />}
        </Panel>
        <Panel title="Reproducer" of={found}>
          {crash && <Reproducer key={crash.id} of={crash} />}
        </Panel>
      </div>
      <Builds of={answer.value?.builds ?? []} answer={answer} />
      <Panel title="Report" of={found}>
        {crash?.report ? (
          <Lines of={crash.report} label="Report of the sanitizer" />
        ) : (
          <p class="muted">The target left no report; reproduce it to try again.</p>
        )}
      </Panel>
      <GroupCrashes groupId={id} />
      {(answer.value?.similar ?? []).length > 0 && (
        <Panel title="Similar groups">
          <GroupRows of={answer.value?.similar ?? []} />
        </Panel>
      )}
    </>
  );
}

function About({ group, crash }: { group: CrashGroup; crash: Crash | undefined }) {
  const [tried] = crash?.reproductions ?? [];
  const target = { project: group.project ?? 'default', name: group.targetName ?? '' };
  return (
    <Facts
      of={[
        [
          'Target',
          <Link to={pathOf('targets', target.project, target.name)}>
            <Name of={target.name} />
          </Link>,
        ],
        [
          'Reproduces',
          tried ? (
            `${num(tried.crashes)} of ${num(tried.runs)}`
          ) : (
            <span class="muted">not tried yet</span>
          ),
        ],
        ['Hits', `${si(num(group.crashHits))}, ${many(num(group.crashInputsKept), 'input')} kept`],
        [
          'Met by',
          `${many(num(group.jobs), 'job')} on ${many(num(group.bots), 'bot')}, in ${many(num(group.builds), 'build')}`,
        ],
        [
          'First met',
          <>
            <Age of={group.firstFoundAt} /> ago, {utc(group.firstFoundAt)}
          </>,
        ],
        [
          'Last met',
          <>
            <Age of={group.lastFoundAt} /> ago
          </>,
        ],
        crash !== undefined && [
          'Security',
          <>
            {crash.security ? 'yes' : 'no'}
            {crash.securityWhy ? (
              <>
                , <Text of={crash.securityWhy} />
              </>
            ) : (
              ''
            )}
          </>,
        ],
        !!group.note && ['Note', <Text of={group.note} />],
        !!group.statusSetAt && [
          'Status set',
          <>
            <Age of={group.statusSetAt} /> ago by{' '}
            <Text of={group.statusSetBy || 'an unnamed person'} />
          </>,
        ],
        !!group.fixedInSha256 && ['Fixed in', <code>{group.fixedInSha256.slice(0, 16)}</code>],
        !!group.reopenedAt && [
          'Came back',
          <>
            <Age of={group.reopenedAt} /> ago
          </>,
        ],
      ]}
    />
  );
}

function Buttons({ group, then }: { group: CrashGroup; then: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const id = group.id ?? '';
  return (
    <div class="buttons">
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Status and note
      </button>
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
      {isOpen && <StatusForm group={group} close={() => setOpen(false)} then={then} />}
    </div>
  );
}

/** Lines to copy. Ids alone are in them, so that nothing has to be quoted. */
function HowTo({ group: { id = '' } }: { group: CrashGroup }) {
  const line = `pandafuzz crash download ${id}`;
  const other = `pandafuzz crash get ${id}`;
  return (
    <section class="how-to" aria-label="How to reproduce it">
      <p>
        Get its input: <code>{line}</code> <Copy text={line} />
      </p>
      <p>
        How to run it, and all that is known: <code>{other}</code> <Copy text={other} />
      </p>
    </section>
  );
}

function Builds({ of, answer }: { of: readonly GroupBuild[]; answer: Answer<unknown> }) {
  if (of.length === 0) return null;
  const most = Math.max(1, ...of.map(({ hits }) => num(hits)));
  return (
    <Panel title="Hits by build, the newest first" of={answer}>
      <ul class="builds">
        {of.map(({ targetSha256 = '', hits, firstMetAt, lastMetAt, verifiedAt, crashes }) => (
          <li key={targetSha256}>
            <code>{targetSha256.slice(0, 16)}</code>
            <meter min={0} max={most} value={num(hits)} aria-label="hits" />
            <b>{si(num(hits))}</b>
            <span class="muted">
              {firstMetAt ? (
                <>
                  from <Age of={firstMetAt} /> to <Age of={lastMetAt} /> ago
                </>
              ) : (
                'not met there'
              )}
              {verifiedAt && (
                <>
                  ; tried <Age of={verifiedAt} /> ago: {crashes ? 'crashes' : 'does not crash'}
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
