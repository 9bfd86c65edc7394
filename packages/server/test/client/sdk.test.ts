/** The SDK against the whole server: what the one says the other understands, over links that break and a server that stops. */
import type { NatterClient, NatterError, Timeline } from '@natter/client';
import { applyEvent, emptyRoom } from '@natter/client/reducer';
import { savedOutbox } from '@natter/client/saved-outbox';
import { memoryStorage } from '@natter/client/storage';
import type { Event, Message } from '@natter/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, TestServer } from './server.js';

let server: TestServer;
let ada: Person;
let bob: Person;

/** Everything that a client hears of its rooms, by room. */
function listen(client: NatterClient): Map<number, Event[]> {
  const heard = new Map<number, Event[]>();
  client.on('event', (event) => {
    heard.set(event.stream, [...(heard.get(event.stream) ?? []), event]);
  });
  return heard;
}

/** Reactions stand in the order in which they were heard of, which a page need not have. */
const plain = (messages: readonly Message[]) =>
  messages.map((message) => ({
    ...message,
    reactions: message.reactions.map(({ emoji, users }) => `${emoji} ${[...users].sort()}`).sort(),
  }));

async function wholeOf(timeline: Timeline): Promise<void> {
  while (timeline.getSnapshot().older) await timeline.older(200);
}

