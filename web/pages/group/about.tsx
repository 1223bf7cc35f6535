import { Age } from '../../format/ages.js';
import { many, num, si, utc } from '../../format/figures.js';
import { Facts } from '../../frame/panel.js';
import type { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { Link, pathOf } from '../../route/route.js';
import { Name, Text } from '../../text/text.js';

export function About({ group, crash }: { group: CrashGroup; crash: Crash | undefined }) {
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
