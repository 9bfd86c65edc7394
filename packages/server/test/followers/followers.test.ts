/** Bots that follow rooms straight off a NATS in operator mode: they hear what is theirs, and not a word more [S6][A1][A2][A3]. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAccount, createUser } from '@nats-io/nkeys';
import { connect, credsAuthenticator, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { NatsCredentials } from '@natter/protocol';
import { readSeed, writeJwt } from '@natter/server/followers/jwt';
import { makeOperatorFiles } from '@natter/server/followers/operator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../bus/contract.js';
import { NatsServer } from '../bus/nats-server.js';
import { makePostgresDatabase } from '../databases.js';
import { openSite, type Person, type Site } from '../http/site.js';
import type { Json } from '../json.js';

interface Said {
  subject: string;
  json: Json;
}

/** A bot on NATS: what it heard, and what it was refused. */
interface Bot {
  heard: Said[];
  refused: string[];
  connection: NatsConnection;
  /** What was heard of a room that is an event. */
  texts(room: number): string[];
  types(room: number): string[];
}

let nats: NatsServer;
let settings: Record<string, string>;
const closing: (() => Promise<unknown>)[] = [];
const later = (close: () => Promise<unknown>): void => void closing.push(close);

beforeAll(async () => {
  let account = '';
  nats = await NatsServer.start((folder) => {
    const made = makeOperatorFiles('natter', Math.floor(Date.now() / 1_000));
    for (const [name, content] of Object.entries(made.files)) writeFileSync(join(folder, name), content);
    account = made.account;
    return (made.files['nats.conf'] as string).replace('port: 4222', '');
  });
  settings = {
    NATS_URL: nats.url,
    NATS_CREDENTIALS_FILE: join(nats.folder, 'nodes.creds'),
    NATS_SIGNING_SEED_FILE: join(nats.folder, 'signing.seed'),
    NATS_ACCOUNT: account,
    SECRET_KEY: 'of all nodes, and long enough for it',
  };
});
afterAll(() => nats?.remove());
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(env: Record<string, string> = {}): Promise<Site> {
  const site = await openSite({ ...settings, ...env });
  later(() => site.close());
  return site;
}

async function credentials(site: Site, { token }: Person, body: object = {}): Promise<NatsCredentials> {
  const answer = await site.ask('POST', '/v1/nats/credentials', { token, body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}

async function follow(given: NatsCredentials, ...subjects: string[]): Promise<Bot> {
  const connection = await connect({
    servers: given.servers,
    authenticator: credsAuthenticator(Buffer.from(given.credentials ?? '')),
    reconnect: false,
  });
  later(() => connection.close());
  const heard: Said[] = [];
  const refused: string[] = [];
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'error') refused.push(status.error.message);
  })();
  const wanted = subjects.length > 0 ? subjects : [given.subjects.rooms, given.subjects.status];
  for (const subject of wanted) {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) heard.push({ subject: message.subject, json: JSON.parse(message.string()) });
      },
    });
  }
  await connection.flush();
  const of = (room: number) => heard.filter(({ json }) => json.stream === room).map(({ json }) => json);
  return {
    heard,
    refused,
    connection,
    texts: (room) => of(room).flatMap(({ type, body }) => (type === 'message.sent' ? [body.text] : [])),
    types: (room) => of(room).map(({ type }) => type),
  };
}

async function makeRoom(site: Site, owner: Person, members: Person[], more: object = {}): Promise<number> {
  const body = { kind: 'group', name: 'room', members: members.map(({ id }) => id), ...more };
  return (await site.ask('POST', '/v1/rooms', { token: owner.token, body })).body.id;
}

