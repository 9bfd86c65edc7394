/** Following streams over bad links: what is lost, repeated, reordered or too far behind on the way to the client. */
import type { NatterClient } from '@natter/client';
import type { Event } from '@natter/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeServer, RESUME_MAX } from './fake-server.js';
import { connectTo, eventually } from './waiting.js';

const ROOM = 7;
let server: FakeServer;
let client: NatterClient;
let heard: Event[];

const seqs = (stream: number) => heard.filter((event) => event.stream === stream).map(({ seq }) => seq);

beforeEach(async () => {
  server = await FakeServer.start();
  server.tokens.set('token-1', 1);
  server.tokens.set('token-2', 2);
  server.makeRoom(ROOM, [1, 2]);
  client = connectTo(server);
  heard = [];
  client.on('event', (event) => heard.push(event));
});

afterEach(async () => {
  client.close();
  await server.close();
});

describe('following a stream', () => {
  it('[H2] hears what comes after the head that ready named, each once and in order', async () => {
    server.say(ROOM, 2, 'before');
    await client.connect();
    for (let n = 0; n < 20; n += 1) server.say(ROOM, 2, `${n}`);
    await eventually('20 events', () => heard.length === 20);
    expect(seqs(ROOM)).toEqual(Array.from({ length: 20 }, (_, n) => n + 3));
    expect(client.position).toEqual({ epoch: 1_000, cursors: { 1: 0, 7: 22 } });
  });

  it('[H4] takes in what was missed while it was away, edits included, and only then calls itself live', async () => {
    await client.connect();
    const first = server.say(ROOM, 2, 'one');
    await eventually('one event', () => heard.length === 1);
    server.last.cut();
    server.say(ROOM, 2, 'two');
    server.commit(ROOM, 'message.edited', 2, { message: first.id, messageSeq: first.seq, text: 'ONE' });
    await client.connection.until(({ state }) => state !== 'live');
    await client.connection.until(({ state }) => state === 'live');
    expect(heard.map(({ type }) => type)).toEqual(['message.sent', 'message.sent', 'message.edited']);
    expect(server.last.heard[0]).toMatchObject({ epoch: 1_000, cursors: { 1: 0, 7: 2 } });
  });

  it('[H2] drops what is delivered a second time', async () => {
    await client.connect();
    const event = server.say(ROOM, 2, 'once');
    for (const again of [event, server.log(ROOM)[0]]) server.last.send(again as object);
    server.say(ROOM, 2, 'end');
    await eventually('the end', () => seqs(ROOM).includes(3));
    expect(seqs(ROOM)).toEqual([2, 3]);
  });

  it('[H2] never applies an event that leaves a gap: it says hello again from where it stands', async () => {
    await client.connect();
    const { last } = server;
    last.held = [];
    server.say(ROOM, 2, 'two');
    server.say(ROOM, 2, 'three');
    const [, three] = last.held;
    last.held = null;
    last.send(three as object);
    await eventually('both', () => heard.length === 2);
    expect(seqs(ROOM)).toEqual([2, 3]);
    expect(server.connections.length).toBe(2);
    expect(server.last.heard[0]).toMatchObject({ cursors: { 7: 1 } });
  });

  it('[H2] notices a gap that only `live` shows', async () => {
    await client.connect();
    server.last.held = [];
    server.say(ROOM, 2, 'lost');
    server.last.held = null;
    server.last.send({ type: 'live', cursors: { [ROOM]: 2 } });
    await eventually('the lost one', () => heard.length === 1);
    expect(seqs(ROOM)).toEqual([2]);
  });

  it('[H2] goes on from the event it applied last when the link breaks in the middle of a resume', async () => {
    await client.connect();
    server.last.cut();
    for (let n = 0; n < 10; n += 1) server.say(ROOM, 2, `${n}`);
    let breaks = 3;
    server.script.resume = (connection, stream, events) => {
      if (stream !== ROOM || breaks === 0) return false;
      breaks -= 1;
      for (const event of events.slice(0, 2)) connection.send(event);
      connection.socket.close(1011);
      return true;
    };
    await eventually('all', () => seqs(ROOM).length === 10);
    expect(seqs(ROOM)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(server.connections.map(({ heard: [hello] }) => (hello?.cursors as Record<number, number>)?.[ROOM])).toEqual([
      undefined,
      1,
      3,
      5,
      7,
    ]);
  });

  it('[H4] is told by reset that it is too far behind, and goes on from there', async () => {
    await client.connect();
    const resets: object[] = [];
    client.on('reset', (reset) => resets.push(reset));
    server.last.cut();
    for (let n = 0; n <= RESUME_MAX; n += 1) server.say(ROOM, 2, `${n}`);
    await client.next('reset');
    await client.connection.until(({ state }) => state === 'live');
    server.say(ROOM, 2, 'after');
    await eventually('the next', () => heard.length === 1);
    expect(seqs(ROOM)).toEqual([RESUME_MAX + 3]);
    expect(resets).toEqual([{ stream: ROOM, seq: RESUME_MAX + 2 }]);
    expect(client.rooms.get(ROOM)).toMatchObject({ unread: RESUME_MAX + 2, head: RESUME_MAX + 3 });
  });

  it('[H4] believes no cursor of another epoch, even where the numbers agree', async () => {
    await client.connect();
    server.say(ROOM, 2, 'old life');
    await eventually('it', () => heard.length === 1);
    const timeline = client.timeline(ROOM);
    await timeline.load();
    expect(timeline.getSnapshot().messages.map(({ text }) => text)).toEqual(['old life']);
    server.epoch = 2_000;
    server.rooms.delete(ROOM);
    server.makeRoom(ROOM, [1, 2]);
    server.last.held = [];
    server.say(ROOM, 2, 'new life');
    server.last.cut();
    await client.next('reset', ({ stream }) => stream === ROOM);
    await timeline.until(({ messages }) => messages[0]?.text === 'new life');
    expect(client.position).toMatchObject({ epoch: 2_000, cursors: { 7: 2 } });
  });

  it('[A3] keeps the place of a hidden event, and tells nothing of it', async () => {
    await client.connect();
    const hidden: number[] = [];
    client.on('hidden', ({ seq }) => hidden.push(seq));
    const connection = server.last;
    connection.held = [];
    server.say(ROOM, 2, 'secret');
    connection.held = null;
    connection.send({ type: 'hidden', stream: ROOM, seq: 2 });
    server.say(ROOM, 2, 'open');
    await eventually('the open one', () => heard.length === 1);
    expect([hidden, seqs(ROOM)]).toEqual([[2], [3]]);
  });

  it('keeps the place of an event whose type it does not know', async () => {
    await client.connect();
    server.commit(ROOM, 'poll.opened' as 'room.archived', 2, {});
    server.say(ROOM, 2, 'after');
    await eventually('both', () => heard.length === 2);
    expect(seqs(ROOM)).toEqual([2, 3]);
  });
});

describe('rooms that come and go', () => {
  it('[A1] lets go of a room at gone, and asks for it no more', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    const gone = client.next('gone');
    server.remove(ROOM, 1);
    expect(await gone).toEqual({ stream: ROOM });
    expect(client.rooms.get(ROOM)).toBeUndefined();
    expect(timeline.getSnapshot()).toMatchObject({ gone: true, messages: [] });
    server.last.cut();
    await client.connection.until(({ state }) => state === 'waiting');
    await client.connection.until(({ state }) => state === 'live');
    expect(server.last.heard[0]?.cursors).toEqual({ 1: 1 });
  });

  it('[A1] is told by gone of a room that it lost while it was away', async () => {
    await client.connect();
    server.last.cut();
    server.remove(ROOM, 1);
    await client.next('gone');
    await client.connection.until(({ state }) => state === 'live');
    expect(client.rooms.view.getSnapshot()).toEqual([]);
  });

  it('follows a room from the moment of being added to it', async () => {
    server.makeRoom(8, [2]);
    server.say(8, 2, 'earlier');
    await client.connect();
    server.add(8, 1);
    server.say(8, 2, 'welcome');
    await eventually('row', () => client.rooms.get(8)?.head === 4);
    expect(seqs(8)).toEqual([3, 4]);
    expect(client.rooms.get(8)).toMatchObject({ memberCount: 2, unread: 2 });
  });

  it('follows a room again after having been out of it, from the new joining on', async () => {
    await client.connect();
    const timeline = client.timeline(ROOM);
    await timeline.load();
    server.remove(ROOM, 1);
    server.say(ROOM, 2, 'not for 1');
    server.add(ROOM, 1);
    await timeline.until(({ gone, loaded }) => !gone && loaded);
    server.say(ROOM, 2, 'for all');
    await timeline.until(({ messages }) => messages.at(-1)?.text === 'for all');
    expect(timeline.getSnapshot().messages.map(({ text }) => text)).toEqual(['not for 1', 'for all']);
    expect(seqs(ROOM)).toEqual([2, 4, 5]);
  });
});

