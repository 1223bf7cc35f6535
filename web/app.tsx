import { Component, type ComponentChildren, type FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import { returnPath } from './api/provider.js';
import { isSignedOut } from './api/session.js';
import { Notices } from './frame/actions.js';
import { AwayLine } from './frame/badge.js';
import { Header } from './frame/header.js';
import { Keys } from './frame/keys.js';
import { SignIn } from './frame/sign-in.js';
import { SignedIn } from './frame/signed-in.js';
import { BotPage } from './pages/bot.js';
import { BotsPage } from './pages/bots.js';
import { CampaignPage } from './pages/campaign.js';
import { CampaignsPage } from './pages/campaigns.js';
import { CorporaPage } from './pages/corpora.js';
import { CoveragePage } from './pages/coverage.js';
import { EventsPage } from './pages/events.js';
import { FindPage } from './pages/find.js';
import { GroupPage } from './pages/group.js';
import { GroupsPage } from './pages/groups.js';
import { JobPage } from './pages/job.js';
import { JobsPage } from './pages/jobs.js';
import { OverviewPage } from './pages/overview.js';
import { SettingsPage } from './pages/settings.js';
import { SystemPage } from './pages/system.js';
import { TargetPage } from './pages/target.js';
import type { PageProps } from './route/page-props.js';
import { Link, parts } from './route/route.js';

interface Route {
  readonly title: string;
  /** How many parts follow its name. */
  readonly parts: number;
  readonly page: FunctionComponent<PageProps>;
}

const routes: Readonly<Record<string, readonly Route[]>> = {
  '': [{ title: 'Overview', parts: 0, page: OverviewPage }],
  campaigns: [
    { title: 'Campaigns', parts: 0, page: CampaignsPage },
    { title: 'Campaign', parts: 1, page: CampaignPage },
  ],
  targets: [{ title: 'Target', parts: 2, page: TargetPage }],
  groups: [
    { title: 'Crash groups', parts: 0, page: GroupsPage },
    { title: 'Crash group', parts: 1, page: GroupPage },
  ],
  bots: [
    { title: 'Bots', parts: 0, page: BotsPage },
    { title: 'Bot', parts: 1, page: BotPage },
  ],
  jobs: [
    { title: 'Jobs', parts: 0, page: JobsPage },
    { title: 'Job', parts: 1, page: JobPage },
  ],
  corpora: [{ title: 'Corpora', parts: 0, page: CorporaPage }],
  coverage: [{ title: 'Source coverage', parts: 2, page: CoveragePage }],
  events: [{ title: 'Events', parts: 0, page: EventsPage }],
  system: [{ title: 'System', parts: 0, page: SystemPage }],
  settings: [{ title: 'Settings', parts: 0, page: SettingsPage }],
  find: [{ title: 'Find', parts: 0, page: FindPage }],
};

const nowhere: Route = { title: 'Not found', parts: 0, page: Nowhere };

export function App() {
  const [name = '', ...rest] = parts.value;
  const choices = Object.hasOwn(routes, name) ? (routes[name] ?? []) : [];
  const route = choices.find((one) => one.parts === rest.length) ?? nowhere;
  const path = parts.value.join('/');
  useEffect(() => {
    document.title = `${route.title} · PandaFuzz`;
  }, [route]);
  if (name === returnPath) return <SignedIn />;
  if (isSignedOut.value) return <SignIn />;
  const Page = route.page;
  return (
    <>
      <Header />
      <AwayLine />
      <Notices />
      <main id="content" tabIndex={-1}>
        <Guard key={path}>
          <Page rest={rest} />
        </Guard>
      </main>
      <Keys />
    </>
  );
}

function Nowhere() {
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        <Link to="/">To the overview</Link>
      </p>
    </>
  );
}

/** A fault of one page leaves the frame alone. */
class Guard extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <p class="failure" role="alert">
        This page failed: {String(this.state.error).slice(0, 500)}.{' '}
        <button type="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    );
  }
}
