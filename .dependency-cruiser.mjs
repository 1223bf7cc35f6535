/**
 * The floors of the house (docs/architecture.md): imports only go down.
 *
 *   cli -> fuzz -> app -> rpc, http -> state -> store -> core
 *
 * Each room names the rooms it may import; anything else is forbidden. Types
 * count like values. Within src/state, src/bot and src/rpc the rooms stand on a
 * ladder as well.
 */
const leaves = ['core', 'gen'];
const rooms = {
  cli: ['fuzz', 'conformance', 'app', 'bot', 'operator', 'backup', 'config', 'core'],
  conformance: ['operator', 'state', ...leaves],
  fuzz: ['app', 'bot', 'operator', 'client', 'config', ...leaves],
  app: ['rpc', 'http', 'state', 'store', 'metrics', 'tracing', 'config', 'core'],
  rpc: ['state', 'store', 'metrics', 'config', ...leaves],
  http: ['metrics', 'config', 'core'],
  state: ['store', 'crash', 'target', 'metrics', 'config', ...leaves],
  store: ['metrics', 'core'],
  backup: ['operator', 'client', 'store', 'config', ...leaves],
  operator: ['client', 'target', 'config', ...leaves],
  bot: ['client', 'crash', 'target', 'config', ...leaves],
  client: leaves,
  crash: ['core'],
  target: ['core'],
  config: ['core'],
  metrics: ['core'],
  tracing: ['core'],
  core: [],
  gen: [],
};

/** Within a room: its inner rooms, the upper ones first, and what each may import of the others. */
const ladders = {
  state: {
    heartbeat: ['jobs', 'campaigns', 'bots', 'scheduling', 'leases', 'messages'],
    jobs: ['campaigns', 'bots', 'scheduling', 'leases', 'messages'],
    campaigns: ['bots', 'scheduling', 'leases', 'messages'],
    bots: ['scheduling', 'leases', 'messages'],
    scheduling: ['leases', 'messages'],
    leases: ['messages'],
    messages: [],
    // Beside the ladder: nothing on it imports them.
    cluster: ['access', 'jobs', 'campaigns', 'bots', 'scheduling', 'leases', 'messages'],
    access: ['leases', 'messages'],
    crashes: ['messages'],
    corpus: ['leases', 'messages'],
    coverage: ['corpus', 'messages'],
    notifications: ['messages'],
    progress: ['series', 'campaigns', 'bots', 'scheduling', 'leases', 'messages'],
    series: ['leases', 'messages'],
    targets: ['messages'],
    upkeep: ['series', 'bots', 'scheduling', 'leases', 'messages'],
  },
  bot: {
    runs: ['line', 'corpus', 'engines', 'findings', 'folders', 'sandbox'],
    line: [],
    corpus: ['engines', 'folders', 'sandbox'],
    folders: ['findings'],
    findings: ['engines', 'sandbox'],
    engines: ['sandbox'],
    sandbox: [],
  },
  rpc: { handlers: ['streams'], connect: [], beneath: ['streams'], streams: [] },
};

/**
 * The page (web/), which is a program of its own: its rooms, and what each may import of the
 * others. Of src/ it sees three files without imports; of the contract, types alone.
 */
const page = {
  pages: ['table', 'curve', 'frame', 'format', 'text', 'route', 'api', 'gen'],
  table: ['frame', 'format', 'text', 'route', 'api'],
  curve: ['frame', 'format', 'text', 'route', 'api', 'gen'],
  frame: ['format', 'text', 'route', 'api'],
  format: ['text', 'api', 'gen'],
  api: ['gen'],
  route: [],
  text: [],
  gen: [],
};