async function say(site: Site, { token }: Person, room: number, text: string): Promise<{ id: number; seq: number }> {
  const answer = await site.ask('POST', `/v1/rooms/${room}/messages`, { token, body: { text } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}

/** Everything that was said before this has arrived, or never will: NATS keeps the order of one publisher. */
async function caughtUp(bot: Bot): Promise<void> {
  const beats = () => bot.heard.filter(({ json }) => json.type === 'beat').length;
  const before = beats();
  await until(() => expect(beats()).toBeGreaterThan(before + 1));
}

describe('[S6] a follower', () => {
  it('hears the rooms of its user, each on a subject of its own, in order, as events of the protocol', async () => {
    const site = await open();
    const [ann, bob] = [await site.join('ann'), await site.join('bob')];
    const [one, two] = [await makeRoom(site, ann, [bob]), await makeRoom(site, ann, [bob])];
    const theirs = await makeRoom(site, ann, []);
    await say(site, ann, one, 'before');
    const given = await credentials(site, bob);
    expect(given.rooms.map(({ id }) => id)).toEqual([one, two]);
    expect(Date.parse(given.expiresAt)).toBeGreaterThan(Date.now() + 800_000);
    const bot = await follow(given);
    for (let index = 0; index < 20; index += 1) await say(site, ann, index % 2 ? one : two, `said ${index}`);
    await say(site, ann, theirs, 'not for bob');
    const last = await say(site, ann, one, 'last');
    await until(() => expect(bot.texts(one).at(-1)).toBe('last'));
    expect(bot.texts(one)).toEqual([...Array.from({ length: 10 }, (_, index) => `said ${index * 2 + 1}`), 'last']);
    expect(bot.texts(two)).toEqual(Array.from({ length: 10 }, (_, index) => `said ${index * 2}`));
    const seqs = bot.heard.filter(({ json }) => json.stream === one && json.seq).map(({ json }) => json.seq);
    expect(seqs).toEqual(seqs.map((_, index) => seqs[0] + index));
    const told = bot.heard.find(({ json }) => json.id === last.id);
    expect(told?.subject).toBe(given.rooms[0]?.subject);
    expect(told?.json).toMatchObject({
      type: 'message.sent',
      stream: one,
      seq: last.seq,
      actor: ann.id,
      body: { text: 'last' },
    });
    await caughtUp(bot);
    expect(JSON.stringify(bot.heard)).not.toContain('not for bob');
    expect(bot.heard.at(-1)?.json).toMatchObject({ type: 'beat', cursors: { [one]: last.seq } });
    expect(bot.refused).toEqual([]);
  });

  it('hears nothing but what is its own: not of other followers, of nodes, or of NATS itself', async () => {
    const site = await open();
    const [ann, eve] = [await site.join('ann'), await site.join('eve')];
    const room = await makeRoom(site, ann, []);
    const [hers, given] = [await credentials(site, ann), await credentials(site, eve)];
    const annBot = await follow(hers);
    const epoch = given.epoch;
    const wanted = [
      '>',
      'natter.>',
      `natter.${epoch}.stream.${room}`,
      `natter.${epoch}.nodes`,
      '*.followers.>',
      '$SYS.>',
      '_INBOX.>',
    ];
    const bot = await follow(given, ...wanted, hers.subjects.rooms, hers.rooms[0]?.subject ?? '', hers.subjects.status);
    await until(() => expect(bot.refused).toHaveLength(wanted.length + 3));
    for (const refusal of bot.refused) expect(refusal).toMatch(/permissions violation/i);
    await say(site, ann, room, 'a secret');
    await until(() => expect(annBot.texts(room)).toEqual(['a secret']));
    await caughtUp(annBot);
    expect(bot.heard).toEqual([]);
  });

  it('can say nothing: neither to nodes nor to other followers', async () => {
    const site = await open();
    const [ann, eve] = [await site.join('ann'), await site.join('eve')];
    const room = await makeRoom(site, ann, []);
    const hers = await credentials(site, ann);
    const annBot = await follow(hers);
    const bot = await follow(await credentials(site, eve));
    const forged = JSON.stringify({ v: 1, type: 'message.sent', stream: room, seq: 2, body: { text: 'forged' } });
    const refused = (await metric(site, 'natter_bus_refused_total')) ?? 0;
    const wanted = [
      `natter.${hers.epoch}.stream.${room}`,
      `natter.${hers.epoch}.nodes`,
      hers.rooms[0]?.subject ?? '',
      'x',
    ];
    for (const subject of wanted) bot.connection.publish(subject, forged);
    await until(() => expect(bot.refused).toHaveLength(wanted.length));
    for (const refusal of bot.refused) expect(refusal).toMatch(/permissions violation for publish/i);
    await caughtUp(annBot);
    expect(annBot.heard.filter(({ json }) => !['beat', 'live'].includes(json.type))).toEqual([]);
    expect(await metric(site, 'natter_bus_refused_total')).toBe(refused);
  });

  it('[A1] hears of its removal and nothing after it, and of the room again once it is added again', async () => {
    const site = await open();
    const [ann, bob] = [await site.join('ann'), await site.join('bob')];
    const room = await makeRoom(site, ann, [bob]);
    const [bobs, anns] = [await follow(await credentials(site, bob)), await follow(await credentials(site, ann))];
    await say(site, ann, room, 'one');
    await site.ask('DELETE', `/v1/rooms/${room}/members/${bob.id}`, { token: ann.token });
    await say(site, ann, room, 'two');
    await until(() => expect(anns.texts(room)).toEqual(['one', 'two']));
    await caughtUp(bobs);
    expect(bobs.types(room).filter((type) => type !== 'live')).toEqual(['message.sent', 'member.removed', 'gone']);
    expect(bobs.heard.at(-1)?.json).toMatchObject({ type: 'beat', cursors: {} });
    const added = await site.ask('POST', `/v1/rooms/${room}/members`, { token: ann.token, body: { users: [bob.id] } });
    expect(added.status).toBeLessThan(300);
    await until(() => expect(bobs.types(room).at(-1)).toBe('live'));
    await say(site, ann, room, 'three');
    await until(() => expect(bobs.texts(room).at(-1)).toBe('three'));
    expect(bobs.texts(room)).not.toContain('two');
  });

  it('[A3] hears of what was before it joined only the place', async () => {
    const site = await open();
    const [ann, bob] = [await site.join('ann'), await site.join('bob')];
    const room = await makeRoom(site, ann, [], { history: 'joined' });
    const old = await say(site, ann, room, 'before bob');
    await site.ask('POST', `/v1/rooms/${room}/members`, { token: ann.token, body: { users: [bob.id] } });
    const bot = await follow(await credentials(site, bob));
    await site.ask('PATCH', `/v1/messages/${old.id}`, { token: ann.token, body: { text: 'still before bob' } });
    await say(site, ann, room, 'for bob');
    await until(() => expect(bot.texts(room)).toEqual(['for bob']));
    expect(bot.types(room)).toContain('hidden');
    expect(JSON.stringify(bot.heard)).not.toContain('before bob');
  });

  it('is told goodbye when its session ends, and hears nothing later; the token gets no other credentials', async () => {
    const site = await open();
    const [ann, bob] = [await site.join('ann'), await site.join('bob')];
    const room = await makeRoom(site, ann, [bob]);
    const again = await site.ask('POST', '/v1/sessions', { body: { name: 'bob', password: 'correct horse battery' } });
    const other = await follow(await credentials(site, { ...bob, token: again.body.accessToken }));
    const bot = await follow(await credentials(site, bob));
    expect((await site.ask('DELETE', `/v1/sessions/${bob.session}`, { token: bob.token })).status).toBe(200);
    await until(() => expect(bot.heard.at(-1)?.json).toMatchObject({ type: 'goodbye', code: 4003, reconnect: false }));
    const { length } = bot.heard;
    await say(site, ann, room, 'after the end');
    // Another session of the same user goes on.
    await until(() => expect(other.texts(room)).toEqual(['after the end']));
    await caughtUp(other);
    expect(bot.heard).toHaveLength(length);
    expect((await site.ask('POST', '/v1/nats/credentials', { token: bob.token, body: {} })).status).toBe(401);
  });

  it('is told goodbye when its account is deactivated', async () => {
    const site = await open();
    const [ann, bob] = [await site.join('ann'), await site.join('bob')];
    const room = await makeRoom(site, ann, [bob]);
    const bot = await follow(await credentials(site, bob));
    const ended = await site.ask('PUT', `/v1/users/${bob.id}/active`, { token: ann.token, body: { active: false } });
    expect(ended.status, JSON.stringify(ended.body)).toBe(200);
    await until(() => expect(bot.heard.at(-1)?.json).toMatchObject({ type: 'goodbye', code: 4003 }));
    await say(site, ann, room, 'later');
    expect(bot.texts(room)).toEqual([]);
  });

  it('is put out by NATS when its credentials end, not let in with them again, and forgotten by its node', async () => {
    const site = await open({ NATS_CREDENTIALS_SECONDS: '8' });
    const ann = await site.join('ann');
    const given = await credentials(site, ann);
    const bot = await follow(given);
    expect(site.app.hub.connectionsOf(ann.id)).toBe(1);
    await until(() => expect(bot.connection.isClosed()).toBe(true));
    const entering = async (): Promise<string> => {
      const authenticator = credsAuthenticator(Buffer.from(given.credentials ?? ''));
      const again = await connect({ servers: given.servers, authenticator, reconnect: false, timeout: 10_000 });
      await again.close();
      return 'let in';
    };
    // In the very second in which they end, NATS may still let in, to put out at once.
    await until(async () => {
      const told = await entering().catch((error: Error) => error.message);
      expect(told).toMatch(/expired|authorization violation/i);
    });
    await until(() => expect(site.app.hub.connectionsOf(ann.id)).toBe(0));
  });

  it('may keep its key to itself, and is refused one that is none', async () => {
    const site = await open();
    const ann = await site.join('ann');
    const room = await makeRoom(site, ann, []);
    const pair = createUser();
    const given = await credentials(site, ann, { publicKey: pair.getPublicKey() });
    expect(given).toMatchObject({ publicKey: pair.getPublicKey() });
    expect(given.seed ?? given.credentials).toBeUndefined();
    const connection = await connect({
      servers: given.servers,
      authenticator: jwtAuthenticator(given.jwt, pair.getSeed()),
      reconnect: false,
    });
    later(() => connection.close());
    const heard: string[] = [];
    connection.subscribe(`${given.rooms[0]?.subject}`, { callback: (_, message) => void heard.push(message.string()) });
    await connection.flush();
    await say(site, ann, room, 'hello');
    await until(() => expect(heard.join()).toContain('hello'));
    // The JWT alone, in other hands, opens nothing.
    const thief = connect({
      servers: given.servers,
      authenticator: jwtAuthenticator(given.jwt, createUser().getSeed()),
      reconnect: false,
    });
    await expect(thief).rejects.toThrow(/authorization violation/i);
    for (const publicKey of [
      '',
      'U',
      createAccount().getPublicKey(),
      pair.getPublicKey().replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      'U'.repeat(56),
      'U\0',
    ]) {
      const answer = await site.ask('POST', '/v1/nats/credentials', { token: ann.token, body: { publicKey } });
      expect(answer.status, publicKey).toBe(422);
    }
    expect((await site.ask('POST', '/v1/nats/credentials', { token: ann.token, body: { user: 1 } })).status).toBe(422);
    expect((await site.ask('POST', '/v1/nats/credentials', { body: {} })).status).toBe(401);
  });

  it('is one of the connections that a user may have', async () => {
    const site = await open({ SOCKETS_PER_USER_MAX: '2' });
    const ann = await site.join('ann');
    await credentials(site, ann);
    await credentials(site, ann);
    const third = await site.ask('POST', '/v1/nats/credentials', { token: ann.token, body: {} });
    expect(third.status).toBe(409);
    expect(third.body.code).toBe('limit_reached');
  });

  it('is sent to another node by one that stops', async () => {
    const site = await openSite(settings);
    const bot = await follow(await credentials(site, await site.join('ann')));
    await site.close();
    await until(() => expect(bot.heard.at(-1)?.json).toMatchObject({ type: 'goodbye', code: 1001, reconnect: true }));
  });

  it('hears what is committed on other nodes, and no more once its session was ended there', async () => {
    const database = await makePostgresDatabase();
    later(() => database.remove());
    const here = await open({ DATABASE_URL: database.url });
    const there = await open({ DATABASE_URL: database.url });
    const [ann, bob] = [await here.join('ann'), await here.join('bob')];
    const room = await makeRoom(here, ann, [bob]);
    const bot = await follow(await credentials(here, bob));
    await say(there, ann, room, 'from there');
    await until(() => expect(bot.texts(room)).toEqual(['from there']));
    await there.ask('DELETE', `/v1/sessions/${bob.session}`, { token: bob.token });
    await until(() => expect(bot.heard.at(-1)?.json).toMatchObject({ type: 'goodbye', code: 4003 }));
    await say(there, ann, room, 'later');
    expect(bot.texts(room)).toEqual(['from there']);
  });
});

describe('credentials for NATS', () => {
  it('are not given out by a server that was not set up for it, which says so', async () => {
    const site = await open({ NATS_SIGNING_SEED_FILE: '', NATS_ACCOUNT: '' });
    const { status, body } = await site.ask('POST', '/v1/nats/credentials', {
      token: (await site.join('ann')).token,
      body: {},
    });
    expect(status).toBe(501);
    expect(body.code).toBe('not_configured');
    expect(body.detail).toContain('NATS_SIGNING_SEED_FILE');
  });

  it('and what makes them are in no log', async () => {
    const site = await open({ LOG_LEVEL: 'trace' });
    const given = await credentials(site, await site.join('ann'));
    await site.ask('GET', '/v1/me');
    const secrets = [given.seed, given.jwt, readFileSync(settings.NATS_SIGNING_SEED_FILE as string, 'utf8').trim()];
    for (const secret of secrets) expect(site.logged()).not.toContain(secret);
    expect(site.logged()).toContain('/v1/nats/credentials');
  });

  it.each([
    ['is no seed', 'SAnothing'],
    ['is of a user', () => new TextDecoder().decode(createUser().getSeed())],
    ['is empty', ''],
  ])('stop a server from starting whose seed %s, in words that do not show it', async (_, content) => {
    const file = join(nats.folder, 'wrong.seed');
    const text = typeof content === 'string' ? content : content();
    writeFileSync(file, text);
    const starting = openSite({ ...settings, NATS_SIGNING_SEED_FILE: file });
    await expect(starting).rejects.toThrow(/NATS_SIGNING_SEED_FILE holds no seed of an account/);
    if (text) await expect(starting).rejects.not.toThrow(new RegExp(text));
  });

  it.each([
    ['another account', () => createAccount().getPublicKey()],
    ['none, beside a signing key', () => ''],
  ])('stop a server from starting that are for %s than the nodes’', async (_, account) => {
    const starting = openSite({ ...settings, NATS_ACCOUNT: account() });
    await expect(starting).rejects.toThrow(/NATS_ACCOUNT must be the account of the nodes/);
  });

  it('that somebody else signed open nothing', async () => {
    const site = await open();
    const given = await credentials(site, await site.join('ann'));
    const stranger = createAccount();
    const pair = createUser();
    const claims = {
      subject: pair.getPublicKey(),
      name: 'x',
      expires: 0,
      nats: { type: 'user' as const, issuer_account: settings.NATS_ACCOUNT },
    };
    const jwt = writeJwt(claims, stranger, Math.floor(Date.now() / 1_000));
    const entering = connect({
      servers: given.servers,
      authenticator: jwtAuthenticator(jwt, pair.getSeed()),
      reconnect: false,
    });
    await expect(entering).rejects.toThrow(/authorization violation/i);
    expect(readSeed(`${readFileSync(join(nats.folder, 'account.seed'), 'utf8').trim()}`, 'A')?.getPublicKey()).toBe(
      settings.NATS_ACCOUNT,
    );
  });
});

async function metric(site: Site, name: string): Promise<number | null> {
  const text = await (await fetch(`${site.url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}
