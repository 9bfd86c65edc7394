/** What the operator has chosen: every setting with its default, its parser and its text in one table. The only reader of the environment. */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { makeFolder } from './folders.js';
import { LIMITS, type LimitName, type Limits, RATE_LIMITS } from './limits.js';

export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The other APIs that can be served, by the names that tokens and rooms carry. */
export const DIALECTS = ['000', '001', '002', '003', '004'] as const;
export type DialectName = (typeof DIALECTS)[number];

/** Fewer characters than this are too easy to guess. */
const SECRET_KEY_MIN = 32;
/** Name of the file in DATA_DIR that holds the key where none is set. */
const SECRET_KEY_FILE = 'secret.key';

/** Who may read something: nobody, this machine alone, anybody, or the addresses and networks that are named. */
export type Access = 'off' | 'local' | 'all' | readonly string[];

/** Where everything is stored: a file (absolute), or a server that several nodes share. */
export type Database = { driver: 'sqlite'; path: string } | { driver: 'postgres'; url: string };

export interface Config {
  port: number;
  host: string;
  /** Absolute. */
  dataDir: string;
  database: Database;
  /** Null: one node alone. */
  nats: NatsConfig | null;
  /** Signs access tokens and seals refresh tokens. */
  secretKey: string;
  accessTokenSeconds: number;
  /** Of single dialects, where that differs. */
  dialectTokenSeconds: Readonly<Partial<Record<DialectName, number>>>;
  refreshTokenSeconds: number;
  corsOrigins: '*' | readonly string[];
  trustedProxies: readonly string[];
  registration: 'open' | 'closed';
  firstUserIsAdmin: boolean;
  logLevel: LogLevel;
  /** Names of the dialects that are served. */
  dialects: readonly DialectName[];
  metricsAccess: Access;
  /** False with `LIMITS=off`: no rate limit holds, sizes still do. */
  rateLimits: boolean;
  limits: Limits;
}

/** How nodes reach each other; files by absolute path. */
export interface NatsConfig {
  /** `host:port` each. */
  servers: readonly string[];
  user: string | undefined;
  password: string | undefined;
  token: string | undefined;
  credentialsFile: string | undefined;
  /** Undefined: as the server asks for it. */
  tls: { caFile: string | undefined; certFile: string | undefined; keyFile: string | undefined } | undefined;
  prefix: string;
  /** Null: nobody but nodes is let in by us. */
  followers: { seedFile: string; account: string | undefined; servers: readonly string[] } | null;
}

export type Loaded = { ok: true; config: Config } | { ok: false; problems: string[] };

type Parsed<T> = { ok: true; value: T } | { ok: false; allowed: string };

interface Setting<T> {
  /** As it would be written; '' where the default is made or depends on another setting. */
  default: string;
  text: string;
  /** What the default means, where the written form does not say it. */
  means?: string;
  /** Its value is never shown. */
  secret?: true;
  parse: (text: string) => Parsed<T>;
}

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (allowed: string): Parsed<never> => ({ ok: false, allowed });

function integer(min: number, max: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? good(value) : bad(`a whole number from ${min} to ${max}`);
  };
}

function oneOf<const T extends string>(...words: T[]): (text: string) => Parsed<T> {
  return (text) => {
    const word = words.find((one) => one === text.toLowerCase());
    return word === undefined ? bad(words.join(', ')) : good(word);
  };
}

function dialects(text: string): Parsed<readonly DialectName[]> {
  if (/^(all|none)$/i.test(text)) return good(/^all$/i.test(text) ? DIALECTS : []);
  const list = words(text);
  const known = DIALECTS.filter((name) => list.includes(name));
  return known.length === new Set(list).size ? good(known) : bad(`all, none, or a list of ${DIALECTS.join(', ')}`);
}

