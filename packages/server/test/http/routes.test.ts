import {
  Account,
  AuditPage,
  MemberPage,
  MessageList,
  MessagePage,
  PinList,
  RoomList,
  RoomPage,
  SearchPage,
  SessionList,
  UserGroupPage,
  UserPage,
  VersionList,
} from '@natter/protocol';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSite, PASSWORD, type Person, type Site } from './site.js';

let site: Site;
let ada: Person;
let bob: Person;
let eve: Person;

beforeAll(async () => {
  site = await openSite();
  ada = await site.join('ada');
  bob = await site.join('bob');
  eve = await site.join('eve');
});
afterAll(() => site.close());

const as = (person: Person, body?: unknown, headers?: Record<string, string>) => ({
  token: person.token,
  body,
  ...(headers ? { headers } : {}),
});

async function makeRoom(owner: Person, body: Record<string, unknown>): Promise<number> {
  const made = await site.ask('POST', '/v1/rooms', as(owner, { kind: 'channel', ...body }));
  expect(made.status).toBe(201);
  return made.body.id;
}

async function send(person: Person, room: number, text: string, more: Record<string, unknown> = {}) {
  const sent = await site.ask('POST', `/v1/rooms/${room}/messages`, as(person, { text, ...more }));
  expect(sent.status).toBe(201);
  return sent.body;
}

describe('a first conversation over HTTP', () => {
  it('registers, makes a room, sends, answers, reads', async () => {
    const made = await site.ask(
      'POST',
      '/v1/rooms',
      as(ada, { kind: 'channel', name: 'kitchen', visibility: 'public' }),
    );
    expect(made.status).toBe(201);
    const room = made.body.id;
    expect(made.headers.get('location')).toBe(`/v1/rooms/${room}`);
    expect(made.body).toMatchObject({ name: 'kitchen', role: 'owner', member: true, memberCount: 1, unread: 0 });

    expect((await site.ask('PUT', `/v1/rooms/${room}/members/me`, as(bob))).status).toBe(200);
    const sent = await site.ask('POST', `/v1/rooms/${room}/messages`, as(ada, { text: 'hello @bob' }));
    expect(sent.status).toBe(201);
    expect(sent.headers.get('location')).toBe(`/v1/messages/${sent.body.id}`);
    expect(sent.body).toMatchObject({ room, author: ada.id, text: 'hello @bob', mentions: { users: [bob.id] } });

    const rooms = await site.ask('GET', '/v1/rooms', as(bob));
    expect(rooms.body.rooms).toMatchObject([{ id: room, unread: 1, mentions: 1 }]);
    expect((await site.ask('PUT', `/v1/rooms/${room}/read`, as(bob, { seq: sent.body.seq }))).status).toBe(200);
    expect((await site.ask('GET', `/v1/rooms/${room}`, as(bob))).body).toMatchObject({ unread: 0, mentions: 0 });

    const page = await site.ask('GET', `/v1/rooms/${room}/messages`, as(bob));
    expect(page.body.messages).toHaveLength(1);
    expect(page.body.users[ada.id]).toEqual({ name: 'ada', fullName: '' });
    expect((await site.ask('GET', `/v1/messages/${sent.body.id}/readers`, as(ada))).body.readers).toEqual([bob.id]);
    expect((await site.ask('GET', '/v1/me/mentions', as(bob))).body.messages).toMatchObject([{ id: sent.body.id }]);
  });
});

