import { type Answer, useAsk } from '../../api/ask.js';
import { call } from '../../api/call.js';
import { masterNow } from '../../api/line.js';
import { Age } from '../../format/ages.js';
import { num, si, utc } from '../../format/figures.js';
import { Panel } from '../../frame/panel.js';
import type { CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type { GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';

/** Inputs whose arrival is shown. */
const shown = 200;
const everyMs = 10_000;

interface BuildsProps {
  group: CrashGroup;
  of: readonly GroupBuild[];
  answer: Answer<unknown>;
}

/** Hits by build, each with the time in which it was met; and when inputs came. One axis for all. */
export function Builds({ group, of, answer }: BuildsProps) {
  const groupId = group.id ?? '';
  const inputs = useAsk(
    `inputs of ${groupId}`,
    (signal) => call('CrashService', 'ListCrashes', { groupId, pageSize: shown }, signal),
    everyMs,
  );
  if (of.length === 0) return null;
  const first = Date.parse(group.firstFoundAt ?? '');
  const now = Math.max(masterNow(), first + 1);
  const at = (time: string | undefined) => ((Date.parse(time ?? '') - first) / (now - first)) * 100;
  const most = Math.max(1, ...of.map(({ hits }) => num(hits)));
  const arrivals = (inputs.value?.crashes ?? []).map(({ foundAt }) => at(foundAt));
  return (
    <Panel title="Hits by build and time" of={answer}>
      <ul class="builds">
        {of.map((build) => (
          <li key={build.targetSha256}>
            <code>{(build.targetSha256 ?? '').slice(0, 16)}</code>
            <meter min={0} max={most} value={num(build.hits)} aria-label="hits" />
            <b>{si(num(build.hits))}</b>
            <Track from={at(build.firstMetAt)} to={at(build.lastMetAt)} dots={[]} />
            <Words of={build} />
          </li>
        ))}
        <li>
          <span>inputs kept</span>
          <span />
          <b>{si(num(group.crashInputsKept))}</b>
          <Track from={Number.NaN} to={Number.NaN} dots={arrivals} />
          <span class="muted">
            the line goes from {utc(group.firstFoundAt)} to now
            {inputs.value?.nextPageToken ? `; the newest ${shown}` : ''}
          </span>
        </li>
      </ul>
    </Panel>
  );
}

const [width, height] = [200, 12];

/** Part of the time since the first hit, in percent, and moments in it. */
function Track({ from, to, dots }: { from: number; to: number; dots: readonly number[] }) {
  const x = (percent: number) => (Math.min(100, Math.max(0, percent)) / 100) * (width - 4) + 2;
  const distinct = new Set(dots.filter(Number.isFinite).map((percent) => Math.round(x(percent))));
  return (
    <svg class="track" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path class="axis" d={`M0 6H${width}`} />
      {Number.isFinite(from) && (
        <rect x={x(from) - 1} y="2" width={Math.max(3, x(to) - x(from))} height="8" />
      )}
      {[...distinct].map((cx) => (
        <circle key={cx} cx={cx} cy="6" r="3" />
      ))}
    </svg>
  );
}

const Words = ({ of: build }: { of: GroupBuild }) => (
  <span class="muted">
    {build.firstMetAt ? (
      <>
        from <Age of={build.firstMetAt} /> to <Age of={build.lastMetAt} /> ago
      </>
    ) : (
      'not met there'
    )}
    {build.verifiedAt && (
      <>
        ; tried <Age of={build.verifiedAt} /> ago: {build.crashes ? 'crashes' : 'does not crash'}
      </>
    )}
  </span>
);
