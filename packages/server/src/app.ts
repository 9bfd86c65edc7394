/** The composition root: with storage.ts the only file that knows the drivers. Opens the parts in order, and closes them in the other one. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { UserId } from '@natter/protocol';
import type { FastifyBaseLogger } from 'fastify';
import { sql } from 'kysely';
import { clientAddress, Networks } from './addresses.js';
import { type DataLock, lockDataDir } from './admin/lock.js';
import { runOperation } from './admin/operations.js';
import { type AdminSocket, listenAdmin, type Operate } from './admin/socket.js';
import { Accounts } from './auth/accounts.js';
import { nameRules } from './auth/names.js';
import { Passwords } from './auth/passwords.js';
import { Tokens } from './auth/tokens.js';
import { type Bus, LocalBus } from './bus/bus.js';
import { type Clock, systemClock } from './clock.js';
import type { Colleagues } from './colleagues.js';
import type { Config } from './config.js';
import { refuse } from './core/actor.js';
import { Core } from './core/execute.js';
import { People } from './core/people.js';
import { makeOperator } from './core/queries/operator.js';
import { makeQueries, type Queries } from './core/queries.js';
import { Dialects } from './dialects/dialects.js';
import { Figures } from './figures.js';
import { attachGateway } from './gateway/gateway.js';
import { buildHttp } from './http/http.js';
import { Hub } from './hub/hub.js';
import { JobRunner } from './jobs/runner.js';
import { Log } from './log/log.js';
import type { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { RateLimiter } from './rate-limiter.js';
import type { Search } from './search/search.js';
import { openStorage, ownFolders } from './storage.js';
import type { Store } from './store/store.js';
import { makeIrcImport } from './transfer/irc.js';
import { VERSION } from './version.js';

/** Room states kept in memory: those used longest ago go. */
const ROOM_STATES_MAX = 10_000;
/** Names of users and of rooms kept in memory, of each. */
const NAMES_MAX = 100_000;
/** A part that does not answer by then is not well. */
const HEALTH_MS = 2_000;
/** Between looks for sessions that have expired. */
const EXPIRY_MS = 60_000;

export interface CoreParts {
  store: Store;
  log: Log;
  core: Core;
  queries: Queries;
  accounts: Accounts;
  rates: RateLimiter;
  search: Search;
  jobs: JobRunner;
  metrics: Metrics;
  /** What the command line asks for, here or through the socket. */
  figures: Figures;
  operate: Operate;
  /** Takes nothing new, finishes what was taken, closes the store. */
  close(): Promise<void>;
}

/** What the edges know of who listens; where nobody does, nobody is online and other nodes are of no interest. */
export interface Online {
  isOnline(user: UserId): boolean;
  count(): number;
  busWell(): boolean;
}

export interface OpenOptions {
  logger: Logger;
  /** The other workers behind the same address. */
  colleagues?: Colleagues;
  clock?: Clock;
  online?: Online;
}

const NOBODY: Online = { isOnline: () => false, count: () => 0, busWell: () => true };