const web = [
  ...Object.entries(page).map(([room, allowed]) => ({
    name: `web-${room}-imports-only-what-is-below`,
    severity: 'error',
    from: { path: `^web/${room}/` },
    to: { path: '^web/', pathNot: `^web/(${[room, ...allowed].join('|')})/` },
  })),
  {
    name: 'web-sees-three-files-of-the-program',
    severity: 'error',
    from: { path: '^web/' },
    to: { path: '^(src|test|bench|examples)/', pathNot: '^src/core/(figures|replay|unseen)\\.ts$' },
  },
  {
    name: 'web-has-types-of-the-contract-alone',
    severity: 'error',
    from: { path: '^web/', pathNot: '^web/gen/' },
    to: { path: '^web/gen/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'web-has-few-libraries',
    severity: 'error',
    from: { path: '^web/', pathNot: '^web/vite\\.config\\.ts$' },
    to: { path: 'node_modules/', pathNot: 'node_modules/(preact|@preact/signals|uplot)/' },
  },
  {
    name: 'web-has-nothing-of-node',
    severity: 'error',
    from: { path: '^web/', pathNot: '^web/vite\\.config\\.ts$' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'nobody-imports-the-page',
    severity: 'error',
    from: { path: '^(src|bench|examples)/' },
    to: { path: '^web/' },
  },
];

const inside = (names) => `^src/(${names.join('|')})(/|\\.ts$)`;

const floors = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-only-what-is-below`,
  severity: 'error',
  from: { path: inside([room]) },
  to: { path: '^src/', pathNot: inside([room, ...allowed]) },
}));

const steps = Object.entries(ladders).flatMap(([room, ladder]) =>
  Object.entries(ladder).map(([step, allowed]) => ({
    name: `${room}-${step}-imports-only-what-is-below`,
    severity: 'error',
    from: { path: `^src/${room}/${step}/` },
    to: {
      path: `^src/${room}/(${Object.keys(ladder).join('|')})/`,
      pathNot: `^src/${room}/(${[step, ...allowed].join('|')})/`,
    },
  })),
);

const onlyIn = (names, library) => ({
  name: `${library}-only-in-${names.join('-and-')}`.replace(/\W+/g, '-'),
  severity: 'error',
  from: { path: '^src/', pathNot: inside(names) },
  to: { path: `node_modules/${library}/` },
});

/**
 * Within the store:
 *
 *   rules -> store.ts -> sqlite/, postgres/ -> ops/ -> statement.ts, sql.ts, rows.ts …
 *
 * Rules see the interface and the operations, never an engine.
 */
const seenByRules = ['store', 'cluster', 'operation', 'rows', 'crash-rows', 'coverage-rows', 'campaign-rows', 'campaign-end', 'campaign-sums', 'campaign-forecast', 'after-attempt', 'statistics', 'blobs', 'grouping', 'page-bytes'];
const seenByOperations = ['operation', 'statement', 'sql', 'rows', 'crash-rows', 'coverage-rows', 'campaign-rows', 'campaign-end', 'campaign-policies', 'campaign-sums', 'campaign-forecast', 'times', 'after-attempt', 'statistics', 'grouping', 'page-bytes', 'within-quota'];
const sharedFiles = '^src/store/[^/]+\\.ts$';
const filesOfStore = (names) => `^src/store/(${names.join('|')})\\.ts$`;

/** Subjects of operations that build on those about jobs; all may use the log of events. */
const aboveJobs = '^src/store/ops/(campaigns|corpus|crashes|leases)/';
/** The claim hands out jobs that wait, and makes runs of campaigns. */
const claims = '^src/store/ops/scheduling/';
/** Progress of targets shows their campaigns. */
const shows = '^src/store/ops/progress/';
/** Reports are made of corpora. */
const covers = '^src/store/ops/coverage/';
/** Subjects that all others may build on. */
const sharedOperations = 'blobs|events|targets';

const store = [
  {
    name: 'rules-see-no-engine',
    severity: 'error',
    from: { path: inside(['app', 'rpc', 'state']) },
    to: { path: '^src/store/', pathNot: [filesOfStore(seenByRules), '^src/store/ops/'] },
  },
  {
    name: 'operations-see-no-engine',
    severity: 'error',
    from: { path: '^src/store/ops/' },
    to: { path: '^src/store/', pathNot: [filesOfStore(seenByOperations), '^src/store/ops/'] },
  },
  {
    name: 'operations-import-only-what-is-below',
    severity: 'error',
    from: { path: '^src/store/ops/([^/]+)/', pathNot: [aboveJobs, claims, shows, covers] },
    to: { path: '^src/store/ops/', pathNot: `^src/store/ops/($1|${sharedOperations})/` },
  },
  {
    name: 'operations-above-jobs-import-only-what-is-below',
    severity: 'error',
    from: { path: aboveJobs },
    to: { path: '^src/store/ops/', pathNot: `^src/store/ops/($1|jobs|${sharedOperations})/` },
  },
  {
    name: 'operations-of-claims-import-only-what-is-below',
    severity: 'error',
    from: { path: claims },
    to: { path: '^src/store/ops/', pathNot: `^src/store/ops/(scheduling|campaigns|jobs|${sharedOperations})/` },
  },
  {
    name: 'operations-of-progress-import-only-what-is-below',
    severity: 'error',
    from: { path: shows },
    to: { path: '^src/store/ops/', pathNot: `^src/store/ops/(progress|campaigns|${sharedOperations})/` },
  },
  {
    name: 'operations-of-coverage-import-only-what-is-below',
    severity: 'error',
    from: { path: covers },
    to: { path: '^src/store/ops/', pathNot: `^src/store/ops/(coverage|corpus|jobs|${sharedOperations})/` },
  },
  {
    name: 'shared-files-see-no-engine-and-no-operation',
    severity: 'error',
    from: { path: sharedFiles, pathNot: filesOfStore(['store', 'blobs']) },
    to: { path: '^src/store/.+/' },
  },
  {
    name: 'blobs-see-their-operations-and-no-engine',
    severity: 'error',
    from: { path: '^src/store/blobs(/|\\.ts$)' },
    to: { path: '^src/store/.+/', pathNot: '^src/store/(blobs|ops/blobs)/' },
  },
  {
    name: 'only-blobs-see-its-parts',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/store/blobs(/|\\.ts$)' },
    to: { path: '^src/store/blobs/' },
  },
  {
    name: 'engines-do-not-know-each-other',
    severity: 'error',
    from: { path: '^src/store/(sqlite|postgres)/' },
    to: { path: '^src/store/(sqlite|postgres)/', pathNot: '^src/store/$1/' },
  },
];

export default {
  forbidden: [
    ...floors,
    ...steps,
    ...store,
    ...web,
    onlyIn(['store/sqlite'], 'better-sqlite3'),
    onlyIn(['store/sqlite'], '@types/better-sqlite3'),
    onlyIn(['store/postgres'], 'pg'),
    onlyIn(['store/postgres'], '@types/pg'),
    onlyIn(['store/blobs/s3'], '@aws-sdk'),
    onlyIn(['operator/certificates'], '@peculiar/x509'),
    {
      name: 'conformance-sees-checks-of-messages-alone',
      severity: 'error',
      from: { path: '^src/conformance/' },
      to: { path: '^src/state/', pathNot: '^src/state/messages/' },
    },
    onlyIn(['rpc', 'client', 'bot', 'conformance', 'gen'], '@grpc/grpc-js'),
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-lost-imports', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'only-listed-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], pathNot: '@types/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
