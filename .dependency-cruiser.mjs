// Who may import whom. See ARCHITECTURE.md for the picture. Anything that is not allowed by a layer's rule is refused.

const server = 'packages/server/src';

/** The server's ports: what a driver fulfils. */
const PORTS = `^${server}/(store/(store|tables|copying)|bus/bus|[^/]+/port)\\.ts$`;
/** What runs the whole: it may know the composition root, and only it. */
const PROGRAMS = `^${server}/((main|serve|cli)\\.ts$|cli/)`;
/** How PostgreSQL is spoken to: shared by the drivers that do. */
const POSTGRES = `^${server}/postgres/`;
/** Recounts the tables by the store's own projection, held against the tables. */
const DOCTOR = `^${server}/doctor/`;
/** Files at the server's root that all may import, since they import nothing of the server's: limits, clock, config. */
const ROOTS = `^${server}/(?!(app|storage|main|serve|cli)\\.ts$)[^/]+\\.ts$`;
const STORE_PORT = `^${server}/store/store\\.ts$`;
const EDGES = ['gateway', 'http', 'dialects', 'admin', 'followers'];
const LEAVES = ['auth', 'files', 'push', 'search', 'moderation', 'jobs', 'transfer'];
/** Tables without code from outside, which the SDK carries to the browser. */
const CONSTANTS = '^packages/protocol/(src|dist)/(close|errors|ids|constants)\\.';

const folder = (...names) => `^${server}/(${names.join('|')})(/|\\.ts$)`;
const inServer = `^${server}/`;