/** Everything but the edges: what the command line needs too. Throws DataDirInUseError where another process has the data. */
export async function openCore(config: Config, options: OpenOptions): Promise<CoreParts> {
  const locks: DataLock[] = [];
  const unlock = (): void => {
    for (const lock of locks) lock.close();
  };
  try {
    for (const dir of ownFolders(config)) locks.push(lockDataDir(dir));
    return await openParts(config, options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openParts(
  config: Config,
  { logger, clock = systemClock, online = NOBODY, colleagues }: OpenOptions,
  unlock: () => void,
): Promise<CoreParts> {
  const { limits } = config;
  const { store, search } = await openStorage(config, (message) => logger.warn({ part: 'search' }, message));
  const metrics: Metrics = new Metrics(
    {
      searchLag: async () => {
        const [{ position }, newest] = await Promise.all([search.state(), newestEvent(store)]);
        return Math.max(0, newest - position);
      },
      onlineUsers: () => online.count(),
      busWell: () => online.busWell(),
    },
    colleagues,
  );
  const log = new Log(store, {
    batchMax: limits.COMMIT_BATCH_MAX,
    queueMax: limits.COMMIT_QUEUE_MAX,
    metrics: metrics.log,
  });
  const rates = new RateLimiter({ limits, clock, enabled: config.rateLimits });
  const core = new Core({ store, log, limits, names: nameRules, rates, clock, roomStatesMax: ROOM_STATES_MAX });
  const figures = new Figures({
    metrics,
    clock,
    limits,
    colleagues,
    onError: (error) => logger.warn({ err: error }, 'the figures of the server could not be noted'),
  });
  const queries = makeQueries({
    store,
    limits,
    names: nameRules,
    isOnline: (user) => online.isOnline(user),
    clock,
    figures,
  });
  const accounts = new Accounts({
    store,
    log,
    tokens: new Tokens({
      secretKey: config.secretKey,
      accessSeconds: config.accessTokenSeconds,
      dialectSeconds: config.dialectTokenSeconds,
    }),
    passwords: new Passwords(limits),
    rates,
    names: nameRules,
    clock,
    limits,
    refreshTokenSeconds: config.refreshTokenSeconds,
    registration: config.registration,
    firstUserIsAdmin: config.firstUserIsAdmin,
  });
  log.onCommit(() => search.wake());
  const jobs = new JobRunner({
    store,
    log,
    core,
    clock,
    onError: (error, job) => logger.error({ err: error, job }, 'a job failed; it is tried again'),
  });
  jobs.wake();
  const expire = (): void => {
    accounts.endExpired().catch((error) => logger.error({ err: error }, 'expired sessions stay for now'));
  };
  expire();
  const expiring = clock.every(EXPIRY_MS, expire);
  const importIrc = makeIrcImport({ store, log, names: nameRules, clock, limits, searchable: () => search.settled() });
  const operator = makeOperator({ store, names: nameRules });
  return {
    store,
    log,
    core,
    queries,
    accounts,
    rates,
    search,
    jobs,
    metrics,
    figures,
    operate: (request, onProgress, signal) =>
      runOperation({ core, accounts, operator, importIrc }, request, onProgress, signal),
    async close() {
      figures.close();
      expiring.close();
      await jobs.close();
      await log.drain();
      await search.close();
      await store.close();
      unlock();
    },
  };
}

export interface App {
  /** Where it listens, as a browser reaches it from this machine. */
  readonly url: string;
  readonly port: number;
  readonly parts: CoreParts;
  readonly hub: Hub;
  /** Resolves when the database was restored while this node was cut off from it: all that is here is of a former life of the log. */
  readonly outlived: Promise<void>;
  /** Answers what is under way, sends everybody away with "come back", closes the store. Within SHUTDOWN_SECONDS. */
  close(): Promise<void>;
}

async function loadFollowers() {
  const [{ Followers }, { Signer }] = await Promise.all([
    import('./followers/followers.js'),
    import('./followers/signer.js'),
  ]);
  return { Followers, Signer };
}

/** The whole server, listening. */
export async function openApp(config: Config, options: OpenOptions): Promise<App> {
  const { logger, clock = systemClock } = options;
  let hub: Hub | null = null;
  let bus: Bus = new LocalBus();
  // What can't be used is told before anything is opened. What only NATS needs is loaded where it is used: a start without it does not wait for that.
  const edge = config.nats?.followers ? await loadFollowers() : null;
  const signer =
    edge && config.nats?.followers
      ? new edge.Signer({ ...config.nats.followers, nodesFile: config.nats.credentialsFile })
      : null;
  const { NatsBus } = config.nats ? await import('./bus/nats.js') : { NatsBus: null };
  const parts = await openCore(config, {
    ...options,
    online: {
      isOnline: (user) => hub?.presence.isOnline(user) ?? false,
      count: () => hub?.counts.users ?? 0,
      busWell: () => bus.trouble === null,
    },
  });
  const { store, log, core, queries, accounts, rates, metrics, search } = parts;
  parts.figures.start();
  const { limits } = config;
  const node = randomUUID();
  let nats: InstanceType<NonNullable<typeof NatsBus>> | null = null;
  if (config.nats && NatsBus) {
    const { prefix, followers: _, ...address } = config.nats;
    nats = new NatsBus({
      address,
      prefix,
      epoch: log.epoch,
      node,
      secretKey: config.secretKey,
      bytesMax: limits.NATS_BUFFER_BYTES_MAX,
      clock,
      logger: logger.child({ part: 'bus' }),
      metrics: metrics.bus,
    });
    bus = nats;
  }
  hub = new Hub({
    log,
    bus,
    limits,
    clock,
    memberships: queries.standing,
    touchUsers: (rows) => store.touchUsers(rows),
    node,
    onError: (error) => logger.error({ err: error, part: 'hub' }, 'delivery met an error; it is tried again'),
    spentElsewhere: (spent) => rates.hear(spent),
    metrics: metrics.hub,
  });
  if (bus.shared) rates.share((spent) => bus.broadcast({ type: 'rates.spent', node, ...spent }));
  const followers =
    edge && signer && nats && config.nats?.followers
      ? new edge.Followers({
          hub,
          signer,
          rates,
          limits,
          clock,
          prefix: config.nats.prefix,
          servers: config.nats.followers.servers,
          auth: accounts,
          roomRows: queries.roomRows,
          say: (subject, bytes) => nats.sayTo(subject, bytes),
        })
      : null;
  const people = new People({
    clock,
    max: NAMES_MAX,
    userNames: queries.records.userNames,
    roomNames: queries.records.roomNames,
    onError: (error) => logger.warn({ err: error }, 'names could not be read; those that are known stay'),
  });
  log.onCommit((events) => people.apply(events));
  const dialects = new Dialects(config.dialects, {
    core,
    queries,
    accounts,
    hub,
    people,
    rates,
    limits,
    config,
    clock,
    logger: logger as FastifyBaseLogger,
    ready: async () => (await checkHealth(parts, bus)).ready,
  });
  const http = await buildHttp({
    core,
    queries,
    accounts,
    search: async (actor, { q, next, limit, ...filters }) => {
      const taken = rates.take('RATE_SEARCHES_PER_USER', String(actor.user));
      if (!taken.ok) return refuse('rate_limited', { retryAfter: taken.retryAfter });
      const found = await search.find({
        ...filters,
        user: actor.user,
        text: q,
        limit: Math.min(limit ?? 20, limits.PAGE_MAX),
        cursor: next,
      });
      return found.ok ? { ok: true, value: await queries.searchPage(found.value) } : found;
    },
    rates,
    limits,
    config,
    logger,
    metrics,
    health: () => checkHealth(parts, bus),
    versions: { natter: VERSION, node: process.version, [store.driver]: await databaseVersion(store) },
    guests: dialects,
    followers,
  });
  const proxies = new Networks(config.trustedProxies);
  const gateway = attachGateway(http.server, {
    hub,
    commands: core,
    auth: accounts,
    roomRows: queries.roomRows,
    limits,
    clock,
    rateLimits: config.rateLimits,
    metrics: metrics.gateway,
    failed: (error, what) => logger.error({ err: error, part: 'gateway' }, what),
    rates,
    address: (request) => clientAddress(request, proxies),
    origins: config.corsOrigins,
    random: Math.random,
  });
  dialects.serve(gateway.sockets);
  let admin: AdminSocket | null = null;
  const close = async (): Promise<void> => {
    await admin?.close();
    await gateway.close();
    followers?.close();
    await http.close();
    await hub?.close();
    await parts.close();
    await bus.close();
  };
  try {
    admin = await listenAdmin(config.dataDir, parts.operate, (error) =>
      logger.error({ err: error, part: 'admin' }, 'an operation of the command line failed'),
    );
    await http.listen({ port: config.port, host: config.host });
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = http.server.address() as AddressInfo;
  const everywhere = config.host === '0.0.0.0' || config.host === '::';
  const name = everywhere ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host;
  return { url: `http://${name}:${port}`, port, parts, hub, outlived: store.outlived, close };
}

/** Can the parts do what they are for, now? */
async function checkHealth(
  { store, search }: CoreParts,
  bus: Bus,
): Promise<{ ready: boolean; checks: Record<string, string> }> {
  const check = async (work: Promise<unknown>): Promise<string> => {
    const late = new Promise<string>((resolve) =>
      setTimeout(resolve, HEALTH_MS, `no answer within ${HEALTH_MS} ms`).unref(),
    );
    return Promise.race([
      work.then(
        () => 'ok',
        (error: Error) => error.message,
      ),
      late,
    ]);
  };
  const [stored, searched] = await Promise.all([check(store.check()), check(search.state())]);
  // Without the index there is no search, and everything else goes on. Without hints of other nodes their events come a
  // second later: sending everybody to another node would help nobody.
  const checks = { store: stored, search: searched, ...(bus.shared ? { bus: bus.trouble ?? 'ok' } : {}) };
  return { ready: stored === 'ok', checks };
}

async function databaseVersion({ db, driver }: Store): Promise<string> {
  const version = driver === 'sqlite' ? sql`sqlite_version()` : sql`current_setting('server_version')`;
  const { rows } = await sql<{ version: string }>`select ${version} as version`.execute(db);
  return rows[0]?.version ?? '';
}

async function newestEvent(store: Store): Promise<number> {
  const row = await store.db
    .selectFrom('events')
    .select((is) => is.fn.max('id').as('id'))
    .executeTakeFirst();
  return Number(row?.id ?? 0);
}
