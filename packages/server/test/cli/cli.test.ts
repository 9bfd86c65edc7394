/** The command line: on the data alone, and on a server that runs. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { DataDirInUseError, lockDataDir } from '@natter/server/admin/lock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { makePlace, type Place, type Server } from './natter.js';

const PASSWORD = 'correct horse battery';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.close());

const socket = () => join(place.dir, 'data', 'natter.sock');

async function ask(server: Server, method: string, path: string, body?: unknown, token?: string) {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(server.url + path, init);
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Json };
}

function writeLog(lines: readonly string[]): string {
  const folder = join(place.dir, 'log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '2004-12-25.raw.txt'), `${lines.join('\n')}\n`);
  return folder;
}

describe('without a server', () => {
  it('makes an account, and lists it', async () => {
    const made = await place.natter(['user', 'create', 'ann', '--password-stdin', '--email', 'ann@example.org'], {
      input: `${PASSWORD}\n`,
    });
    expect(made).toEqual({ code: 0, out: 'Made the account ann (id 1).\n', err: '' });
    const table = (await place.natter(['user', 'list'])).out.split('\n');
    expect(table[0]).toMatch(/^ID {2}NAME {2}FULL NAME {2}E-MAIL/);
    expect(table[1]).toMatch(/^ 1 {2}ann {3}– {10}ann@example.org {2}admin/);
  });

  it('says what there is', async () => {
    const help = await place.natter(['--help']);
    expect(help.code).toBe(0);
    for (const word of ['serve', 'migrate', 'user', 'room', 'import', 'doctor', '--data-dir', 'Exit codes']) {
      expect(help.out).toContain(word);
    }
    expect((await place.natter(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
    expect((await place.natter(['import', 'irc', '--help'])).out).toContain('--owner');
    expect((await place.natter(['migrate'])).out).toMatch(/^Made: /);
    expect((await place.natter(['migrate'])).out).toMatch(/^The schema is up to date: /);
  });

  it('shows what users wrote as data: nothing of it reaches the terminal as a command', async () => {
    const evil = '\u001b]0;owned\u0007\u202e\u009b31m日本';
    const folder = writeLog([`[09:00] <${evil}> hello`]);
    expect((await place.natter(['import', 'irc', folder, '--room', 'talk'])).code).toBe(0);
    await place.natter(['user', 'create', 'ann', '--no-password', '--full-name', 'Ann 日本']);
    for (const args of [
      ['user', 'list', '--placeholders'],
      ['user', 'list', '--placeholders', '--json'],
      ['room', 'list'],
      ['room', 'show', 'talk'],
    ]) {
      const { code, out, err } = await place.natter(args);
      expect(code).toBe(0);
      expect(out + err).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    }
    const missing = await place.natter(['room', 'show', 'no\u001b[31m']);
    expect(missing.err).not.toContain('\u001b');
  });

  it('imports with lines of progress, tells the counts, and finds no differences afterwards', async () => {
    const folder = writeLog([
      '[09:00] <ann> one',
      '[09:01] <ben> two',
      '=== carl [h]  has joined #talk',
      '[09:02]  * ann waves',
    ]);
    const first = await place.natter(['import', 'irc', folder]);
    expect(first.code).toBe(0);
    expect(first.err).toMatch(/importing 100% 2 messages, 2004-12-25.raw.txt/);
    expect(first.out).toMatch(/Made the channel talk \(id 1\) from 1 files/);
    expect(first.out).toMatch(/lines +4\n +messages +2 by 2 nicknames\n/);
    expect(first.out).toMatch(/imported +2 messages \(0 of them replies\), 2 accounts/);
    const again = JSON.parse((await place.natter(['import', 'irc', folder, '--json'])).out);
    expect(again.made).toEqual({ messages: 0, known: 2, changed: 0, replies: 0, authors: 0 });
    expect(JSON.parse((await place.natter(['room', 'list', '--json'])).out)).toMatchObject([
      { name: 'talk', messages: 2, members: 0 },
    ]);
    const doctor = await place.natter(['doctor']);
    expect(doctor).toMatchObject({ code: 0, out: expect.stringMatching(/events examined in .* s: no differences\n$/) });
  });
});

describe('keys for NATS', () => {
  it('are made once: readable by their owner alone, and never over others', async () => {
    const folder = join(place.dir, 'keys');
    const made = await place.natter(['nats-keys', folder], { env: { NATS_PREFIX: 'acme.chat' } });
    expect(made.err).toBe('');
    expect(made.code).toBe(0);
    const names = readdirSync(folder);
    expect(names.sort()).toEqual([
      'account.seed',
      'nats.conf',
      'nodes.creds',
      'operator.seed',
      'signing.seed',
      'system.seed',
    ]);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    const signing = readFileSync(join(folder, 'signing.seed'), 'utf8').trim();
    expect(signing).toMatch(/^SA[A-Z2-7]{56}$/);
    expect(made.out).toMatch(/NATS_ACCOUNT=A[A-Z2-7]{55}\n/);
    expect(made.out).not.toContain(signing);
    const again = await place.natter(['nats-keys', folder]);
    expect(again.code).toBe(1);
    expect(again.err).toContain('is not empty');
    expect(readFileSync(join(folder, 'signing.seed'), 'utf8').trim()).toBe(signing);
  });
});

describe('while the server runs', () => {
  let server: Server;
  beforeEach(async () => {
    server = await place.serve();
  });

  it('takes effect at once', async () => {
    const created = await place.natter(['user', 'create', 'ann', '--password-stdin'], { input: PASSWORD });
    expect(created.code).toBe(0);
    const login = await ask(server, 'POST', '/v1/sessions', { name: 'ann', password: PASSWORD });
    expect(login.status).toBe(201);
    const token = login.body.accessToken as string;
    expect((await ask(server, 'GET', '/v1/me', undefined, token)).status).toBe(200);
    await place.natter(['user', 'create', 'boss', '--no-password', '--role', 'admin']);
    expect((await place.natter(['user', 'role', 'ann', 'user'])).code).toBe(0);
    expect((await ask(server, 'GET', '/v1/me', undefined, token)).body.role).toBe('user');
    expect((await place.natter(['user', 'deactivate', 'ann'])).code).toBe(0);
    expect((await ask(server, 'GET', '/v1/me', undefined, token)).status).toBe(401);
    expect((await place.natter(['user', 'list'])).out).toMatch(/ann .*deactivated/);
    expect((await place.natter(['migrate'])).out).toMatch(/Nothing to do: a server runs/);
  });

  it('gives roles, and ends and gives back access', async () => {
    await place.natter(['user', 'create', 'ann', '--password-stdin', '--email', 'ann@example.org'], {
      input: PASSWORD,
    });
    expect((await place.natter(['user', 'create', 'ben', '--no-password', '--role', 'admin'])).code).toBe(0);
    expect((await place.natter(['user', 'role', 'ben', 'user'])).out).toBe('ben has the role user.\n');
    expect((await place.natter(['user', 'role', 'BEN', 'user'])).out).toBe('BEN had already the role user.\n');
    expect((await place.natter(['user', 'deactivate', 'ben'])).out).toMatch(/^ben is deactivated/);
    const users = JSON.parse((await place.natter(['user', 'list', '--json'])).out);
    expect(users).toMatchObject([
      { id: 1, name: 'ann', email: 'ann@example.org', role: 'admin', status: 'active' },
      { id: 2, name: 'ben', email: null, role: 'user', status: 'deactivated' },
    ]);
    expect((await place.natter(['user', 'reactivate', 'ben'])).out).toBe('ben is active again.\n');
  });

  it('answers 2 to wrong usage and settings, 1 to what can not be done, and says why', async () => {
    await place.natter(['user', 'create', 'ann', '--no-password']);
    const cases: [string[], number, RegExp, Record<string, string>?][] = [
      [['frobnicate'], 2, /unknown command/],
      [['user', 'role', 'ann', 'king'], 2, /user or admin/],
      [['user', 'create'], 2, /missing required argument/],
      [['user', 'create', 'zed', '--nope'], 2, /unknown option/],
      [['user', 'create', 'zed'], 2, /no terminal to ask for a password/],
      [['user', 'create', 'zed', '--password-stdin'], 2, /password/],
      [['user', 'create', 'a b', '--no-password'], 2, /name must be letters/],
      [['user', 'create', 'ANN', '--no-password'], 1, /name is taken/],
      [['user', 'role', 'nobody', 'admin'], 1, /no user nobody/],
      [['user', 'role', 'ann', 'user'], 1, /at least one active admin/],
      [['room', 'show', '17'], 1, /no room 17/],
      [['import', 'irc', '/nowhere'], 2, /there is no \/nowhere/],
      [['user', 'list'], 2, /PORT is "x"/, { PORT: 'x' }],
      [['user', 'list', '--data-dir', './empty'], 1, /no database at .*empty/],
      [['doctor', '--data-dir', './empty'], 1, /no database at .*empty/],
    ];
    for (const [args, code, said, env] of cases) {
      const ran = await place.natter(args, env ? { env } : {});
      expect({ args, code: ran.code, out: ran.out }).toEqual({ args, code, out: '' });
      expect(ran.err).toMatch(said);
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
  });

  it('imports into it, with progress, and examines it', async () => {
    const folder = writeLog(Array.from({ length: 3_000 }, (_, at) => `[09:00] <nick${at % 50}> line ${at} of the log`));
    await place.natter(['user', 'create', 'ann', '--password-stdin'], { input: PASSWORD });
    const ran = await place.natter(['import', 'irc', folder, '--room', 'talk', '--owner', 'ann']);
    expect(ran).toMatchObject({ code: 0, err: expect.stringMatching(/importing 100% 3,000 messages/) });
    const { body } = await ask(server, 'POST', '/v1/sessions', { name: 'ann', password: PASSWORD });
    const found = await ask(server, 'GET', '/v1/search/messages?q=2999', undefined, body.accessToken);
    expect(found.body.hits.map((hit: { message: { text: string } }) => hit.message.text)).toEqual([
      'line 2999 of the log',
    ]);
    const doctor = await place.natter(['doctor', '--json']);
    expect(doctor.code).toBe(0);
    expect(JSON.parse(doctor.out)).toMatchObject({ differences: 0, notes: [] });
  });

  it('is for the user of the server alone', () => {
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    expect(statSync(join(place.dir, 'data')).mode & 0o077).toBe(0);
  });

  it('refuses what is no request, and goes on', async () => {
    for (const [sent, said] of [
      ['nonsense\n', /one line of JSON/],
      ['{"operation":7}\n', /one line of JSON/],
      [`${'x'.repeat(3 << 20)}\n`, /one line of JSON/],
      ['{"operation":"user.destroy","input":{}}\n', /no operation/],
      ['{"operation":"user.role","input":{"name":"ann","role":"king","more":1}}\n', /invalid/],
      ['{"operation":"__proto__","input":{}}\n', /no operation/],
    ] as const) {
      const client = createConnection(socket());
      client.on('error', () => {});
      client.end(sent);
      let answer = '';
      client.setEncoding('utf8').on('data', (text: string) => (answer += text));
      await once(client, 'close');
      expect(answer, sent.slice(0, 60)).toMatch(said);
    }
    const silent = createConnection(socket());
    await once(silent, 'connect');
    silent.destroy();
    expect((await place.natter(['user', 'list'])).code).toBe(0);
  });

  it('ends an import when the command line that asked for it is gone, and goes on with it later', async () => {
    const folder = writeLog(Array.from({ length: 60_000 }, (_, at) => `[09:00] <nick${at % 50}> line ${at}`));
    const asking = place.start(['import', 'irc', folder, '--room', 'talk']);
    await new Promise<void>((resolve) =>
      asking.stderr?.setEncoding('utf8').on('data', (text: string) => /%/.test(text) && resolve()),
    );
    asking.kill('SIGKILL');
    await once(asking, 'exit');
    const again = async () => {
      const ran = await place.natter(['import', 'irc', folder, '--room', 'talk', '--json']);
      return ran.code === 0 ? JSON.parse(ran.out).made : ran.err;
    };
    await expect.poll(again, { timeout: 20_000 }).toMatchObject({ changed: 0 });
    expect(await again()).toMatchObject({ messages: 0, known: 60_000 });
    expect((await place.natter(['doctor'])).code).toBe(0);
  }, 60_000);
});

describe('the data folder', () => {
  it('is for one server at a time, and free again when that was killed', async () => {
    const server = await place.serve();
    const second = await place.natter(['serve']);
    expect(second).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/another Natter process uses .*data/),
    });
    expect((await ask(server, 'GET', '/health')).status).toBe(200);
    await server.end('SIGKILL');
    expect(existsSync(socket())).toBe(true);
    expect((await place.natter(['user', 'create', 'ann', '--no-password'])).code).toBe(0);
    const third = await place.serve();
    expect((await place.natter(['user', 'list', '--json'])).out).toContain('ann');
    expect(await third.end()).toBe(0);
    expect(existsSync(socket())).toBe(false);
  });

  it('is locked within one process, too', () => {
    const lock = lockDataDir(place.dir);
    expect(() => lockDataDir(place.dir)).toThrow(DataDirInUseError);
    lock.close();
    lockDataDir(place.dir).close();
  });

  it('may have a long path', async () => {
    const dir = join(place.dir, 'd'.repeat(120));
    const server = await new Promise<ReturnType<Place['start']>>((resolve, reject) => {
      const child = place.start(['serve', '--data-dir', dir]);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => text.includes('ready at') && resolve(child));
      child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
    expect((await place.natter(['user', 'create', 'ann', '--no-password', '--data-dir', dir])).code).toBe(0);
    expect((await place.natter(['migrate', '--data-dir', dir])).out).toMatch(/a server runs/);
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
});