describe('rooms', () => {
  it('[A2] a room that one is not in answers on every route as one that does not exist', async () => {
    const room = await makeRoom(ada, { name: 'den' });
    const message = await send(ada, room, 'nobody hears this');
    const asked: [string, string, unknown?][] = [
      ['GET', `/v1/rooms/${room}`],
      ['PATCH', `/v1/rooms/${room}`, { topic: 'x' }],
      ['DELETE', `/v1/rooms/${room}`],
      ['PUT', `/v1/rooms/${room}/archived`, { archived: true }],
      ['PUT', `/v1/rooms/${room}/read`, { seq: 1 }],
      ['PUT', `/v1/rooms/${room}/unread`, { seq: 1 }],
      ['GET', `/v1/rooms/${room}/members`],
      ['POST', `/v1/rooms/${room}/members`, { users: [eve.id] }],
      ['PUT', `/v1/rooms/${room}/members/me`],
      ['DELETE', `/v1/rooms/${room}/members/me`],
      ['PATCH', `/v1/rooms/${room}/members/${ada.id}`, { role: 'member' }],
      ['DELETE', `/v1/rooms/${room}/members/${ada.id}`],
      ['GET', `/v1/rooms/${room}/messages`],
      ['POST', `/v1/rooms/${room}/messages`, { text: 'hi' }],
      ['GET', `/v1/rooms/${room}/pins`],
      ['GET', `/v1/messages/${message.id}`],
      ['PATCH', `/v1/messages/${message.id}`, { text: 'x' }],
      ['DELETE', `/v1/messages/${message.id}`],
      ['GET', `/v1/messages/${message.id}/thread`],
      ['GET', `/v1/messages/${message.id}/versions`],
      ['GET', `/v1/messages/${message.id}/readers`],
      ['PUT', `/v1/messages/${message.id}/reactions/👍`],
      ['DELETE', `/v1/messages/${message.id}/reactions/👍`],
      ['PUT', `/v1/messages/${message.id}/pin`],
      ['DELETE', `/v1/messages/${message.id}/pin`],
      ['GET', `/v1/audit?room=${room}`],
    ];
    for (const [method, path, body] of asked) {
      const there = await site.ask(method, path, as(eve, body));
      const nowhere = await site.ask(
        method,
        path.replace(/\/(rooms|messages)\/\d+/, '/$1/999999').replace(/room=\d+/, 'room=999999'),
        as(eve, body),
      );
      expect([method, path, there.status, there.body]).toEqual([method, path, 404, nowhere.body]);
    }
    expect((await site.ask('GET', '/v1/search/rooms?q=den', as(eve))).body.rooms).toEqual([]);
    expect((await site.ask('GET', '/v1/search/rooms?q=den', as(ada))).body.rooms).toMatchObject([{ id: room }]);
  });

  it('a direct room is one for each pair', async () => {
    const first = await site.ask('POST', '/v1/directs', as(ada, { user: eve.id }));
    const second = await site.ask('POST', '/v1/directs', as(eve, { user: ada.id }));
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toMatchObject({ id: first.body.id, kind: 'direct', peer: ada.id });
    const { rooms, users } = (await site.ask('GET', '/v1/rooms', as(eve))).body;
    expect(rooms.some((room: { peer: number }) => room.peer === ada.id)).toBe(true);
    expect(users[ada.id].name).toBe('ada');
  });

  it('are found by what their name holds, and by a name spelt nearly so', async () => {
    const room = await makeRoom(ada, { name: 'Gardening', topic: 'roses', visibility: 'public' });
    const find = async (q: string) =>
      (await site.ask('GET', `/v1/search/rooms?q=${encodeURIComponent(q)}`, as(eve))).body.rooms.map(
        (found: { id: number }) => found.id,
      );
    expect(await find('garden')).toContain(room);
    expect(await find('ROSES')).toContain(room);
    expect(await find('gardning')).toContain(room);
    expect(await find('gradening')).toContain(room);
    expect(await find('plumbing')).not.toContain(room);
    expect(await find('%')).not.toContain(room);
  });

  it('members come and go, and roles are given by the owner', async () => {
    const room = await makeRoom(ada, { name: 'crew', members: [bob.id] });
    expect((await site.ask('POST', `/v1/rooms/${room}/members`, as(bob, { users: [eve.id] }))).status).toBe(403);
    expect((await site.ask('PATCH', `/v1/rooms/${room}/members/${bob.id}`, as(ada, { role: 'admin' }))).status).toBe(
      200,
    );
    expect((await site.ask('POST', `/v1/rooms/${room}/members`, as(bob, { users: [eve.id] }))).status).toBe(200);
    const { body } = await site.ask('GET', `/v1/rooms/${room}/members?limit=2`, as(eve));
    expect(body.members.map((member: { role: string }) => member.role)).toEqual(['owner', 'admin']);
    const next = await site.ask('GET', `/v1/rooms/${room}/members?limit=2&after=${body.next}`, as(eve));
    expect(next.body).toMatchObject({ members: [{ user: { id: eve.id } }], next: null });
    expect((await site.ask('DELETE', `/v1/rooms/${room}/members/${eve.id}`, as(bob))).status).toBe(200);
    expect((await site.ask('GET', `/v1/rooms/${room}`, as(eve))).status).toBe(404);
    const audit = await site.ask('GET', `/v1/audit?room=${room}`, as(ada));
    expect(audit.body.rows.map((row: { action: string }) => row.action)).toEqual([
      'member.removed',
      'member.joined',
      'member.changed',
    ]);
    expect((await site.ask('GET', `/v1/audit?room=${room}`, as(bob))).status).toBe(403);
  });
});