function flag(text: string): Parsed<boolean> {
  if (/^(true|yes|on|1)$/i.test(text)) return good(true);
  if (/^(false|no|off|0)$/i.test(text)) return good(false);
  return bad('true or false');
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

function isNetwork(word: string): boolean {
  const [address = '', prefix, more] = word.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function networks(text: string): Parsed<readonly string[]> {
  const list = words(text);
  return list.every(isNetwork) ? good(list) : bad('addresses and networks such as 10.0.0.0/8, 127.0.0.1 or fd00::/8');
}

function access(text: string): Parsed<Access> {
  const word = oneOf('off', 'local', 'all')(text);
  if (word.ok) return word;
  const list = networks(text);
  return list.ok ? list : bad('off, local, all, or a list of addresses and networks such as 10.0.0.0/8');
}

function origins(text: string): Parsed<'*' | readonly string[]> {
  if (text === '*') return good('*');
  const list = words(text);
  const allowed = bad('*, or a list of origins such as https://chat.example.org http://localhost:5173');
  for (const word of list) {
    if (!URL.canParse(word)) return allowed;
    const { origin, protocol } = new URL(word);
    if ((protocol !== 'https:' && protocol !== 'http:') || origin !== word.toLowerCase()) return allowed;
  }
  return good(list.map((word) => word.toLowerCase()));
}

function host(text: string): Parsed<string> {
  const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*$/i;
  return isIP(text) !== 0 || name.test(text)
    ? good(text)
    : bad('an address or a host name, such as 127.0.0.1 or 0.0.0.0');
}

function database(text: string): Parsed<Database> {
  const allowed = bad('sqlite:<path>, such as sqlite:natter.db, or postgres://user:password@host:port/database');
  if (/^postgres(ql)?:/i.test(text)) {
    const inside = URL.canParse(text) ? new URL(text) : null;
    return inside && inside.pathname.length > 1 ? good({ driver: 'postgres', url: text }) : allowed;
  }
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/is.exec(text)?.[1];
  return path === undefined || path.includes('\0') ? allowed : good({ driver: 'sqlite', path });
}

const filePath = (text: string): Parsed<string> => (text.includes('\0') ? bad('a path') : good(text));

function subjectPrefix(text: string): Parsed<string> {
  return /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) && text.length <= 128
    ? good(text)
    : bad('words of letters, digits, _ and -, joined by dots, such as natter or acme.chat');
}

/** What `NATS_URL` says: who is where, and who we are there. */
interface NatsPlace {
  servers: string[];
  tls: boolean;
  user: string | undefined;
  password: string | undefined;
  token: string | undefined;
}

function natsUrl(text: string): Parsed<NatsPlace> {
  const allowed = bad('one or more of nats://host:4222 or tls://host:4222, with user:password@ or token@ where needed');
  const place: NatsPlace = { servers: [], tls: false, user: undefined, password: undefined, token: undefined };
  for (const word of words(text)) {
    if (!/^(nats|tls):\/\//i.test(word)) return allowed;
    // The host of an unknown scheme is not read as one.
    const plain = word.replace(/^[a-z]+:/i, 'http:');
    if (!URL.canParse(plain)) return allowed;
    const { hostname, port, username, password, pathname, search, hash } = new URL(plain);
    if (hostname === '' || pathname.length > 1 || search !== '' || hash !== '') return allowed;
    place.servers.push(`${hostname}:${port || (/:80(\/|$)/.test(word) ? 80 : 4222)}`);
    if (/^tls:/i.test(word)) place.tls = true;
    if (username === '') continue;
    try {
      const name = decodeURIComponent(username);
      if (password === '') place.token = name;
      else Object.assign(place, { user: name, password: decodeURIComponent(password) });
    } catch {
      return allowed;
    }
  }
  return place.servers.length > 0 ? good(place) : allowed;
}

/** A database as DATABASE_URL names it; null: it can't be read. */
export function readDatabase(text: string, dataDir: string): Database | null {
  const parsed = database(text);
  if (!parsed.ok) return null;
  return parsed.value.driver === 'sqlite'
    ? { ...parsed.value, path: resolve(dataDir, parsed.value.path) }
    : parsed.value;
}

function clientUrls(text: string): Parsed<readonly string[]> {
  const list = words(text);
  const fits = (word: string): boolean => /^(nats|tls|wss?):\/\/[^\s@/]+\/?$/i.test(word);
  return list.every(fits)
    ? good(list)
    : bad('one or more of nats://host:4222, tls://host:4222 or wss://host, without a password');
}

/** The settings that are not limits. */
const SETTINGS = {
  PORT: { default: '8000', text: 'port to listen on; 0 takes a free one', parse: integer(0, 65_535) },
  HOST: {
    default: '0.0.0.0',
    text: 'address to listen on; 127.0.0.1 keeps the server to this machine, :: listens on IPv6 too where there is IPv6',
    parse: host,
  },
  DATA_DIR: {
    default: './data',
    text: 'folder for the database, the secret key and the socket of the command line',
    parse: (text: string) => (text.includes('\0') ? bad('a path') : good(text)),
  },
  DATABASE_URL: {
    default: 'sqlite:natter.db',
    // It may hold a password.
    secret: true,
    text: 'where everything is stored: sqlite:<path> (a relative one is inside DATA_DIR), or postgres://user:password@host:port/database, which several nodes can share',
    parse: database,
  },
  NATS_URL: {
    default: '',
    means: 'in-process',
    secret: true,
    text: 'bus between several nodes, such as nats://user:password@host:4222, several with commas; tls:// insists on TLS; unset: one node, which needs none',
    parse: natsUrl,
  },
  NATS_PREFIX: {
    default: 'natter',
    text: 'first part of all subjects on NATS; installations that share a NATS have one each',
    parse: subjectPrefix,
  },
  NATS_CREDENTIALS_FILE: {
    default: '',
    means: 'none',
    text: 'credentials file (user JWT and key) that lets a node into NATS',
    parse: filePath,
  },
  NATS_TLS_CA_FILE: {
    default: '',
    means: 'those of Node',
    text: 'certificates (PEM) of those who may vouch for NATS; with this or the next two, TLS is insisted on',
    parse: filePath,
  },
  NATS_TLS_CERT_FILE: { default: '', means: 'none', text: 'this node’s certificate (PEM) for NATS', parse: filePath },
  NATS_TLS_KEY_FILE: { default: '', means: 'none', text: 'its key (PEM)', parse: filePath },
  NATS_SIGNING_SEED_FILE: {
    default: '',
    means: 'none, and no credentials are given out',
    text: 'file with the seed (SA…) of the account on NATS, or of a signing key of it; with it users may follow their rooms straight off NATS, which must run in operator mode',
    parse: filePath,
  },
  NATS_ACCOUNT: {
    default: '',
    means: 'the one of that seed',
    text: 'public key (A…) of that account, where the seed is a signing key’s',
    parse: (text: string) => (/^A[A-Z2-7]{55}$/.test(text) ? good(text) : bad('a public key: 56 characters, A first')),
  },
  NATS_CLIENT_URL: {
    default: '',
    means: 'the servers of NATS_URL',
    text: 'where those who are given credentials find NATS: nats://, tls:// or wss://, several with commas',
    parse: clientUrls,
  },
  SECRET_KEY: {
    default: '',
    means: `made, and kept in DATA_DIR/${SECRET_KEY_FILE}`,
    secret: true,
    text: `signs tokens; at least ${SECRET_KEY_MIN} characters, the same on all nodes, so it has to be set with PostgreSQL; a new one logs everybody out`,
    parse: (text: string) =>
      [...text].length >= SECRET_KEY_MIN ? good(text) : bad(`at least ${SECRET_KEY_MIN} characters, chosen at random`),
  },
  ACCESS_TOKEN_EXPIRE_MINUTES: { default: '30', text: 'life of an access token', parse: integer(1, 1_440) },
  REFRESH_TOKEN_EXPIRE_DAYS: {
    default: '7',
    text: 'a session that is not refreshed for this long ends',
    parse: integer(1, 3_650),
  },
  CORS_ORIGINS: {
    default: '',
    means: 'none',
    text: 'web origins, other than the server’s own, whose pages may call the API: a list, or * for all; never with cookies. Unset: none may call the native API, and all may call the dialects, as they could there',
    parse: origins,
  },
  TRUSTED_PROXIES: {
    default: '',
    means: 'none',
    text: 'addresses and networks of reverse proxies; X-Forwarded-For counts only when it comes from one of them',
    parse: networks,
  },
  REGISTRATION: {
    default: 'open',
    text: 'open: anybody may make an account; closed: `natter user create` alone does',
    parse: oneOf('open', 'closed'),
  },
  DIALECTS: {
    default: 'all',
    text: 'the other chat APIs that are served beside the native one (see docs/dialects): all, none, or a list such as 002 004',
    parse: dialects,
  },
  DIALECT_001_TOKEN_EXPIRE_MINUTES: {
    default: '1440',
    text: 'life of an access token of dialect 001, which knows no refresh; a session ends with REFRESH_TOKEN_EXPIRE_DAYS all the same',
    parse: integer(1, 525_600),
  },
  FIRST_USER_IS_ADMIN: { default: 'true', text: 'the first account to be made gets the role admin', parse: flag },
  METRICS_ACCESS: {
    default: 'local',
    text: 'who may read /metrics: off, local (this machine, not through a proxy), all, or a list of addresses and networks',
    parse: access,
  },
  LOG_LEVEL: { default: 'info', text: 'fatal, error, warn, info, debug, trace or silent', parse: oneOf(...LOG_LEVELS) },
  LIMITS: {
    default: 'on',
    text: 'off: no rate limit holds (those below whose names begin with RATE_); for load tests alone',
    parse: oneOf('on', 'off'),
  },
} as const satisfies Record<string, Setting<unknown>>;

type SettingName = keyof typeof SETTINGS;
type ValueOf<N extends SettingName> = Extract<ReturnType<(typeof SETTINGS)[N]['parse']>, { ok: true }>['value'];

/** One row of the documents that are made from the table. */
export interface SettingRow {
  name: string;
  default: string;
  /** What the default means, where the written form is empty. */
  means: string;
  text: string;
  group: 'settings' | 'limits' | 'rates';
}

/** All settings, in the order in which they are shown. */
export function settingRows(): SettingRow[] {
  const rows: SettingRow[] = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => ({
    name,
    default: setting.default,
    means: setting.means ?? '',
    text: setting.text,
    group: 'settings',
  }));
  for (const [name, limit] of Object.entries(LIMITS)) {
    const group = Object.hasOwn(RATE_LIMITS, name) ? 'rates' : 'limits';
    rows.push({ name, default: String(limit.default), means: '', text: limit.text, group });
  }
  return rows;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads one setting: the environment first, then `.env`. An empty value counts as unset. */
class Reader {
  readonly problems: string[] = [];

  constructor(
    readonly env: Environment,
    readonly file: Environment,
  ) {}

  #text(name: string): string {
    return this.env[name]?.trim() || this.file[name]?.trim() || '';
  }

  setting<N extends SettingName>(name: N): ValueOf<N> | undefined {
    const setting: Setting<unknown> = SETTINGS[name];
    const text = this.#text(name) || setting.default;
    if (text === '') return undefined;
    return this.#value(name, text, setting.parse, setting.secret) as ValueOf<N> | undefined;
  }

  limits(): Limits {
    const limits: Partial<Limits> = {};
    for (const [name, limit] of Object.entries(LIMITS)) {
      const text = this.#text(name) || String(limit.default);
      limits[name as LimitName] = this.#value(name, text, integer(limit.min, limit.max)) ?? limit.default;
    }
    return limits as Limits;
  }

  #value<T>(name: string, text: string, parse: (text: string) => Parsed<T>, secret?: true): T | undefined {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.problems.push(`${name} is ${secret ? 'not usable' : JSON.stringify(text)}; allowed: ${parsed.allowed}`);
    return undefined;
  }
}

