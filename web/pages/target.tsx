import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Curves } from '../curve/curves.js';
import { Age } from '../format/ages.js';
import { bytes, covered, many, num, si, utc } from '../format/figures.js';
import { HealthChip } from '../format/states.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf } from '../route/route.js';
import { Name, Text } from '../text/text.js';
import { CorpusButtons } from './corpus-buttons.js';

/** Does this target make progress; if not, why? */
export function TargetPage({ rest: [project = '', name = ''] }: PageProps) {
  const progress = useAsk(`progress ${project}/${name}`, (signal) =>
    findProgress(project, name, signal),
  );
  const corpus = useAsk(`corpus ${project}/${name}`, (signal) =>
    call('CorpusService', 'GetCorpus', { corpus: { project, targetName: name } }, signal),
  );
  const builds = useAsk(`builds ${project}/${name}`, (signal) =>
    call('TargetService', 'GetTarget', { project, targetName: name }, signal),
  );
  const target = progress.value;
  const groups = `/groups?${new URLSearchParams({ project, target: name })}`;
  const held = corpus.value?.corpus;
  return (
    <>
      <h1>
        {target && <HealthChip of={target.health} />} <Name of={name} most={80} />
      </h1>
      {progress.value === undefined &&
        (progress.failure ? <FailureLine of={progress} /> : <Loading rows={3} />)}
      {target === null && <p class="empty">No job is known of this target.</p>}
      {target && (
        <>
          <p>
            <Text of={target.reason} />
          </p>
          <Facts
            of={[
              ['Project', <Name of={project} />],
              ['Last find', <Age of={target.lastFindAt} otherwise="none yet" />],
              [
                'Speed',
                `${si(num(target.executionsPerSecond))} exec/s in ${many(num(target.running), 'run')}`,
              ],
              [
                'Groups',
                <Link to={groups}>
                  {si(num(target.openGroups))} open, {si(num(target.newGroups))} new in 24 h
                </Link>,
              ],
              ...(target.engines ?? []).map(
                ({ engine = '', coverage, gained }) =>
                  [
                    `Coverage, ${engine}`,
                    `${covered(num(coverage))}, +${si(num(gained))} in 24 h`,
                  ] as const,
              ),
            ]}
          />
        </>
      )}
      <Curves
        coverage={{ subject: 'SERIES_SUBJECT_TARGET', name, project }}
        speed={{ subject: 'SERIES_SUBJECT_TARGET', name, project }}
        target={{ project, name }}
      />
      <Panel title="Corpus" of={corpus.failure?.code === 'not_found' ? undefined : corpus}>
        {corpus.failure?.code === 'not_found' && (
          <p class="muted">None yet: bots bring what they find.</p>
        )}
        {held && (
          <>
            <p>
              {si(num(held.entries))} inputs, {bytes(held.bytes)}
              {held.lastMerge && (
                <>
                  ; merged <Age of={held.lastMerge.at} /> ago, from{' '}
                  {si(num(held.lastMerge.entriesBefore))} to {si(num(held.lastMerge.entriesAfter))}
                </>
              )}
            </p>
            <CorpusButtons of={held} then={corpus.again} />
          </>
        )}
      </Panel>
      <p>
        <Link to={pathOf('coverage', project, name)}>Source coverage, line by line</Link>
      </p>
      {builds.value && (
        <Panel title="Builds, the newest first">
          <ul class="builds">
            {(builds.value.builds ?? []).map((build) => (
              <li key={`${build.engine} ${build.targetSha256}`}>
                <code>{(build.targetSha256 ?? '').slice(0, 16)}</code> {build.engine}{' '}
                <span class="muted">{utc(build.registeredAt)}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

/** Pages of GetProgress that are looked through. */
const mostPages = 20;

/** Null: there is no such target. */
async function findProgress(project: string, name: string, abort: AbortSignal) {
  let pageToken = '';
  for (let page = 0; page < mostPages; page++) {
    const request = { project, pageSize: 100, pageToken };
    const answer = await call('StatisticsService', 'GetProgress', request, abort);
    const found = (answer.targets ?? []).find((target) => target.name === name);
    if (found) return found;
    pageToken = answer.nextPageToken ?? '';
    if (pageToken === '') break;
  }
  return null;
}