/** The same random numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

beforeAll(async () => {
  server = await TestServer.open();
  ada = await server.join('ada');
  bob = await server.join('bob');
});

afterAll(async () => {
  await server.close();
});

describe('two people', () => {
  it('talk, and each has what the other said', async () => {
    await Promise.all([ada.client.connect(), bob.client.connect()]);
    const room = await ada.api.openDirect(bob.id);
    const [mine, theirs] = [ada.client.timeline(room.id), bob.client.timeline(room.id)];
    await Promise.all([mine.load(), theirs.load()]);
    mine.send('hello @bob');
    await theirs.until(({ messages }) => messages.length === 1);
    await eventually('the row', () => bob.client.rooms.get(room.id)?.unread === 1);
    expect(bob.client.rooms.get(room.id)).toMatchObject({ mentions: 1, kind: 'direct', peer: ada.id });
    const [hello] = theirs.getSnapshot().messages;
    theirs.send('hello yourself', hello?.id);
    await mine.until(({ messages, pending }) => messages.length === 2 && pending.length === 0);
    expect(mine.getSnapshot().messages).toMatchObject([
      { text: 'hello @bob', replyCount: 1, mentions: { users: [bob.id] } },
      { text: 'hello yourself', replyTo: hello?.id, thread: hello?.id },
    ]);
    // What bob sends, he has read up to; his own device hears of it by itself, not together with ada's.
    await eventually('the row is read', () => bob.client.rooms.get(room.id)?.unread === 0);
    expect(bob.client.rooms.get(room.id)).toMatchObject({ mentions: 0 });
    bob.client.people.get(ada.id);
    const names = await bob.client.people.view.until((known) => known.has(ada.id));
    expect(names.get(ada.id)).toEqual({ name: 'ada', fullName: '' });
  });

  it('see each other typing and online', async () => {
    const { id } = await ada.api.openDirect(bob.id);
    const typing = bob.client.next('typing', ({ room }) => room === id);
    ada.client.typing(id);
    expect(await typing).toMatchObject({ user: ada.id, active: true });
    const carol = await server.join('carol');
    ada.client.watchPresence([carol.id]);
    const online = ada.client.next('presence', ({ users }) =>
      users.some(({ user, online }) => user === carol.id && online),
    );
    await carol.client.connect();
    await online;
    const offline = ada.client.next('presence', ({ users }) =>
      users.some(({ user, online }) => user === carol.id && !online),
    );
    carol.client.close();
    await offline;
  });

  it('are refused with the code and the field that is wrong', async () => {
    const { id } = await ada.api.openDirect(bob.id);
    const text = '😀'.repeat(10_001);
    const error = await ada.client.send('message.send', { room: id, text }).catch((thrown: NatterError) => thrown);
    expect(error).toMatchObject({ code: 'invalid', retryable: false, fields: [{ path: '/text' }] });
    expect(ada.client.outbox.view.getSnapshot()).toMatchObject([{ state: { is: 'failed' } }]);
    for (const { key } of ada.client.outbox.view.getSnapshot()) ada.client.outbox.cancel(key);
    await expect(ada.client.send('room.archive', { room: 999_999 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(ada.client.send('message.send', { room: id, text: '\ud800' })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(ada.client.send('message.send', { room: id, text: 'x'.repeat(70_000) })).rejects.toMatchObject({
      code: 'too_large',
    });
    expect(ada.client.connection.getSnapshot().state).toBe('live');
    for (const { key } of ada.client.outbox.view.getSnapshot()) ada.client.outbox.cancel(key);
  });
});

describe('a room', () => {
  it('[A1] goes when one is removed from it, and comes back when one is added', async () => {
    const room = await ada.api.createRoom({ kind: 'group', name: 'in and out', members: [bob.id] });
    const timeline = bob.client.timeline(room.id);
    await timeline.load();
    const gone = bob.client.next('gone', ({ stream }) => stream === room.id);
    await ada.api.removeMember(room.id, bob.id);
    await gone;
    expect(bob.client.rooms.get(room.id)).toBeUndefined();
    await ada.client.send('message.send', { room: room.id, text: 'he is away' });
    await ada.api.addMembers(room.id, { users: [bob.id] });
    await timeline.until(({ messages, gone: left }) => !left && messages.length === 1);
    await eventually('the row', () => bob.client.rooms.get(room.id)?.memberCount === 2);
  });

  it('[A3] with hidden history shows a newcomer nothing from before, and keeps the places', async () => {
    const room = await ada.api.createRoom({ kind: 'channel', name: 'hidden', visibility: 'public', history: 'joined' });
    const before = await ada.api.sendMessage(room.id, { text: 'before' });
    await bob.api.join(room.id);
    await eventually('the row', () => bob.client.rooms.get(room.id) !== undefined);
    const timeline = bob.client.timeline(room.id);
    await timeline.load();
    const hidden = bob.client.next('hidden', ({ stream }) => stream === room.id);
    await ada.api.editMessage(before.id, 'edited');
    await hidden;
    await ada.api.sendMessage(room.id, { text: 'after' });
    await timeline.until(({ messages }) => messages.length === 1);
    expect(timeline.getSnapshot()).toMatchObject({ older: false, messages: [{ text: 'after' }] });
    server.cut();
    await ada.api.editMessage(before.id, 'edited again');
    await ada.api.sendMessage(room.id, { text: 'and on' });
    await timeline.until(({ messages }) => messages.length === 2);
  });

  it('[M1][M3][M4] has the counts that the server has, whatever is read, unread, edited and deleted', async () => {
    const roll = dice(7);
    const room = await ada.api.createRoom({ kind: 'group', name: 'counts', members: [bob.id] });
    await eventually('the row', () => bob.client.rooms.get(room.id) !== undefined);
    const sent: number[] = [];
    for (let turn = 0; turn < 120; turn += 1) {
      const head = ada.client.rooms.get(room.id)?.head ?? 1;
      const some = sent[roll(sent.length)];
      const text = ['plain', 'to @bob', 'to @room'][roll(3)] as string;
      switch (roll(8)) {
        case 0:
          await bob.client.send('read.move', { room: room.id, seq: Math.max(1, head - roll(4)) });
          break;
        case 1:
          await bob.client.send('read.unmark', { room: room.id, seq: 1 + roll(head) });
          break;
        case 2:
          if (some)
            await ada.client
              .send('message.edit', { message: some, text: `${text} ${turn}` })
              .catch(refusedAs('message_deleted'));
          break;
        case 3:
          if (some) await ada.client.send('message.delete', { message: some });
          break;
        case 4:
          if (turn % 20 === 4) await bob.client.send('message.send', { room: room.id, text });
          break;
        default:
          sent.push((await ada.client.send('message.send', { room: room.id, text })).id ?? 0);
      }
    }
    const { head, unread, mentions, readSeq, unreadFrom } = (await bob.api.room(room.id)) as never;
    await eventually(
      'the counts',
      () => bob.client.rooms.get(room.id)?.head === head && bob.client.rooms.get(room.id)?.unread === unread,
    );
    expect(bob.client.rooms.get(room.id)).toMatchObject({ head, unread, mentions, readSeq, unreadFrom });
  });
});

const refusedAs = (code: string) => (error: NatterError) => {
  if (error.code !== code) throw error;
};

describe('over links that break', () => {
  it('[L3][H2] everything sent is there once and in order, and all end with the same state', async () => {
    const roll = dice(42);
    const people = [ada, bob, ...(await Promise.all(['dan', 'eve'].map((name) => server.join(name))))];
    await Promise.all(people.map(({ client }) => client.connect()));
    const heard = people.map(({ client }) => listen(client));
    const room = await ada.api.createRoom({
      kind: 'group',
      name: 'storm',
      members: people.slice(1).map(({ id }) => id),
    });
    const timelines = people.map(({ client }) => client.timeline(room.id));
    await Promise.all(timelines.map((timeline) => timeline.load()));
    const answers: Promise<unknown>[] = [];
    const order: string[][] = people.map(() => []);
    for (let turn = 0; turn < 300; turn += 1) {
      const who = roll(people.length);
      const { client } = people[who] as Person;
      const { messages } = (timelines[who] as Timeline).getSnapshot();
      const some = messages[roll(messages.length)];
      const kind = roll(10);
      if (kind < 6 || !some) {
        const text = `${who}:${order[who]?.length}`;
        order[who]?.push(text);
        const replyTo = some && roll(3) === 0 && !some.deletedAt ? { replyTo: some.id } : {};
        answers.push(
          client.send('message.send', { room: room.id, text, ...replyTo }).catch(refusedAs('message_deleted')),
        );
      } else if (kind === 6) {
        answers.push(
          client
            .send('reaction.add', { message: some.id, emoji: ['👍', '🎉'][roll(2)] as string }, { queue: true })
            .catch(refusedAs('message_deleted')),
        );
      } else if (kind === 7 && some.author === people[who]?.id) {
        answers.push(
          client
            .send('message.edit', { message: some.id, text: `e${turn}` }, { queue: true })
            .catch(refusedAs('message_deleted')),
        );
      } else if (kind === 8 && some.author === people[who]?.id) {
        answers.push(client.send('message.delete', { message: some.id }, { queue: true }));
      } else {
        answers.push(client.send('pin.add', { message: some.id }, { queue: true }).catch(refusedAs('message_deleted')));
      }
      if (turn % 25 === 24) server.cut();
      if (turn % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(answers);
    await Promise.all(people.map(({ client }) => client.connection.until(({ state }) => state === 'live')));
    const head = (await ada.api.messages(room.id, { limit: 1 })).head;
    await eventually('all have all', () => people.every(({ client }) => client.position?.cursors[room.id] === head));
    for (const events of heard.map((all) => all.get(room.id) ?? [])) {
      expect(events.map(({ seq }) => seq)).toEqual(
        Array.from({ length: head - (events[0]?.seq ?? 1) + 1 }, (_, n) => n + (events[0]?.seq ?? 1)),
      );
      expect(events.map(({ id, type }) => [id, type])).toEqual(
        heard[0]?.get(room.id)?.map(({ id, type }) => [id, type]),
      );
    }
    await Promise.all(timelines.map(wholeOf));
    const fresh = server.connect(ada.credentials);
    const page = fresh.timeline(room.id);
    await page.load(200);
    await wholeOf(page);
    const truth = plain(page.getSnapshot().messages);
    for (const timeline of timelines) expect(plain(timeline.getSnapshot().messages)).toEqual(truth);
    const replayed = (heard[0]?.get(room.id) ?? []).reduce(applyEvent, emptyRoom(room.id));
    expect(plain(replayed.window?.messages ?? [])).toEqual(truth);
    for (const [who, texts] of order.entries()) {
      const said = (heard[0]?.get(room.id) ?? []).flatMap((event) =>
        event.type === 'message.sent' && event.actor === people[who]?.id ? event.id : [],
      );
      expect(new Set(said).size).toBe(said.length);
      // Those that reply to what was deleted meanwhile were refused.
      expect(said.length).toBeLessThanOrEqual(texts.length);
      expect(said.length).toBeGreaterThan(texts.length / 2);
    }
  });

  it('[L1] a server that stops and starts again finds everybody where they were, and takes what they wrote meanwhile', async () => {
    const room = await ada.api.createRoom({ kind: 'group', name: 'restart', members: [bob.id] });
    const heard = listen(bob.client);
    await eventually('the row', () => bob.client.rooms.get(room.id) !== undefined);
    await ada.client.send('message.send', { room: room.id, text: 'before' });
    await server.stop();
    await ada.client.connection.until(({ state }) => state !== 'live');
    const timeline = ada.client.timeline(room.id);
    const keys = ['one', 'two', 'three'].map((text) => timeline.send(text));
    expect(timeline.getSnapshot().pending.map(({ key }) => key)).toEqual(keys);
    await server.start();
    await eventually('all', () => heard.get(room.id)?.filter(({ type }) => type === 'message.sent').length === 4);
    const texts = heard.get(room.id)?.flatMap((event) => (event.type === 'message.sent' ? event.body.text : []));
    expect(texts).toEqual(['before', 'one', 'two', 'three']);
  });

  it('[L3] an outbox goes over a reload', async () => {
    const room = await ada.api.createRoom({ kind: 'group', name: 'reload', members: [bob.id] });
    const map = new Map<string, string>();
    const outbox = savedOutbox(memoryStorage(map));
    const before = server.connect(ada.credentials, { outbox, user: ada.id });
    before.timeline(room.id).send('written offline');
    await eventually('it is kept', () => map.size === 1);
    before.close();
    const after = server.connect(ada.credentials, { outbox, user: ada.id });
    await after.connect();
    await after.outbox.view.until((entries) => entries.length === 0);
    after.close();
    const { messages } = await ada.api.messages(room.id);
    expect(messages.map(({ text }) => text)).toEqual(['written offline']);
  });
});

describe('sessions', () => {
  it('[S2][A1] a session that ends takes its socket with it, and nobody comes back with it', async () => {
    const fay = await server.join('fay');
    await fay.client.connect();
    const closed = fay.client.connection.until(({ state }) => state === 'closed');
    await fay.credentials.logOut();
    expect(await closed).toMatchObject({ reason: 'session_ended', error: { code: 'closed', retryable: false } });
    await expect(fay.client.connect()).rejects.toMatchObject({ code: 'bad_refresh_token' });
  });

  it('[S3] a refused token is renewed', async () => {
    const gus = await server.join('gus');
    const first = await gus.credentials.token();
    await gus.credentials.token(first);
    await gus.client.connect();
    expect(await gus.api.me()).toMatchObject({ name: 'gus' });
  });
});

describe('every route', () => {
  it('is where the SDK looks for it', async () => {
    const { api } = ada;
    const room = await api.createRoom({ kind: 'channel', name: 'routes', visibility: 'public' }, { key: 'routes-1' });
    expect(
      (await api.createRoom({ kind: 'channel', name: 'routes', visibility: 'public' }, { key: 'routes-1' })).id,
    ).toBe(room.id);
    expect((await api.server()).name).toBe('Natter');
    expect(await api.changeMe({ about: 'counts' })).toMatchObject({ about: 'counts' });
    expect(await api.mentions({ limit: 1 })).toMatchObject({ messages: [{ mentions: {} }], next: expect.any(Number) });
    expect((await api.sessions()).sessions[0]).toMatchObject({ current: true });
    expect((await api.rooms()).rooms.map(({ id }) => id)).toContain(room.id);
    expect((await bob.api.searchRooms({ q: 'routes' })).rooms).toMatchObject([{ id: room.id, member: false }]);
    expect(await bob.api.join(room.id)).toMatchObject({ stream: room.id });
    expect(await api.changeRoom(room.id, { topic: 'all of them' })).toMatchObject({ topic: 'all of them' });
    expect((await api.members(room.id)).members.length).toBe(2);
    await api.changeMember(room.id, bob.id, { role: 'admin' });
    const message = await api.sendMessage(room.id, { text: 'find this needle @bob' }, { key: 'routes-2' });
    expect(await api.editMessage(message.id, 'find that needle @bob')).toMatchObject({ text: 'find that needle @bob' });
    const reply = await bob.api.sendMessage(room.id, { text: 'found', replyTo: message.id });
    expect((await api.thread(message.id)).messages).toMatchObject([{ id: reply.id }]);
    expect((await api.versions(message.id)).versions.length).toBe(2);
    expect((await api.readers(message.id)).readers).toEqual([bob.id]);
    expect(await api.react(message.id, '👍')).toMatchObject({ stream: room.id });
    expect(await api.react(message.id, '👍')).toMatchObject({ unchanged: true });
    await api.unreact(message.id, '👍');
    await api.pin(message.id);
    expect((await api.pins(room.id)).pins).toMatchObject([{ message: { id: message.id } }]);
    await api.unpin(message.id);
    expect(await api.message(message.id)).toMatchObject({ pinned: false, reactions: [], replyCount: 1 });
    await until(async () => (await api.searchMessages({ q: 'needle', room: room.id })).hits.length === 1);
    await api.moveRead(room.id, 3);
    await api.markUnread(room.id, message.seq);
    expect(await api.deleteMessage(reply.id)).toMatchObject({ stream: room.id });
    await api.archiveRoom(room.id);
    await api.archiveRoom(room.id, false);
    expect((await api.audit({ room: room.id })).rows.length).toBeGreaterThan(0);
    await bob.api.leave(room.id);
    await api.addMembers(room.id, { users: [bob.id] });
    await api.removeMember(room.id, bob.id);
    await api.deleteRoom(room.id);
    const group = await api.createUsergroup({ name: 'crew', members: [ada.id] });
    await api.addToUsergroup(group.id, [bob.id]);
    await api.removeFromUsergroup(group.id, ada.id);
    expect(await api.usergroup(group.id)).toMatchObject({ members: [bob.id] });
    expect(await api.changeUsergroup(group.id, { description: 'all hands' })).toMatchObject({
      description: 'all hands',
    });
    expect((await api.usergroups()).usergroups.length).toBe(1);
    await api.deleteUsergroup(group.id);
    const hal = await server.join('hal');
    expect((await api.users({ q: 'hal' })).users).toMatchObject([{ id: hal.id }]);
    expect((await api.users({ ids: [hal.id, ada.id] })).users.length).toBe(2);
    expect(await api.user(hal.id)).toMatchObject({ name: 'hal' });
    await api.setUserVerified(hal.id, true);
    await api.setUserRole(hal.id, 'admin');
    expect((await api.userSessions(hal.id)).sessions.length).toBe(1);
    await api.endUserSessions(hal.id);
    await api.setUserActive(hal.id, false);
    await api.setUserActive(hal.id, true);
    await api.deleteUser(hal.id);
    const ivy = await server.join('ivy');
    await ivy.api.changePassword('correct horse battery', 'a longer horse battery');
    await ivy.api.endSessions({ keepCurrent: true });
    await ivy.api.deleteMe();
    await expect(ivy.api.me()).rejects.toMatchObject({ status: 401 });
    await bob.api.endSession(bob.credentials.session);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
