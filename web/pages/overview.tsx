import { useEffect } from 'preact/hooks';
import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { masterNow } from '../api/line.js';
import { Age } from '../format/ages.js';
import { duration, grouped, num, si } from '../format/figures.js';
import { ageOf, FailureLine, Loading, Panel } from '../frame/panel.js';
import type { TargetProgress } from '../gen/pandafuzz/v1/statistics_service.js';
import type { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { Link } from '../route/route.js';
import { GroupRows } from './group-rows.js';
import { Problems } from './problems.js';
import { Targets } from './targets.js';

/** Targets are read in pages up to so many, as `top` does. */
const mostTargets = 200;
const shownGroups = 8;

/** Is something wrong, and are we finding bugs? */
export function OverviewPage() {
  const problems = useAsk('problems', (signal) =>
    call('StatisticsService', 'ListProblems', {}, signal),
  );
  const stats = useAsk('stats', (signal) => call('SystemService', 'GetSystemStats', {}, signal));
  const targets = useAsk('progress', readTargets);
  const groups = useAsk('newest groups', (signal) =>
    call('CrashService', 'ListCrashGroups', { pageSize: shownGroups }, signal),
  );
  const wrong = problems.value?.problems ?? [];
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    if (icon) icon.href = wrong.length > 0 ? '/favicon-wrong.svg' : '/favicon.svg';
  }, [wrong.length > 0]);
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <Panel title={`Wrong now (${problems.value ? wrong.length : '–'})`} of={problems}>
        <Problems of={wrong} isOld={ageOf(problems) !== undefined} />
      </Panel>
      {stats.value && (
        <Totals stats={stats.value} age={ageOf(stats)} targets={targets.value?.targets ?? []} />
      )}
      <Panel title="Targets" of={targets}>
        {targets.value && <Targets {...targets.value} />}
      </Panel>
      <Panel title="Newest crash groups" of={groups}>
        {(groups.value?.groups ?? []).length === 0 ? (
          <p class="empty">No crash yet. Each new cause of crashes appears here.</p>
        ) : (
          <GroupRows of={groups.value?.groups ?? []} />
        )}
      </Panel>
      {!stats.value && (stats.failure ? <FailureLine of={stats} /> : <Loading rows={1} />)}
    </>
  );
}

async function readTargets(abort: AbortSignal) {
  const targets: TargetProgress[] = [];
  let pageToken = '';
  do {
    const request = { pageSize: 100, pageToken };
    const answer = await call('StatisticsService', 'GetProgress', request, abort);
    targets.push(...(answer.targets ?? []));
    pageToken = answer.nextPageToken ?? '';
  } while (pageToken !== '' && targets.length < mostTargets);
  return { targets, areMore: pageToken !== '' };
}

/** Fleet and finds in one line; each figure leads to its list. */
function Totals({
  stats,
  age,
  targets,
}: {
  stats: GetSystemStatsResponse;
  /** Of figures that are old, milliseconds. */
  age: number | undefined;
  targets: readonly TargetProgress[];
}) {
  const jobs = stats.jobs ?? {};
  const busy = num(jobs.running) + num(jobs.assigned);
  const sum = (figure: (target: TargetProgress) => string | undefined) =>
    targets.reduce((all, target) => all + num(figure(target)), 0);
  const finds = targets.flatMap(({ lastFindAt }) => lastFindAt ?? []).sort();
  const off = Math.max(0, num(stats.botsTotal) - num(stats.botsOnline));
  return (
    <section class={`panel totals ${age === undefined ? '' : 'old'}`} aria-label="Totals">
      <p>
        <b>{si(sum(({ newGroups }) => newGroups))}</b> new groups in 24 h
      </p>
      <p>
        <b>{si(sum(({ openGroups }) => openGroups))}</b> <Link to="/groups?status=new">open</Link>
      </p>
      <p>
        <b>{si(num(stats.executionsPerSecond))}</b> exec/s
      </p>
      <p>
        <b>{grouped(num(stats.botsOnline))}</b>{' '}
        <Link to="/bots">{num(stats.botsOnline) === 1 ? 'bot' : 'bots'} online</Link>,{' '}
        {grouped(off)} off
      </p>
      <p>
        <b>
          {si(busy)}/{si(busy + num(stats.freeSlots))}
        </b>{' '}
        slots busy
      </p>
      <p>
        <b>{si(num(jobs.running))}</b>{' '}
        <Link to="/jobs?state=running">{num(jobs.running) === 1 ? 'job' : 'jobs'} running</Link>
      </p>
      <p>
        <b>{si(num(jobs.pending))}</b> <Link to="/jobs?state=pending">waiting</Link>
      </p>
      <p>
        <b>{si(num(jobs.dead))}</b> <Link to="/jobs?state=dead">dead</Link>
      </p>
      <p>
        <b>
          <Age of={finds.at(-1)} />
        </b>{' '}
        since the last find
      </p>
      <p class="muted">
        {age !== undefined && `${duration(age)} old, `}up{' '}
        {stats.startedAt ? duration(masterNow() - Date.parse(stats.startedAt)) : '–'}
      </p>
    </section>
  );
}
