/** What is shown of a room: pages, live events, one's own messages on their way. */
import type { NatterClient, TimelineSnapshot } from '@natter/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeServer, problem } from './fake-server.js';
import { connectTo, Deferred, eventually } from './waiting.js';

const ROOM = 7;
let server: FakeServer;
let client: NatterClient;

const textsOf = ({ messages }: TimelineSnapshot) => messages.map(({ text }) => text);
const pendingOf = ({ pending }: TimelineSnapshot) => pending.map(({ text, state }) => `${text} ${state.is}`);

/** Lets no page out until it is told to. */
function holdPages(): Deferred {
  const gate = new Deferred();
  server.script.request = ({ path, query }) => {
    if (!path.endsWith('/messages')) return null;
    const numbers = Object.fromEntries([...query].map(([name, value]) => [name, Number(value)]));
    // Read now, answered later.
    return { status: 200, body: server.page(ROOM, numbers), after: gate.promise };
  };
  return gate;
}

beforeEach(async () => {
  server = await FakeServer.start();
  server.tokens.set('token-1', 1);
  server.makeRoom(ROOM, [1, 2]);
  client = connectTo(server);
});

afterEach(async () => {
  client.close();
  await server.close();
});

describe('pages', () => {
  it('[H4] begins with the newest, goes both ways, and says where the ends are', async () => {
    for (let n = 0; n < 10; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const timeline = client.timeline(ROOM);
    expect(timeline.getSnapshot()).toMatchObject({ loaded: false, loading: false });
    const loading = timeline.load(3);
    expect(timeline.getSnapshot().loading).toBe(true);
    await loading;
    expect(timeline.getSnapshot()).toMatchObject({ loaded: true, older: true, newer: false, error: null });
    expect(textsOf(timeline.getSnapshot())).toEqual(['7', '8', '9']);
    await timeline.older(100);
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(timeline.getSnapshot().older).toBe(false);
    await timeline.around(5, 4);
    expect(textsOf(timeline.getSnapshot())).toEqual(['1', '2', '3', '4']);
    expect(timeline.getSnapshot()).toMatchObject({ older: true, newer: true });
    await timeline.newer(2);
    await timeline.older(1);
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    await timeline.older();
    await timeline.newer();
    expect(timeline.getSnapshot()).toMatchObject({ older: false, newer: false, messages: { length: 10 } });
  });

  it('adds live messages at the present, and nowhere else', async () => {
    for (let n = 0; n < 6; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.around(2, 2);
    server.say(ROOM, 2, 'live');
    await client.next('message.sent');
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1']);
    await timeline.newer();
    server.say(ROOM, 2, 'and on');
    await timeline.until((snapshot) => textsOf(snapshot).includes('and on'));
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1', '2', '3', '4', '5', 'live', 'and on']);
  });

  it('[H4] loses nothing and repeats nothing when events come while a page is read', async () => {
    const first = server.say(ROOM, 2, 'first');
    await client.connect();
    const timeline = client.timeline(ROOM);
    const gate = holdPages();
    const loading = timeline.load();
    await eventually('it is asked', () => server.requests.some((request) => request.endsWith('/messages')));
    server.say(ROOM, 2, 'second');
    server.commit(ROOM, 'message.edited', 2, { message: first.id, messageSeq: first.seq, text: 'FIRST' });
    await client.next('message.edited');
    gate.resolve();
    await loading;
    expect(textsOf(timeline.getSnapshot())).toEqual(['FIRST', 'second']);
    expect(server.requests.length).toBe(1);
  });

  it('[H4] applies to a page only what it does not hold, when the page is ahead of the events', async () => {
    await client.connect();
    const root = server.say(ROOM, 2, 'root');
    await client.next('message.sent');
    const connection = server.last;
    connection.held = [];
    server.commit(ROOM, 'message.sent', 2, { text: 'reply', replyTo: root.id, thread: root.id });
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const [late] = connection.held;
    connection.held = null;
    connection.send(late as object);
    await client.next('message.sent');
    expect(timeline.getSnapshot().messages).toMatchObject([{ text: 'root', replyCount: 1 }, { text: 'reply' }]);
  });

  it('[H4] reads again when the page is older than what was heard before it was asked for', async () => {
    await client.connect();
    server.say(ROOM, 2, 'one');
    await client.next('message.sent');
    let stale = 1;
    server.script.request = ({ path }) => {
      if (!path.endsWith('/messages') || stale-- <= 0) return null;
      return { status: 200, body: { ...server.page(ROOM, {}), messages: [], head: 1 } };
    };
    const timeline = client.timeline(ROOM);
    await timeline.load();
    expect(textsOf(timeline.getSnapshot())).toEqual(['one']);
  });

  it('goes with the last wish: a jump beats the page that was being read', async () => {
    for (let n = 0; n < 10; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const timeline = client.timeline(ROOM);
    const gate = holdPages();
    const slow = timeline.load(2);
    await eventually('it is asked', () => server.requests.length === 1);
    server.script = {};
    await timeline.around(3, 2);
    gate.resolve();
    await slow;
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1']);
  });

  it('reads one page for one wish, however often it is uttered', async () => {
    for (let n = 0; n < 10; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load(2);
    const before = server.requests.length;
    await Promise.all([timeline.older(2), timeline.older(2), timeline.older(2)]);
    expect(server.requests.length - before).toBe(1);
    expect(textsOf(timeline.getSnapshot())).toEqual(['6', '7', '8', '9']);
  });

  it('says why a page could not be read, and lets one try again', async () => {
    await client.connect();
    server.say(ROOM, 2, 'one');
    server.script.request = ({ path }) => (path.endsWith('/messages') ? problem(503, 'overloaded') : null);
    const timeline = client.timeline(ROOM);
    await expect(timeline.load()).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    expect(timeline.getSnapshot()).toMatchObject({ loaded: false, loading: false, error: { code: 'overloaded' } });
    server.script = {};
    await timeline.load();
    expect(timeline.getSnapshot()).toMatchObject({ loaded: true, error: null });
  });

  it('can be read before the socket is there, and is followed from the page on', async () => {
    server.say(ROOM, 2, 'one');
    const timeline = client.timeline(ROOM);
    await timeline.load();
    expect(textsOf(timeline.getSnapshot())).toEqual(['one']);
    server.say(ROOM, 2, 'two');
    await client.connect();
    expect(server.last.heard[0]).toMatchObject({ epoch: 1_000, cursors: { [ROOM]: 2 } });
    await timeline.until((snapshot) => textsOf(snapshot).length === 2);
    expect(server.requests.filter((request) => request.endsWith('/messages')).length).toBe(1);
  });

  it('[H4] reads again when the socket begins after a page that was not in its hello', async () => {
    server.say(ROOM, 2, 'one');
    const greeted = new Deferred();
    server.script.hello = (connection, frame) => {
      void greeted.promise.then(() => server.greet(connection, frame));
      return true;
    };
    const connected = client.connect();
    await eventually('hello', () => server.connections[0]?.heard.length === 1);
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.say(ROOM, 2, 'two');
    greeted.resolve();
    await connected;
    await timeline.until((snapshot) => textsOf(snapshot).length === 2);
    expect(textsOf(timeline.getSnapshot())).toEqual(['one', 'two']);
  });

  it('is not read again when the socket begins to follow what the page holds', async () => {
    server.makeRoom(8, [2]);
    server.say(8, 2, 'before');
    await client.connect();
    const heard: number[] = [];
    client.on('event', ({ stream, seq }) => stream === 8 && heard.push(seq));
    // Added to it, and the page is there before the socket tells.
    const connection = server.last;
    connection.held = [];
    server.add(8, 1);
    server.say(8, 2, 'welcome');
    const timeline = client.timeline(8);
    await timeline.load();
    const late = connection.held;
    connection.held = null;
    for (const frame of late) connection.send(frame);
    server.say(8, 2, 'and on');
    await timeline.until((snapshot) => textsOf(snapshot).length === 3);
    expect(textsOf(timeline.getSnapshot())).toEqual(['before', 'welcome', 'and on']);
    expect(heard).toEqual([3, 4, 5]);
    expect(server.requests.filter((request) => request === 'GET /v1/rooms/8/messages').length).toBe(1);
  });

  it('[H4] reads the newest page again after a reset', async () => {
    await client.connect();
    server.say(ROOM, 2, 'one');
    await client.next('message.sent');
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.last.held = [];
    server.say(ROOM, 2, 'two');
    server.last.held = null;
    server.last.send({ type: 'reset', stream: ROOM, seq: 3 });
    await timeline.until((snapshot) => textsOf(snapshot).length === 2);
    server.say(ROOM, 2, 'three');
    await timeline.until((snapshot) => textsOf(snapshot).length === 3);
    expect(textsOf(timeline.getSnapshot())).toEqual(['one', 'two', 'three']);
  });

  it('[H4] reads again with the next link what could not be read after a reset', async () => {
    await client.connect();
    server.say(ROOM, 2, 'one');
    await client.next('message.sent');
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.script.request = () => problem(503, 'overloaded');
    server.last.send({ type: 'reset', stream: ROOM, seq: 2 });
    await timeline.until(({ error }) => error !== null);
    expect(timeline.getSnapshot()).toMatchObject({ loaded: false, messages: [] });
    server.script = {};
    server.last.cut();
    await timeline.until(({ loaded }) => loaded);
    expect(textsOf(timeline.getSnapshot())).toEqual(['one']);
  });

  it('[G1] keeps so many messages, and can get the others back', async () => {
    client.close();
    client = connectTo(server, { timelineMax: 4 });
    for (let n = 0; n < 4; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.say(ROOM, 2, '4');
    await timeline.until((snapshot) => textsOf(snapshot).includes('4'));
    expect(textsOf(timeline.getSnapshot())).toEqual(['1', '2', '3', '4']);
    expect(timeline.getSnapshot().older).toBe(true);
    await timeline.older();
    expect(textsOf(timeline.getSnapshot())).toEqual(['0', '1', '2', '3']);
    expect(timeline.getSnapshot()).toMatchObject({ older: false, newer: true });
    server.say(ROOM, 2, '5');
    await client.next('message.sent');
    await timeline.newer();
    expect(textsOf(timeline.getSnapshot())).toEqual(['2', '3', '4', '5']);
  });

  it('is the same snapshot until something changes', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const snapshot = timeline.getSnapshot();
    expect(timeline.getSnapshot()).toBe(snapshot);
    expect(client.timeline(ROOM)).toBe(timeline);
    let told = 0;
    const stop = timeline.subscribe(() => {
      told += 1;
    });
    server.say(ROOM, 2, 'news');
    await timeline.until(({ messages }) => messages.length === 1);
    expect(timeline.getSnapshot()).not.toBe(snapshot);
    expect(told).toBe(1);
    stop();
    timeline.close();
    expect(client.timeline(ROOM)).not.toBe(timeline);
  });
});

describe('one’s own messages', () => {
  it('are shown at once, then as sent, and never twice', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const shown: string[] = [];
    timeline.subscribe(() => {
      const snapshot = timeline.getSnapshot();
      shown.push([...textsOf(snapshot), ...pendingOf(snapshot)].join(', '));
    });
    timeline.send('mine', 5);
    expect(pendingOf(timeline.getSnapshot())).toEqual(['mine sending']);
    await timeline.until(({ messages }) => messages.length === 1);
    await eventually('the end', () => client.outbox.view.getSnapshot().length === 0);
    expect(new Set(shown)).toEqual(new Set(['mine sending', 'mine']));
    expect(timeline.getSnapshot().messages).toMatchObject([{ author: 1, text: 'mine', replyTo: 5 }]);
  });

  it('stay as sent when the reply comes before the event', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const connection = server.last;
    server.script.reply = (_, frame, result) => {
      const [event] = connection.held ?? [];
      connection.held = null;
      connection.send({ type: 'reply', id: frame.id, result });
      setTimeout(() => connection.send(event as object), 20);
      return true;
    };
    connection.held = [];
    timeline.send('mine');
    await timeline.until((snapshot) => pendingOf(snapshot)[0] === 'mine sent');
    expect(client.outbox.view.getSnapshot()).toEqual([]);
    await timeline.until(({ messages }) => messages.length === 1);
    expect(pendingOf(timeline.getSnapshot())).toEqual([]);
  });

  it('are shown once when their event came and the link broke before the reply', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const most: number[] = [];
    timeline.subscribe(() => most.push(timeline.getSnapshot().messages.length + timeline.getSnapshot().pending.length));
    server.script.reply = (connection) => {
      server.script = {};
      setTimeout(() => connection.cut(), 10);
      return true;
    };
    timeline.send('mine');
    await client.next('sent');
    expect(server.connections.length).toBe(2);
    expect([...new Set(most)]).toEqual([1]);
    expect(textsOf(timeline.getSnapshot())).toEqual(['mine']);
  });

  it('stand last, in the order of sending, whatever others say meanwhile', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.script.command = () => true;
    timeline.send('a');
    timeline.send('b');
    server.say(ROOM, 2, 'theirs');
    await timeline.until(({ messages }) => messages.length === 1);
    expect(textsOf(timeline.getSnapshot())).toEqual(['theirs']);
    expect(pendingOf(timeline.getSnapshot())).toEqual(['a sending', 'b queued']);
  });

  it('show that they failed, and can be cancelled', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    server.script.command = (connection, frame) => server.refuse(connection, frame, { code: 'archived' });
    const key = timeline.send('no');
    await timeline.until((snapshot) => pendingOf(snapshot)[0] === 'no failed');
    client.outbox.cancel(key);
    expect(timeline.getSnapshot().pending).toEqual([]);
  });

  it('[M2] are read, and count for nobody', async () => {
    await client.connect();
    server.say(ROOM, 2, 'theirs');
    await client.rooms.view.until(([row]) => row?.unread === 1);
    await client.send('message.send', { room: ROOM, text: 'mine' });
    expect(client.rooms.get(ROOM)).toMatchObject({ unread: 0, readSeq: 3 });
  });
});

