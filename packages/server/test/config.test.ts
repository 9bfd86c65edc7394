import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, DIALECTS, loadConfig, settingRows } from '@natter/server/config';
import { renderEnvExample, withTable } from '@natter/server/config-docs';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'natter-config-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function load(env: Record<string, string> = {}): Config {
  const loaded = loadConfig(env, folder);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function problems(env: Record<string, string>): string[] {
  const loaded = loadConfig(env, folder);
  return loaded.ok ? [] : loaded.problems;
}

describe('configuration', () => {
  it('needs no setting at all', () => {
    expect(load()).toEqual({
      port: 8000,
      host: '0.0.0.0',
      dataDir: join(folder, 'data'),
      database: { driver: 'sqlite', path: join(folder, 'data', 'natter.db') },
      nats: null,
      secretKey: expect.stringMatching(/^[A-Za-z0-9_-]{64}$/),
      accessTokenSeconds: 1_800,
      dialectTokenSeconds: { '001': 86_400 },
      refreshTokenSeconds: 604_800,
      corsOrigins: [],
      trustedProxies: [],
      registration: 'open',
      firstUserIsAdmin: true,
      logLevel: 'info',
      dialects: DIALECTS,
      metricsAccess: 'local',
      rateLimits: true,
      limits: DEFAULT_LIMITS,
    });
  });

  it('makes a secret key once, for the owner alone, and keeps it', () => {
    const { secretKey } = load();
    expect(load().secretKey).toBe(secretKey);
    expect(statSync(join(folder, 'data', 'secret.key')).mode & 0o777).toBe(0o600);
    expect(load({ DATA_DIR: 'elsewhere' }).secretKey).not.toBe(secretKey);
    expect(load({ SECRET_KEY: 'k'.repeat(32) }).secretKey).toBe('k'.repeat(32));
  });

  it('refuses a secret key that is too short, and never shows it', () => {
    const [problem] = problems({ SECRET_KEY: 'tooShortToBeSafe' });
    expect(problem).toMatch(/^SECRET_KEY .*at least 32/);
    expect(problem).not.toContain('tooShort');
    load();
    writeFileSync(join(folder, 'data', 'secret.key'), 'short\n');
    expect(problems({})[0]).toMatch(/secret\.key holds no key of at least 32 characters/);
  });

  it('reads .env, and the environment before it; an empty value counts as unset', () => {
    writeFileSync(join(folder, '.env'), 'PORT=9001\nHOST=127.0.0.1 # here alone\nPAGE_MAX="50"\n');
    expect(load()).toMatchObject({ port: 9001, host: '127.0.0.1', limits: { PAGE_MAX: 50 } });
    expect(load({ PORT: '9002', HOST: '' })).toMatchObject({ port: 9002, host: '127.0.0.1' });
  });

  it('names every wrong value and what is allowed, all at once', () => {
    const found = problems({ PORT: '70000', CORS_ORIGINS: 'chat.example.org', PAGE_MAX: '0', LIMITS: 'maybe' });
    expect(found).toEqual([
      'PORT is "70000"; allowed: a whole number from 0 to 65535',
      expect.stringMatching(/^CORS_ORIGINS is "chat\.example\.org"; allowed: \*, or a list/),
      'LIMITS is "maybe"; allowed: on, off',
      'PAGE_MAX is "0"; allowed: a whole number from 1 to 1000',
    ]);
  });

  it.each([
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PORT', '٨٠'],
    ['HOST', 'two words'],
    ['HOST', '300.1.1.1/8'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['DATABASE_URL', 'sqlite:'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['CORS_ORIGINS', 'javascript:alert(1)'],
    ['CORS_ORIGINS', '* https://a.example'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'proxy.example'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['REGISTRATION', 'invite'],
    ['FIRST_USER_IS_ADMIN', 'perhaps'],
    ['METRICS_ACCESS', 'everybody'],
    ['LOG_LEVEL', 'loud'],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', '0'],
    ['REFRESH_TOKEN_EXPIRE_DAYS', '1e3'],
    ['MESSAGE_TEXT_MAX', '10k'],
  ])('refuses %s=%s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} is `))]);
  });

  it('reads where PostgreSQL is, never shows a password, and wants the key that all nodes share', () => {
    const url = 'postgres://natter:hunter2@db.example:5433/natter?sslmode=verify-full';
    const key = { SECRET_KEY: 'k'.repeat(32) };
    expect(load({ ...key, DATABASE_URL: url }).database).toEqual({ driver: 'postgres', url });
    expect(load({ ...key, DATABASE_URL: 'postgresql:///natter?host=/run/postgresql' }).database.driver).toBe(
      'postgres',
    );
    expect(problems({ DATABASE_URL: url })).toEqual([
      expect.stringMatching(/PostgreSQL.* is set and SECRET_KEY is not/),
    ]);
    for (const wrong of ['postgres://natter:hunter2@db.example', 'postgres://natter:hunter2@db:port/natter']) {
      expect(problems({ ...key, DATABASE_URL: wrong })).toEqual([expect.stringMatching(/^DATABASE_URL is not usable/)]);
    }
  });

  it('reads where NATS is, and who we are there', () => {
    const key = { SECRET_KEY: 'k'.repeat(32) };
    expect(load({ ...key, NATS_URL: 'nats://localhost' }).nats).toEqual({
      servers: ['localhost:4222'],
      prefix: 'natter',
      followers: null,
      user: undefined,
      password: undefined,
      token: undefined,
      credentialsFile: undefined,
      tls: undefined,
    });
    expect(
      load({
        ...key,
        NATS_URL: 'tls://us%40er:p%3Ass@a:1, tls://[::1]:80',
        NATS_PREFIX: 'a.b',
        NATS_TLS_CA_FILE: 'ca.pem',
      }).nats,
    ).toMatchObject({
      servers: ['a:1', '[::1]:80'],
      user: 'us@er',
      password: 'p:ss',
      prefix: 'a.b',
      tls: { caFile: join(folder, 'ca.pem'), certFile: undefined },
    });
    expect(load({ ...key, NATS_URL: 'nats://t0ken@a', NATS_CREDENTIALS_FILE: '/n.creds' }).nats).toMatchObject({
      token: 't0ken',
      credentialsFile: '/n.creds',
    });
    expect(load({ NATS_PREFIX: 'x' }).nats).toBeNull();
  });

  it.each(['http://a', 'nats://', 'nats://a/b', 'nats://a?b', 'localhost:4222', 'nats://a:x', 'nats://%zz:y@a', ','])(
    'refuses NATS_URL=%s, and does not show it',
    (url) => {
      const [problem] = problems({ SECRET_KEY: 'k'.repeat(32), NATS_URL: url });
      expect(problem).toMatch(/^NATS_URL is not usable; allowed: one or more of nats:\/\//);
    },
  );

  it('refuses nodes that could not know each other, subjects that are none, and half a certificate', () => {
    expect(problems({ NATS_URL: 'nats://a' })).toEqual([expect.stringMatching(/SECRET_KEY is not/)]);
    for (const prefix of ['a b', 'a.', '.a', 'a..b', 'a.*', '>']) {
      expect(problems({ NATS_PREFIX: prefix })).toEqual([expect.stringMatching(/^NATS_PREFIX is/)]);
    }
    expect(problems({ NATS_TLS_CERT_FILE: 'a' })).toEqual([expect.stringMatching(/set together/)]);
  });

  it('takes lists with commas or spaces', () => {
    expect(
      load({
        CORS_ORIGINS: 'https://Chat.example.org, http://localhost:5173',
        TRUSTED_PROXIES: '10.0.0.0/8 ::1',
        METRICS_ACCESS: '192.168.0.0/16',
        DATABASE_URL: 'sqlite:///var/lib/natter.db',
      }),
    ).toMatchObject({
      corsOrigins: ['https://chat.example.org', 'http://localhost:5173'],
      trustedProxies: ['10.0.0.0/8', '::1'],
      metricsAccess: ['192.168.0.0/16'],
      database: { path: '/var/lib/natter.db' },
    });
  });

  it('says when DATA_DIR can not be made', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(problems({ DATA_DIR: 'file/data' })[0]).toMatch(/^DATA_DIR is ".*no secret key can be kept there/);
  });
});

describe('the documents of the configuration', () => {
  const root = (name: string) => readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8');

  it('are in step with the table: else run node packages/server/dist/config-docs.js', () => {
    expect(root('.env.example')).toBe(renderEnvExample());
    expect(root('README.md')).toBe(withTable(root('README.md')));
  });

  it('give defaults that are what one gets', () => {
    const env = Object.fromEntries(settingRows().map((row) => [row.name, row.default]));
    const { secretKey, ...given } = load(env);
    const { secretKey: made, ...unset } = load();
    expect(given).toEqual(unset);
    expect(made).toBe(secretKey);
  });
});
