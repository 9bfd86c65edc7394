/** What was known before a reload: there before the network is, and put right by it. */
import { type ClientOptions, NatterClient } from '@natter/client';
import { type KnownOptions, keepKnown, readKnown, restoreKnown } from '@natter/client/known';
import { savedOutbox } from '@natter/client/saved-outbox';
import { memoryStorage, type Storage } from '@natter/client/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FakeServer, RESUME_MAX } from './fake-server.js';
import { eventually } from './waiting.js';

const [ROOM, OTHER] = [7, 8];
let server: FakeServer;
let map: Map<string, string>;
let storage: Storage;
const opened: { close(): unknown }[] = [];

/** Somebody's client, with what they knew. */
async function open(user = 1, options: KnownOptions = {}, more: Partial<ClientOptions> = {}) {
  const known = await readKnown(storage, user);
  const client = new NatterClient({
    url: server.url,
    token: async () => `token-${user}`,
    user,
    WebSocket,
    position: known?.position,
    timing: { backoffFirst: 10, backoffMax: 50 },
    ...more,
  });
  if (known) restoreKnown(client, known);
  const keeping = keepKnown(client, storage, { delay: 5, ...options });
  opened.push(keeping, client);
  return { client, known, keeping };
}

const textsOf = (client: NatterClient, room = ROOM) =>
  client
    .timeline(room)
    .getSnapshot()
    .messages.map(({ text }) => text);

/** Reads the room, keeps it, and goes. */
async function visit(rooms = [ROOM], options: KnownOptions = {}) {
  const { client, keeping } = await open(1, options);
  await client.connect();
  for (const room of rooms) await client.timeline(room).load();
  await keeping.flush();
  await keeping.close();
  client.close();
}

beforeEach(async () => {
  server = await FakeServer.start();
  map = new Map();
  storage = memoryStorage(map);
  server.tokens.set('token-1', 1);
  server.tokens.set('token-2', 2);
  server.makeRoom(ROOM, [1, 2]);
  server.makeRoom(OTHER, [1, 2]);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await server.close();
});