describe('messages', () => {
  it('are paged by seq both ways and around one, and every page knows its neighbours', async () => {
    const room = await makeRoom(ada, { name: 'pages' });
    const seqs: number[] = [];
    for (let i = 0; i < 25; i += 1) seqs.push((await send(ada, room, `m${i}`)).seq);
    const page = async (query: string) => (await site.ask('GET', `/v1/rooms/${room}/messages?${query}`, as(ada))).body;
    const seqsOf = (body: { messages: { seq: number }[] }) => body.messages.map((message) => message.seq);

    for (const limit of [1, 2, 7, 25, 100]) {
      const back: number[] = [];
      for (let before = ''; ; ) {
        const body = await page(`limit=${limit}${before}`);
        back.unshift(...seqsOf(body));
        if (body.before === null) break;
        before = `&before=${body.before}`;
      }
      const forth: number[] = [];
      for (let after = 0; ; ) {
        const body = await page(`limit=${limit}&after=${after}`);
        forth.push(...seqsOf(body));
        if (body.after === null) break;
        after = body.after;
      }
      expect([limit, back, forth]).toEqual([limit, seqs, seqs]);
    }
    const middle = await page(`limit=6&around=${seqs[12]}`);
    expect(seqsOf(middle)).toEqual(seqs.slice(9, 15));
    expect([middle.before, middle.after]).toEqual([seqs[9], seqs[14]]);
    const newest = await page('limit=3');
    expect([seqsOf(newest), newest.after, newest.head]).toEqual([seqs.slice(-3), null, seqs.at(-1)]);
    expect(await page('after=1000000')).toMatchObject({ messages: [], before: 1_000_001, after: null });
    expect(await page('before=0')).toMatchObject({ messages: [], before: null, after: 0 });
  });

  it('are found by time: the first one of that time or later, with those around it', async () => {
    const room = await makeRoom(ada, { name: 'minutes', visibility: 'public', history: 'joined' });
    const sent: { seq: number; at: string }[] = [];
    for (let minute = 0; minute < 9; minute += 1) {
      site.clock.ahead = minute * 60_000;
      if (minute === 4) await site.ask('PUT', `/v1/rooms/${room}/members/me`, as(bob));
      sent.push(await send(ada, room, `minute ${minute}`));
    }
    const at = async (instant: string, who: Person, size = 1) => {
      const { body } = await site.ask('GET', `/v1/rooms/${room}/messages?limit=${size}&at=${instant}`, as(who));
      return body.messages.map((message: { seq: number }) => message.seq);
    };
    for (const [index, { at: time, seq }] of sent.entries()) {
      expect(await at(time, ada)).toEqual([seq]);
      expect(await at(new Date(Date.parse(time) - 1).toISOString(), ada)).toEqual([seq]);
      expect(await at(new Date(Date.parse(time) + 1).toISOString(), ada)).toEqual(
        sent.slice(index + 1, index + 2).map(({ seq: next }) => next),
      );
      // Nothing from before joining, whatever time is named [A3].
      expect(await at(time, bob)).toEqual([sent[Math.max(index, 4)]?.seq]);
    }
    expect(await at(sent[4]?.at ?? '', ada, 4)).toEqual(sent.slice(2, 6).map(({ seq }) => seq));
    site.clock.ahead = 0;
    expect((await site.ask('GET', `/v1/rooms/${room}/messages?at=yesterday`, as(ada))).status).toBe(422);
    expect((await site.ask('GET', `/v1/rooms/${room}/messages?at=${sent[0]?.at}&around=1`, as(ada))).status).toBe(422);
  });

  it('[A3] nothing from before joining is read where history is hidden', async () => {
    const room = await makeRoom(ada, { name: 'late', visibility: 'public', history: 'joined' });
    const early = await send(ada, room, 'before @all');
    await site.ask('PUT', `/v1/rooms/${room}/members/me`, as(bob));
    const late = await send(ada, room, 'after @all', { replyTo: early.id });
    const { body } = await site.ask('GET', `/v1/rooms/${room}/messages?around=${early.seq}`, as(bob));
    expect(body.messages.map((message: { id: number }) => message.id)).toEqual([late.id]);
    expect(body.before).toBeNull();
    for (const path of ['', '/thread', '/versions', '/readers']) {
      expect((await site.ask('GET', `/v1/messages/${early.id}${path}`, as(bob))).status).toBe(404);
    }
    expect((await site.ask('GET', `/v1/messages/${late.id}/thread`, as(bob))).body.messages).toMatchObject([
      { id: late.id },
    ]);
    const mentions = (await site.ask('GET', '/v1/me/mentions', as(bob))).body.messages;
    expect(mentions.map((message: { id: number }) => message.id)).not.toContain(early.id);
    expect((await site.ask('GET', `/v1/messages/${early.id}/readers`, as(ada))).body.readers).toEqual([]);
  });

  it('keep what they said before an edit, and [L6] nothing of it once they are deleted', async () => {
    const room = await makeRoom(ada, { name: 'edits', members: [bob.id] });
    const message = await send(ada, room, 'first');
    await site.ask('PATCH', `/v1/messages/${message.id}`, as(ada, { text: 'second' }));
    const edited = await site.ask('PATCH', `/v1/messages/${message.id}`, as(ada, { text: 'third' }));
    expect(edited.body).toMatchObject({ text: 'third', editedAt: expect.any(String) });
    const versions = await site.ask('GET', `/v1/messages/${message.id}/versions`, as(bob));
    expect(versions.body.versions.map((version: { text: string }) => version.text)).toEqual([
      'first',
      'second',
      'third',
    ]);
    expect(versions.body.versions[0].at).toBe(message.at);
    expect((await site.ask('PATCH', `/v1/messages/${message.id}`, as(bob, { text: 'mine' }))).status).toBe(403);
    expect((await site.ask('DELETE', `/v1/messages/${message.id}`, as(bob))).status).toBe(403);
    expect((await site.ask('DELETE', `/v1/messages/${message.id}`, as(ada))).status).toBe(200);
    const gone = await site.ask('GET', `/v1/messages/${message.id}`, as(bob));
    expect(gone.body).toMatchObject({ text: '', deletedAt: expect.any(String) });
    expect((await site.ask('GET', `/v1/messages/${message.id}/versions`, as(bob))).body.versions).toMatchObject([
      { text: '' },
    ]);
  });

  it('are answered in threads, get reactions, and are pinned', async () => {
    const room = await makeRoom(ada, { name: 'threads', members: [bob.id] });
    const root = await send(ada, room, 'question');
    const one = await send(bob, room, 'answer', { replyTo: root.id });
    const two = await send(ada, room, 'thanks', { replyTo: one.id });
    const thread = await site.ask('GET', `/v1/messages/${root.id}/thread`, as(bob));
    expect(thread.body.messages.map((message: { id: number }) => message.id)).toEqual([one.id, two.id]);
    const path = `/v1/messages/${root.id}/reactions/${encodeURIComponent('👍🏽')}`;
    expect((await site.ask('PUT', path, as(bob))).status).toBe(200);
    expect((await site.ask('PUT', path, as(bob))).body).toMatchObject({ unchanged: true });
    expect((await site.ask('PUT', path, as(ada))).status).toBe(200);
    expect((await site.ask('PUT', `/v1/messages/${root.id}/pin`, as(ada))).status).toBe(200);
    const { body } = await site.ask('GET', `/v1/messages/${root.id}`, as(bob));
    expect(body).toMatchObject({
      replyCount: 2,
      pinned: true,
      reactions: [{ emoji: '👍🏽', users: [bob.id, ada.id] }],
    });
    const pins = await site.ask('GET', `/v1/rooms/${room}/pins`, as(bob));
    expect(pins.body.pins).toMatchObject([{ message: { id: root.id }, by: ada.id }]);
    expect((await site.ask('DELETE', path, as(bob))).status).toBe(200);
    expect((await site.ask('DELETE', `/v1/messages/${root.id}/pin`, as(ada))).status).toBe(200);
    const after = await site.ask('GET', `/v1/messages/${root.id}`, as(bob));
    expect(after.body).toMatchObject({ pinned: false, reactions: [{ users: [ada.id] }] });
  });

  it('[L3] sent again with the same key are answered again, and not sent again', async () => {
    const room = await makeRoom(ada, { name: 'keys' });
    const again = () =>
      site.ask('POST', `/v1/rooms/${room}/messages`, as(ada, { text: 'once' }, { 'idempotency-key': 'k-1' }));
    const answers = await Promise.all([again(), again(), again()]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(2);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    const other = await site.ask(
      'POST',
      `/v1/rooms/${room}/messages`,
      as(ada, { text: 'other' }, { 'idempotency-key': 'k-1' }),
    );
    expect([other.status, other.body.code]).toEqual([409, 'key_conflict']);
    const bad = await site.ask(
      'POST',
      `/v1/rooms/${room}/messages`,
      as(ada, { text: 'x' }, { 'idempotency-key': 'a b' }),
    );
    expect([bad.status, bad.body.code]).toEqual([422, 'invalid']);
    const page = await site.ask('GET', `/v1/rooms/${room}/messages`, as(ada));
    expect(page.body.messages).toHaveLength(1);
  });

  it('are searched, in one’s own rooms alone', async () => {
    const room = await makeRoom(ada, { name: 'searched', members: [bob.id] });
    const message = await send(ada, room, 'the zebra crossing');
    await site.app.parts.search.settled();
    const found = await site.ask('GET', '/v1/search/messages?q=zebra', as(bob));
    expect(found.body.hits).toMatchObject([{ message: { id: message.id }, match: 'word', ranges: [[4, 9]] }]);
    expect(found.body.users[ada.id].name).toBe('ada');
    expect((await site.ask('GET', '/v1/search/messages?q=zebra', as(eve))).body.hits).toEqual([]);
    const later = await site.ask('GET', `/v1/search/messages?q=zebra&before=${message.at}`, as(bob));
    expect(later.body.hits).toEqual([]);
  });
});

describe('people', () => {
  it('are found by parts of their names and by names spelt nearly so; addresses are for admins', async () => {
    await site.ask('PATCH', '/v1/me', as(eve, { fullName: 'Éva Łąkowska', email: 'eve@example.org' }));
    const find = async (q: string, person = bob) =>
      (await site.ask('GET', `/v1/users?q=${encodeURIComponent(q)}`, as(person))).body.users;
    const names = async (q: string) => (await find(q)).map((user: { name: string }) => user.name);
    expect(await names('eve')).toEqual(['eve']);
    expect(await names('EV')).toEqual(['eve']);
    expect(await names('łąkow')).toEqual(['eve']);
    expect(await names('éva')).toEqual(['eve']);
    expect(await names('Łąkovska')).toEqual(['eve']);
    expect(await names('_')).toEqual([]);
    expect((await find('eve'))[0]).not.toHaveProperty('email');
    expect((await find('eve', ada))[0]).toMatchObject({ email: 'eve@example.org' });
    const some = await site.ask('GET', `/v1/users?ids=${eve.id},${ada.id},999999`, as(bob));
    expect(some.body.users.map((user: { name: string }) => user.name)).toEqual(['ada', 'eve']);
  });

  it('of a room that one is in come first, and are told from the others', async () => {
    const people = [];
    for (const name of ['nell_a', 'nell_b', 'nell_c', 'nell']) people.push(await site.join(name));
    const [, inside, , owner] = people as [typeof ada, typeof ada, typeof ada, typeof ada];
    const { body: room } = await site.ask(
      'POST',
      '/v1/rooms',
      as(owner, { kind: 'group', name: 'nells', members: [inside.id] }),
    );
    const ask = async (query: string, person = owner) => {
      const { status, body } = await site.ask('GET', `/v1/users?room=${room.id}${query}`, as(person));
      return { status, names: body.users?.map((user: { name: string }) => user.name), members: body.members };
    };
    // The name itself is the best match, but for those who are in the room.
    const all = ['nell', 'nell_b', 'nell_a', 'nell_c'];
    const members = [inside.id, owner.id].sort((a, b) => a - b);
    expect(await ask('&q=nell')).toEqual({ status: 200, names: all, members });
    // Before those whose names are merely spelt nearly so.
    expect((await ask('&q=nell_c')).names[0]).toBe('nell_c');
    expect(await ask('&q=nell_c&limit=1')).toMatchObject({ names: ['nell_c'], members: [] });
    expect((await ask('&q=nell&limit=1', inside)).names).toEqual(['nell']);
    expect(await ask('&limit=3')).toEqual({ status: 200, names: ['nell_b', 'nell', 'ada'], members });
    expect((await ask('&limit=1')).names).toEqual(['nell_b']);
    expect(await ask(`&ids=${ada.id},${owner.id}`)).toMatchObject({ names: ['ada', 'nell'], members: [owner.id] });
    expect(await ask('&q=nobody_at_all')).toEqual({ status: 200, names: [], members: [] });
    // [A1] Who is in a room is told to those in it.
    expect((await ask('&q=nell', ada)).status).toBe(404);
    expect((await site.ask('GET', '/v1/users?room=0', as(owner))).status).toBe(422);
    expect((await site.ask('GET', '/v1/users?q=nell', as(owner))).body).not.toHaveProperty('members');
  });

  it('change their own profile; [A4] what is done to others needs the role admin', async () => {
    const mallory = await site.join('mallory');
    const changed = await site.ask('PATCH', '/v1/me', as(mallory, { fullName: 'M', about: 'hello' }));
    expect(changed.body).toMatchObject({ fullName: 'M', about: 'hello', role: 'user' });
    const raised = await site.ask('PATCH', '/v1/me', as(mallory, { role: 'admin' }));
    expect([raised.status, raised.body.fields]).toEqual([422, [{ path: '/role', message: 'is not known here' }]]);
    for (const [method, path, body] of [
      ['PUT', `/v1/users/${bob.id}/role`, { role: 'admin' }],
      ['PUT', `/v1/users/${mallory.id}/role`, { role: 'admin' }],
      ['PUT', `/v1/users/${bob.id}/active`, { active: false }],
      ['PUT', `/v1/users/${bob.id}/verified`, { verified: true }],
      ['DELETE', `/v1/users/${bob.id}`, undefined],
      ['GET', '/v1/audit', undefined],
    ] as const) {
      expect([path, (await site.ask(method, path, as(mallory, body))).status]).toEqual([path, 403]);
    }
    expect((await site.ask('DELETE', `/v1/users/${bob.id}/sessions`, as(mallory))).status).toBe(404);
    expect((await site.ask('GET', `/v1/users/${bob.id}/sessions`, as(mallory))).status).toBe(404);

    expect((await site.ask('PUT', `/v1/users/${mallory.id}/verified`, as(ada, { verified: true }))).status).toBe(200);
    expect((await site.ask('PUT', `/v1/users/${mallory.id}/active`, as(ada, { active: false }))).status).toBe(200);
    expect((await site.ask('GET', '/v1/me', as(mallory))).status).toBe(401);
    expect((await site.ask('PUT', `/v1/users/${mallory.id}/active`, as(ada, { active: true }))).status).toBe(200);
    const back = await site.ask('POST', '/v1/sessions', { body: { name: 'mallory', password: PASSWORD } });
    expect(back.body.user).toMatchObject({ verified: true, status: 'active' });
    expect((await site.ask('DELETE', `/v1/users/${mallory.id}`, as(ada))).status).toBe(200);
    const deleted = await site.ask('GET', `/v1/users/${mallory.id}`, as(bob));
    expect(deleted.body).toMatchObject({ name: `deleted-${mallory.id}`, fullName: 'Deleted User', status: 'deleted' });
    const audit = await site.ask('GET', '/v1/audit', as(ada));
    expect(audit.body.rows[0]).toMatchObject({ action: 'user.deleted', actor: ada.id, stream: mallory.id });
  });

  it('gather in user groups', async () => {
    const made = await site.ask('POST', '/v1/usergroups', as(ada, { name: 'cooks', members: [bob.id] }));
    expect(made.status).toBe(201);
    const path = `/v1/usergroups/${made.body.id}`;
    expect((await site.ask('POST', `${path}/members`, as(eve, { users: [eve.id] }))).status).toBe(403);
    expect((await site.ask('POST', `${path}/members`, as(ada, { users: [eve.id] }))).status).toBe(200);
    expect((await site.ask('DELETE', `${path}/members/${bob.id}`, as(ada))).status).toBe(200);
    expect((await site.ask('GET', path, as(bob))).body).toMatchObject({ name: 'cooks', members: [eve.id] });
    expect((await site.ask('PATCH', path, as(ada, { name: 'Köche' }))).body.name).toBe('Köche');
    expect((await site.ask('GET', '/v1/usergroups', as(bob))).body.usergroups).toHaveLength(1);
    const room = await makeRoom(ada, { name: 'stove', usergroups: [made.body.id] });
    expect((await site.ask('GET', `/v1/rooms/${room}`, as(eve))).body).toMatchObject({ member: true });
    expect((await site.ask('DELETE', path, as(ada))).status).toBe(200);
    expect((await site.ask('GET', path, as(bob))).status).toBe(404);
  });

  it('are found in user groups by a part of the name, whatever its letters, and by nobody who is not logged in', async () => {
    const make = async (name: string) =>
      (await site.ask('POST', '/v1/usergroups', as(ada, { name, members: [bob.id] }))).body.id;
    for (const name of ['Night-Bakers', 'bakery', 'bakers', 'plumbers']) await make(name);
    const found = async (q: string, more = '') => {
      const { status, body } = await site.ask('GET', `/v1/usergroups?q=${encodeURIComponent(q)}${more}`, as(eve));
      expect([q, status]).toEqual([q, 200]);
      return body.usergroups.map(({ name }: { name: string }) => name);
    };
    // The very name first, then those that begin so, then those that hold it.
    expect(await found('bakers')).toEqual(['bakers', 'Night-Bakers']);
    expect(await found('BAKER')).toEqual(['bakers', 'bakery', 'Night-Bakers']);
    expect(await found('baker', '&limit=2')).toEqual(['bakers', 'bakery']);
    for (const none of ['%', '_', '\\', 'b_kers', 'no such']) expect(await found(none)).toEqual([]);
    // Nothing wanted is all of them.
    expect(await found('  ')).toHaveLength(4 + (await found('shapers')).length);
    // A name that a group had is no name of it any more, and one that is gone is not found.
    const renamed = await make('tilers');
    await site.ask('PATCH', `/v1/usergroups/${renamed}`, as(ada, { name: 'roofers' }));
    expect(await found('tilers')).toEqual([]);
    expect(await found('roof')).toEqual(['roofers']);
    await site.ask('DELETE', `/v1/usergroups/${renamed}`, as(ada));
    expect(await found('roof')).toEqual([]);
    expect((await site.ask('GET', '/v1/usergroups?q=bakers')).status).toBe(401);
    for (const none of ['%00', 'x'.repeat(201)]) {
      expect((await site.ask('GET', `/v1/usergroups?q=${none}`, as(eve))).status).toBe(422);
    }
  });
});

describe('answers', () => {
  it('have the shapes that are promised', async () => {
    const room = await makeRoom(ada, { name: 'shapes', members: [bob.id] });
    const message = await send(bob, room, 'well @all');
    await site.ask('PATCH', `/v1/messages/${message.id}`, as(bob, { text: 'well, well @all' }));
    await site.ask('PUT', `/v1/messages/${message.id}/pin`, as(ada));
    await site.ask('PUT', `/v1/messages/${message.id}/reactions/ok`, as(ada));
    await site.ask('POST', '/v1/usergroups', as(ada, { name: 'shapers', members: [bob.id] }));
    await site.app.parts.search.settled();
    const promised = {
      '/v1/me': Account,
      '/v1/sessions': SessionList,
      '/v1/users': UserPage,
      '/v1/users?q=bob': UserPage,
      '/v1/rooms': RoomList,
      '/v1/search/rooms': RoomPage,
      '/v1/search/messages?q=well': SearchPage,
      [`/v1/rooms/${room}/members`]: MemberPage,
      [`/v1/rooms/${room}/messages`]: MessagePage,
      [`/v1/rooms/${room}/pins`]: PinList,
      [`/v1/messages/${message.id}/versions`]: VersionList,
      '/v1/me/mentions': MessageList,
      '/v1/usergroups': UserGroupPage,
      '/v1/usergroups?q=shape': UserGroupPage,
      '/v1/audit': AuditPage,
    };
    for (const [path, schema] of Object.entries(promised)) {
      const { body, status } = await site.ask('GET', path, as(ada));
      const validator = Compile(schema);
      expect([path, status, [...validator.Errors(body)]]).toEqual([path, 200, []]);
      const list = Object.values(body).find((value) => Array.isArray(value)) as unknown[] | undefined;
      expect([path, list?.length]).not.toEqual([path, path === '/v1/me/mentions' ? -1 : 0]);
    }
  });
});