function readDotenv(cwd: string): Environment {
  try {
    return parseDotenv(readFileSync(join(cwd, '.env')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * Reads the settings from an environment and the file `.env` in `cwd`; what the command line gives goes before both.
 * Makes DATA_DIR and the secret key where they are missing.
 */
export function loadConfig(
  env: Environment = process.env,
  cwd: string = process.cwd(),
  given: Environment = {},
): Loaded {
  let file: Environment;
  try {
    file = readDotenv(cwd);
  } catch (error) {
    return { ok: false, problems: [`${join(cwd, '.env')} can't be read: ${(error as Error).message}`] };
  }
  const read = new Reader({ ...env, ...given }, file);
  const dataDir = resolve(cwd, read.setting('DATA_DIR') ?? '.');
  const stored = read.setting('DATABASE_URL') ?? { driver: 'sqlite', path: '' };
  const secretKey = read.setting('SECRET_KEY');
  const draft = {
    port: read.setting('PORT') ?? 0,
    host: read.setting('HOST') ?? '',
    dataDir,
    database: stored.driver === 'sqlite' ? { ...stored, path: resolve(dataDir, stored.path) } : stored,
    nats: natsConfig(read, cwd),
    accessTokenSeconds: (read.setting('ACCESS_TOKEN_EXPIRE_MINUTES') ?? 0) * 60,
    dialectTokenSeconds: { '001': (read.setting('DIALECT_001_TOKEN_EXPIRE_MINUTES') ?? 0) * 60 },
    refreshTokenSeconds: (read.setting('REFRESH_TOKEN_EXPIRE_DAYS') ?? 0) * 86_400,
    corsOrigins: read.setting('CORS_ORIGINS') ?? [],
    trustedProxies: read.setting('TRUSTED_PROXIES') ?? [],
    registration: read.setting('REGISTRATION') ?? 'closed',
    firstUserIsAdmin: read.setting('FIRST_USER_IS_ADMIN') ?? false,
    dialects: read.setting('DIALECTS') ?? [],
    metricsAccess: read.setting('METRICS_ACCESS') ?? 'off',
    logLevel: read.setting('LOG_LEVEL') ?? 'info',
    rateLimits: read.setting('LIMITS') !== 'off',
    limits: read.limits(),
  } as const;
  // A key of its own would make each node a stranger to the others.
  const shared = draft.nats ? 'NATS_URL' : stored.driver === 'postgres' ? 'DATABASE_URL (PostgreSQL)' : null;
  if (shared && secretKey === undefined && !read.problems.some((problem) => problem.startsWith('SECRET_KEY'))) {
    read.problems.push(`${shared} is set and SECRET_KEY is not: nodes know each other by it, so all have the same one`);
  }
  if (read.problems.length > 0) return { ok: false, problems: read.problems };
  try {
    return { ok: true, config: { ...draft, secretKey: secretKey ?? keepSecretKey(dataDir) } };
  } catch (error) {
    return { ok: false, problems: [(error as Error).message] };
  }
}

function natsConfig(read: Reader, cwd: string): NatsConfig | null {
  const place = read.setting('NATS_URL');
  const prefix = read.setting('NATS_PREFIX') ?? '';
  type FileSetting = 'CREDENTIALS' | 'TLS_CA' | 'TLS_CERT' | 'TLS_KEY' | 'SIGNING_SEED';
  const file = (name: `NATS_${FileSetting}_FILE`) => {
    const path = read.setting(name);
    return path === undefined ? undefined : resolve(cwd, path);
  };
  const credentialsFile = file('NATS_CREDENTIALS_FILE');
  const caFile = file('NATS_TLS_CA_FILE');
  const certFile = file('NATS_TLS_CERT_FILE');
  const keyFile = file('NATS_TLS_KEY_FILE');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    read.problems.push('NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE are set together, or neither is');
  }
  const seedFile = file('NATS_SIGNING_SEED_FILE');
  const account = read.setting('NATS_ACCOUNT');
  const clientUrl = read.setting('NATS_CLIENT_URL');
  if (seedFile !== undefined && !place) {
    read.problems.push(
      'NATS_SIGNING_SEED_FILE is set and NATS_URL is not: there is no NATS that anybody could be let in to',
    );
  }
  if (!place) return null;
  const { tls, ...where } = place;
  const insists = tls || caFile !== undefined || certFile !== undefined;
  const servers = clientUrl ?? place.servers.map((server) => `${insists ? 'tls' : 'nats'}://${server}`);
  return {
    ...where,
    credentialsFile,
    tls: insists ? { caFile, certFile, keyFile } : undefined,
    prefix,
    followers: seedFile === undefined ? null : { seedFile, account, servers },
  };
}

/** The key that is kept in DATA_DIR, made when there is none. Two that start at once end up with the same one. */
function keepSecretKey(dataDir: string): string {
  const path = join(dataDir, SECRET_KEY_FILE);
  try {
    makeFolder(dataDir);
    const key = readKey(path) ?? makeKey(path);
    if (key.length >= SECRET_KEY_MIN) return key;
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`DATA_DIR is ${JSON.stringify(dataDir)}, and no secret key can be kept there: ${reason}`);
  }
  throw new Error(`${path} holds no key of at least ${SECRET_KEY_MIN} characters; remove it, and a new one is made`);
}

function makeKey(path: string): string {
  const key = randomBytes(48).toString('base64url');
  const fresh = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(fresh, `${key}\n`, { mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and never replaces what is there.
    linkSync(fresh, path);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readKey(path) ?? key;
  } finally {
    rmSync(fresh);
  }
}

function readKey(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