describe('what was known', () => {
  it('is shown before the network answers, names and rooms too', async () => {
    server.say(ROOM, 2, 'hello');
    await visit();
    const asked = server.requests.length;
    const { client } = await open();
    expect(textsOf(client)).toEqual(['hello']);
    expect(client.timeline(ROOM).getSnapshot()).toMatchObject({ loaded: true, loading: false, newer: false });
    expect(
      client.rooms
        .getSnapshot()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([ROOM, OTHER]);
    expect(client.people.get(2)).toBeDefined();
    expect(server.requests.length).toBe(asked);
  });

  it('[H4] is put right by what came meanwhile: said, edited and deleted, and without another page', async () => {
    const [first, second] = [server.say(ROOM, 2, 'one'), server.say(ROOM, 2, 'two')];
    await visit();
    server.commit(ROOM, 'message.edited', 2, { message: first.id, messageSeq: first.seq, text: 'ONE' });
    server.commit(ROOM, 'message.deleted', 2, { message: second.id, messageSeq: second.seq });
    server.say(ROOM, 2, 'three');
    const { client } = await open();
    expect(textsOf(client)).toEqual(['one', 'two']);
    const pages = server.requests.filter((request) => request.endsWith('/messages')).length;
    await client.connect();
    expect(textsOf(client)).toEqual(['ONE', '', 'three']);
    expect(client.rooms.get(ROOM)?.unread).toBe(2);
    expect(server.requests.filter((request) => request.endsWith('/messages')).length).toBe(pages);
  });

  it('is gone with a room that I am not in any more, and is not kept any longer', async () => {
    server.say(ROOM, 2, 'secret');
    await visit([ROOM, OTHER]);
    server.remove(ROOM, 1);
    const { client, keeping } = await open();
    expect(textsOf(client)).toEqual(['secret']);
    await client.connect();
    await client.timeline(ROOM).until(({ gone }) => gone);
    expect(textsOf(client)).toEqual([]);
    expect(client.rooms.get(ROOM)).toBeUndefined();
    await keeping.flush();
    expect([...map.values()].join()).not.toContain('secret');
  });

  it.each(['too far behind', 'another life of the log'])('is read anew when it can’t be followed: %s', async (why) => {
    server.say(ROOM, 2, 'old');
    await visit();
    if (why === 'too far behind') for (let n = 0; n <= RESUME_MAX; n += 1) server.say(ROOM, 2, `${n}`);
    else server.epoch = 2_000;
    const { client } = await open();
    await client.connect();
    const { messages } = await client.timeline(ROOM).until(({ loaded, loading }) => loaded && !loading);
    const log = server.log(ROOM).flatMap((event) => (event.type === 'message.sent' ? event.body.text : []));
    expect(messages.map(({ text }) => text)).toEqual(log.slice(-messages.length));
    expect(messages.length).toBeGreaterThan(0);
  });

  it('is nobody else’s', async () => {
    server.say(ROOM, 2, 'mine');
    await visit();
    const { client, known } = await open(2);
    expect(known).toBeNull();
    expect(client.rooms.getSnapshot()).toEqual([]);
    expect(textsOf(client)).toEqual([]);
  });

  it('is as much as was asked for: so many rooms, the last ones, and so many messages, the newest', async () => {
    for (let n = 0; n < 6; n += 1) server.say(ROOM, 2, `room ${n}`);
    server.say(OTHER, 2, 'other');
    await visit([OTHER, ROOM], { pages: 1, messages: 2 });
    const { client, known } = await open();
    expect(known?.pages.map(({ room }) => room)).toEqual([ROOM]);
    expect(textsOf(client)).toEqual(['room 4', 'room 5']);
    await client.connect();
    await client.timeline(ROOM).older();
    expect(textsOf(client)).toEqual(['room 0', 'room 1', 'room 2', 'room 3', 'room 4', 'room 5']);
  });

  it('is kept as it changes, and no longer than it may be', async () => {
    let allowed = true;
    const { client } = await open(1, { allowed: () => allowed });
    await client.connect();
    await client.timeline(ROOM).load();
    server.say(ROOM, 2, 'first');
    await eventually('it is kept', () => [...map.values()].join().includes('first'));
    allowed = false;
    server.say(ROOM, 2, 'second');
    await client.next('message.sent', ({ body }) => body.text === 'second');
    map.clear();
    server.say(ROOM, 2, 'third');
    await client.next('message.sent', ({ body }) => body.text === 'third');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(map.size).toBe(0);
  });

  it('[L3] and what waits in the outbox are not shown twice, where the answer was lost and the message was not', async () => {
    const saved = new Map<string, string>();
    const outbox = savedOutbox(memoryStorage(saved));
    const { client, keeping } = await open(1, {}, { outbox });
    await client.connect();
    await client.timeline(ROOM).load();
    server.script.reply = () => true;
    client.timeline(ROOM).send('mine');
    await client.next('message.sent');
    expect(client.timeline(ROOM).getSnapshot()).toMatchObject({ messages: [{ text: 'mine' }], pending: [] });
    await keeping.flush();
    await keeping.close();
    client.close();
    await eventually('it is saved', () => saved.size === 1);
    // The clock of this server stands in another year.
    for (const [key, text] of saved) saved.set(key, text.replace(/"at":"20../g, '"at":"2000'));
    const after = await open(1, {}, { outbox: savedOutbox(memoryStorage(saved)) });
    await after.client.outbox.view.until((entries) => entries.length === 1);
    const shown = after.client.timeline(ROOM);
    expect(shown.getSnapshot()).toMatchObject({ messages: [{ text: 'mine' }], pending: [] });
    delete server.script.reply;
    await after.client.connect();
    await after.client.outbox.view.until((entries) => entries.length === 0);
    expect(shown.getSnapshot()).toMatchObject({ messages: [{ text: 'mine' }], pending: [] });
  });

  it.each(['{nonsense', 'null', '[]', '{"user":1}'])(
    'is nothing where the storage holds nonsense: %s',
    async (nonsense) => {
      map.set('natter:known', nonsense);
      expect((await open()).known).toBeNull();
    },
  );
});