describe('an app with a state of its own', () => {
  it('[H4] goes on from the position that it kept', async () => {
    await client.connect();
    server.say(ROOM, 2, 'one');
    await eventually('one', () => heard.length === 1);
    const { position } = client;
    client.close();
    server.say(ROOM, 2, 'two');
    const next = connectTo(server, { position: position ?? undefined });
    const told: string[] = [];
    next.on('message.sent', ({ body }) => told.push(body.text));
    await next.connect();
    next.close();
    expect(told).toEqual(['two']);
  });

  it('sees in a listener that the position holds the event', async () => {
    await client.connect();
    const positions: unknown[] = [];
    client.on('event', () => positions.push(client.position?.cursors[ROOM]));
    server.say(ROOM, 2, 'one');
    await eventually('one', () => positions.length === 1);
    expect(positions).toEqual([2]);
  });

  it('resumes only rooms with an open timeline when it asks for that', async () => {
    server.makeRoom(8, [1, 2]);
    client.close();
    client = connectTo(server, { resume: 'open' });
    await client.connect();
    await client.timeline(8).load();
    server.last.cut();
    await client.connection.until(({ state }) => state === 'waiting');
    server.say(ROOM, 2, 'unseen');
    await client.connection.until(({ state }) => state === 'live');
    expect(server.last.heard[0]?.cursors).toEqual({ 1: 0, 8: 1 });
    expect(client.rooms.get(ROOM)?.unread).toBe(1);
  });

  it('[H4] is told by reset of every stream that it had not asked to resume, where the epoch is another one', async () => {
    client.close();
    client = connectTo(server, { resume: 'open' });
    await client.connect();
    const resets: object[] = [];
    client.on('reset', (reset) => resets.push(reset));
    server.epoch = 2_000;
    server.last.cut();
    await client.connection.until(({ state }) => state === 'waiting');
    await client.connection.until(({ state }) => state === 'live');
    expect(resets).toEqual(expect.arrayContaining([{ stream: ROOM, seq: 1 }]));
  });

  it('[A1] lets go of a room that it lost while away and had not asked to resume', async () => {
    client.close();
    client = connectTo(server, { resume: 'open' });
    await client.connect();
    const gone = client.next('gone');
    server.last.cut();
    server.rooms.get(ROOM)?.members.delete(1);
    expect(await gone).toEqual({ stream: ROOM });
    await client.connection.until(({ state }) => state === 'live');
    expect(client.position?.cursors).toEqual({ 1: 0 });
  });

  it('names no more cursors than a hello may hold, open timelines first', async () => {
    for (let id = 100; id < 400; id += 1) server.makeRoom(id, [1]);
    server.maxFrameBytes = 6_000;
    await client.connect();
    await client.timeline(399).load();
    server.last.cut();
    await client.connection.until(({ state }) => state === 'waiting');
    await client.connection.until(({ state }) => state === 'live');
    const hello = server.last.heard[0] as { cursors: Record<string, number> };
    // 5,000 bytes are left to the token and the rest.
    expect(JSON.stringify(hello.cursors).length).toBeLessThan(1_010);
    expect(JSON.stringify(hello.cursors).length).toBeGreaterThan(980);
    expect(hello.cursors).toMatchObject({ 1: 0, 399: 1 });
  });
});