/** A rule: within the server, `from` imports nothing but itself and `may` (and the root's files, unless it is pure). */
const layer = (name, from, may, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: inServer, pathNot: [from, ROOTS, ...may] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'What imports each other is one thing in two files.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere: misspelt, not installed, or not built.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-dependencies',
      severity: 'error',
      comment: 'What ships stands on "dependencies"; what only tests and tools need is in "devDependencies".',
      from: { path: '^packages/[^/]+/src/', pathNot: '^packages/bench/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },

    // Between the packages.
    {
      name: 'protocol-alone',
      severity: 'error',
      comment: 'The wire contract imports nothing of ours.',
      from: { path: '^packages/protocol/' },
      to: { path: '^packages/(?!protocol/)' },
    },
    {
      name: 'protocol-constants-alone',
      severity: 'error',
      comment:
        'The constant tables import nothing but each other, so that the SDK can carry them without a schema library.',
      from: { path: CONSTANTS },
      to: { pathNot: CONSTANTS },
    },
    {
      name: 'client-on-protocol-alone',
      severity: 'error',
      comment: 'The SDK stands on the wire contract and on nothing else of ours.',
      from: { path: '^packages/client/' },
      to: { path: '^packages/(?!client/|protocol/)' },
    },
    {
      name: 'client-without-dependencies',
      severity: 'error',
      comment:
        'At run time the SDK carries only the constant tables of the protocol: no package, nothing of Node, no schemas.',
      from: { path: '^packages/client/src/' },
      to: { pathNot: ['^packages/client/src/', CONSTANTS], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-on-client-alone',
      severity: 'error',
      comment: 'The web app stands on the SDK, and on the types of the wire contract.',
      from: { path: '^packages/web/src/' },
      to: { path: '^packages/(?!web/src/|client/|protocol/)' },
    },
    {
      name: 'web-carries-no-schemas',
      severity: 'error',
      comment: 'What the browser loads of the wire contract is its constant tables: schemas are for the server.',
      from: { path: '^packages/web/src/' },
      to: { path: '^packages/protocol/', pathNot: CONSTANTS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'server-alone',
      severity: 'error',
      comment: 'The server knows the wire contract; its command line may use the SDK.',
      from: { path: inServer, pathNot: `^${server}/cli` },
      to: { path: '^packages/(?!server/|protocol/)' },
    },

    // Within the server.
    {
      name: 'rules-are-pure',
      severity: 'error',
      comment:
        'Rules decide by what they are given [R1]: they import the wire contract and limits, and nothing that can act.',
      from: { path: [folder('rooms'), `^${server}/core/policy\\.ts$`] },
      to: {
        pathNot: [folder('rooms'), `^${server}/(core/policy|limits|text)\\.ts$`, '^packages/protocol/', STORE_PORT],
      },
    },
    {
      name: 'port-by-type-only',
      severity: 'error',
      comment: 'Rules and the bus name what the store port describes, and take nothing of it that runs.',
      from: { path: [folder('rooms', 'bus'), `^${server}/core/policy\\.ts$`] },
      to: { path: STORE_PORT, dependencyTypesNot: ['type-only'] },
    },
    layer('core', folder('core'), [folder('rooms', 'log'), PORTS], 'core: rooms, log, ports.'),
    layer('log', folder('log'), [PORTS], 'log: the store port.'),
    layer(
      'hub',
      folder('hub'),
      [folder('log'), `^${server}/bus/bus\\.ts$`],
      'hub: log and the bus port; never the store.',
    ),
    ...EDGES.map((name) =>
      layer(
        `edge-${name}`,
        folder(name),
        [folder('core', 'hub', 'auth', 'websocket')],
        'An edge: core, hub, auth, websocket; never log, store, bus or another edge.',
      ),
    ),
    layer('websocket', folder('websocket'), [folder('hub')], 'What the edges with sockets share: the hub.'),
    {
      name: 'dialects-apart',
      severity: 'error',
      comment: 'A dialect knows the port of dialects and what they share, and no other dialect.',
      from: { path: `^${server}/dialects/([0-9]{3}-[^/.]+)` },
      to: { path: `^${server}/dialects/[0-9]{3}-`, pathNot: `^${server}/dialects/$1(/|\\.ts$)` },
    },
    ...LEAVES.map((name) =>
      layer(
        `leaf-${name}`,
        folder(name),
        // An import writes what the rules would have written.
        [
          folder('core', 'log'),
          PORTS,
          ...(name === 'transfer' ? [folder('rooms')] : []),
          ...(name === 'search' ? [POSTGRES] : []),
        ],
        'A leaf: core, log, ports; never edges or the hub.',
      ),
    ),
    layer('drivers-of-the-store', folder('store'), [POSTGRES], 'The drivers of the store: their port.'),
    layer('postgres', POSTGRES, [], 'How PostgreSQL is spoken to: nothing of the server.'),
    {
      name: 'postgres-only-by-drivers',
      severity: 'error',
      comment: 'Who speaks to PostgreSQL is a driver; all others know a port.',
      from: { path: inServer, pathNot: [POSTGRES, folder('store', 'search'), `^${server}/storage\\.ts$`] },
      to: { path: POSTGRES },
    },
    layer('drivers-of-the-bus', folder('bus'), [STORE_PORT], 'The drivers of the bus: their port.'),
    {
      name: 'drivers-only-by-app',
      severity: 'error',
      comment: 'Drivers are chosen in app.ts and storage.ts; all others know the port.',
      from: { path: inServer, pathNot: [folder('store', 'bus'), `^${server}/(app|storage)\\.ts$`, DOCTOR] },
      to: { path: folder('store', 'bus'), pathNot: PORTS },
    },
    {
      name: 'app-only-by-programs',
      severity: 'error',
      comment:
        'The composition root is imported by main, cli, tests, and the bench where it opens a store without edges.',
      from: { path: '^packages/', pathNot: [PROGRAMS, '^packages/bench/src/(growth|import|start)\\.ts$'].flat() },
      to: { path: '^packages/server/(src|dist)/(app|main|serve|cli)\\.' },
    },
    {
      name: 'storage-only-by-app-and-programs',
      severity: 'error',
      comment: 'What holds the data is opened by the composition root, and looked after by the command line.',
      from: { path: inServer, pathNot: [PROGRAMS, `^${server}/app\\.ts$`] },
      to: { path: `^${server}/storage\\.ts$` },
    },
    {
      name: 'roots-import-nothing',
      severity: 'error',
      comment: 'What all may import, imports nothing of the server itself but its like.',
      from: { path: ROOTS },
      to: { path: inServer, pathNot: ROOTS },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '/test/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: 'specify',
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