describe('rooms', () => {
  it('[M1][M3] count what is unread, on every device the same', async () => {
    await client.connect();
    const other = connectTo(server);
    await other.connect();
    for (let n = 0; n < 3; n += 1) server.say(ROOM, 2, `${n}`);
    server.commit(ROOM, 'message.sent', 2, { text: '@user1', mentions: { users: [1] } });
    const rows = [client.rooms, other.rooms];
    await eventually('four', () => rows.every((rooms) => rooms.get(ROOM)?.unread === 4));
    expect(rows.map((rooms) => rooms.get(ROOM)?.mentions)).toEqual([1, 1]);
    await client.send('read.move', { room: ROOM, seq: 4 });
    await eventually('one', () => rows.every((rooms) => rooms.get(ROOM)?.unread === 1));
    await client.send('read.unmark', { room: ROOM, seq: 2 });
    await eventually('four again', () => rows.every((rooms) => rooms.get(ROOM)?.unread === 4));
    await client.send('read.move', { room: ROOM, seq: 5 });
    await eventually('none', () => rows.every((rooms) => rooms.get(ROOM)?.unread === 0));
    // The mark alone is asked for: it stands in another stream than what one wrote.
    expect(new Set(server.requests)).toEqual(new Set([`GET /v1/rooms/${ROOM}`]));
    other.close();
  });

  it('[M1] read a row again where events can’t tell, and apply what was heard meanwhile', async () => {
    for (let n = 0; n < 4; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const gate = new Deferred();
    server.script.request = ({ path }) =>
      path === `/v1/rooms/${ROOM}` ? { status: 200, body: server.row(ROOM, 1), after: gate.promise } : null;
    await client.send('read.move', { room: ROOM, seq: 3 });
    await eventually('it is asked', () => server.requests.length === 1);
    server.say(ROOM, 2, 'meanwhile');
    await client.next('message.sent');
    gate.resolve();
    await client.rooms.view.until(([row]) => row?.unread === 3);
    expect(client.rooms.get(ROOM)).toMatchObject({ readSeq: 3, head: 6 });
  });

  it('[M2] read a row again when the marker moved while it was read', async () => {
    for (let n = 0; n < 4; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    const gate = new Deferred();
    let answers = 0;
    server.script.request = ({ path }) => {
      if (path !== `/v1/rooms/${ROOM}`) return null;
      answers += 1;
      return { status: 200, body: server.row(ROOM, 1), ...(answers === 1 ? { after: gate.promise } : {}) };
    };
    await client.send('read.move', { room: ROOM, seq: 2 });
    await eventually('it is asked', () => answers === 1);
    await client.send('read.move', { room: ROOM, seq: 4 });
    gate.resolve();
    await client.rooms.view.until(([row]) => row?.unread === 1);
    expect(client.rooms.get(ROOM)).toMatchObject({ readSeq: 4 });
    expect(answers).toBe(2);
  });

  it('keep a row as it is when it can’t be read, say so, and ask again later', async () => {
    for (let n = 0; n < 4; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.script.request = () => problem(503, 'overloaded', { retryAfter: 9 });
    const error = client.next('error');
    await client.send('read.move', { room: ROOM, seq: 3 });
    expect(await error).toMatchObject({ code: 'overloaded' });
    expect(client.rooms.get(ROOM)).toMatchObject({ readSeq: 3 });
    server.script = {};
    server.say(ROOM, 2, 'more');
    await client.next('message.sent');
    vi.advanceTimersByTime(8_900);
    expect(server.requests.length).toBe(1);
    vi.advanceTimersByTime(200);
    await client.rooms.view.until(([row]) => row?.unread === 3);
    vi.useRealTimers();
  });

  it('have every row anew with the next link, whatever could not be read over the last', async () => {
    for (let n = 0; n < 4; n += 1) server.say(ROOM, 2, `${n}`);
    await client.connect();
    server.script.request = () => problem(503, 'overloaded');
    const error = client.next('error');
    await client.send('read.move', { room: ROOM, seq: 3 });
    await error;
    server.last.cut();
    await client.rooms.view.until(([row]) => row?.unread === 2);
    expect(server.requests.length).toBe(1);
  });

  it('have names and archives kept up to date', async () => {
    await client.connect();
    server.commit(ROOM, 'room.changed', 2, { name: 'renamed', topic: 'new' });
    server.commit(ROOM, 'room.archived', 2, {});
    await client.rooms.view.until(([row]) => row?.archived === true);
    expect(client.rooms.get(ROOM)).toMatchObject({ name: 'renamed', topic: 'new', head: 3 });
  });
});

describe('people', () => {
  it('are known from pages, and asked for once where they are not', async () => {
    server.say(ROOM, 2, 'hi');
    await client.connect();
    await client.timeline(ROOM).load();
    expect(client.people.get(2)).toEqual({ name: 'user2', fullName: 'User 2' });
    expect([client.people.get(3), client.people.get(4), client.people.get(3)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await client.people.view.until((names) => names.has(3) && names.has(4));
    expect(client.people.get(4)).toEqual({ name: 'user4', fullName: 'User 4' });
    expect(server.requests.filter((request) => request === 'GET /v1/users').length).toBe(1);
    expect(client.people.get(0)).toBeUndefined();
  });

  it('are asked for again when they could not be had', async () => {
    await client.connect();
    server.script.request = () => problem(503, 'overloaded');
    const error = client.next('error');
    client.people.get(3);
    expect(await error).toMatchObject({ code: 'overloaded' });
    server.script = {};
    client.people.get(3);
    await client.people.view.until((names) => names.has(3));
  });
});
