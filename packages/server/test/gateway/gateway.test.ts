/** The native WebSocket edge over real sockets: hello, commands, answers, and how it ends. */
import { HelloFrame, LiveFrame, ReplyFrame } from '@natter/protocol';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removes, sent, turns } from '../hub/fixtures.js';
import { ANNA, BEN, type Client, openSite, ROOM, type Site, until } from './fixtures.js';

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

const send = (id: number, text: string, more: object = {}) => ({ type: 'message.send', id, room: ROOM, text, ...more });
const reply = (client: Client, id: number | null) => client.frame('reply', (frame) => frame.id === id);
const seqs = (client: Client): unknown[] => client.frames.filter(({ stream }) => stream === ROOM).map(({ seq }) => seq);

describe('a conversation', () => {
  it('greets, brings to live, carries out a command, tells the others and answers', async () => {
    const anna = await site.connect();
    anna.send({ type: 'hello', token: `${ANNA}.phone` });
    const ready = await anna.frame('ready');
    expect(ready).toMatchObject({ user: ANNA, session: 'phone', inbox: 1, epoch: site.store.epoch });
    expect(ready.rooms).toMatchObject([{ id: ROOM, head: 1 }]);
    const live = await anna.frame('live');
    expect(Compile(LiveFrame).Check(live)).toBe(true);
    expect(live.cursors).toEqual({ [ANNA]: 1, [ROOM]: 1 });
    const ben = await site.live(`${BEN}.desk`);
    anna.send(send(7, 'hé "you" \u2028', { key: 'k1' }));
    const event = await ben.frame('message.sent');
    expect(event).toEqual({
      type: 'message.sent',
      stream: ROOM,
      seq: 2,
      id: 4,
      actor: ANNA,
      at: '1970-01-01T00:00:00.000Z',
      body: { text: 'hé "you" \u2028' },
    });
    const answer = await reply(anna, 7);
    expect(Compile(ReplyFrame).Check(answer)).toBe(true);
    expect(answer.result).toMatchObject({ stream: ROOM, seq: 2, id: 4 });
    expect(site.executed).toEqual([
      {
        actor: { user: ANNA, role: 'user', session: 'phone' },
        command: { type: 'message.send', room: ROOM, text: 'hé "you" \u2028' },
        key: 'k1',
      },
    ]);
  });

  it('[H1] a sender has the event of its own before the answer', async () => {
    const anna = await site.live();
    anna.send(send(1, 'a'));
    await until(() => anna.frames.length === 2);
    expect(anna.frames.map(({ type }) => type)).toEqual(['message.sent', 'reply']);
  });

  it('takes the token as a bearer of the upgrade too', async () => {
    const anna = await site.connect({ Authorization: `Bearer ${ANNA}.phone` });
    anna.send({ type: 'hello' });
    expect(await anna.frame('ready')).toMatchObject({ user: ANNA, session: 'phone' });
  });

  it('[H4] goes on from the cursors of the hello', async () => {
    site.node.log.commit(sent(ROOM), sent(ROOM), sent(ROOM));
    const anna = await site.connect();
    const hello = { type: 'hello', token: `${ANNA}.phone`, epoch: site.store.epoch, cursors: { [ROOM]: 2 } };
    expect(Compile(HelloFrame).Check(hello)).toBe(true);
    anna.send(hello);
    await until(() => anna.frames.some(({ type }) => type === 'live'));
    expect(seqs(anna)).toEqual([3, 4]);
    const later = await site.live(`${ANNA}.desk`, { epoch: 1, cursors: { [ROOM]: 2 } });
    expect(later.texts.some((text) => text === `{"type":"reset","stream":${ROOM},"seq":4}`)).toBe(true);
  });

  it('carries out what was sent right behind the hello, once it is ready', async () => {
    const anna = await site.connect();
    anna.send({ type: 'hello', token: `${ANNA}.phone` });
    for (let id = 1; id <= 20; id += 1) anna.send(send(id, `m${id}`));
    await until(() => anna.frames.filter(({ type }) => type === 'reply').length === 20);
    expect(anna.frames[0]?.type).toBe('ready');
    expect(site.executed.map(({ command }) => command.text)).toEqual(Array.from({ length: 20 }, (_, i) => `m${i + 1}`));
  });

  it('hands refusals on as they are, and tells nothing of a bug', async () => {
    const anna = await site.live();
    anna.send(send(1, ''));
    expect(await reply(anna, 1)).toEqual({
      type: 'reply',
      id: 1,
      error: {
        code: 'invalid',
        message: expect.any(String),
        retryable: false,
        fields: [{ path: '/text', message: 'is empty' }],
      },
    });
    anna.send({ type: 'no.such', id: 2 });
    expect((await reply(anna, 2)).error).toMatchObject({ code: 'bad_frame' });
    anna.send(send(3, 'throw'));
    const answer = await reply(anna, 3);
    expect(answer.error).toMatchObject({ code: 'internal', retryable: true });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(site.failures).toEqual(['the command message.send failed']);
  });

  it('answers a ping, tells of typing and presence', async () => {
    const anna = await site.live();
    const ben = await site.live(`${BEN}.desk`);
    anna.send({ type: 'ping' });
    await anna.frame('pong');
    anna.send({ type: 'typing', room: ROOM, active: true });
    expect(await ben.frame('typing')).toEqual({ type: 'typing', room: ROOM, user: ANNA, active: true });
    anna.send({ type: 'presence.watch', users: [BEN, 77] });
    const { users } = await anna.frame('presence');
    expect(users).toEqual([
      { user: BEN, online: true, lastSeen: expect.stringMatching(/^\d{4}-.*Z$/) },
      { user: 77, online: false, lastSeen: null },
    ]);
    ben.ws.close();
    await until(() => site.gateway.size === 1);
    site.clock.advance(200);
    expect(await anna.frame('presence')).toMatchObject({ users: [{ user: BEN, online: false }] });
  });

  it('counts frames by names that others can not make up', async () => {
    const anna = await site.live();
    anna.send({ type: 'made.up', id: 1 });
    await reply(anna, 1);
    expect(site.counted).toEqual(['frame hello', 'opened', 'frame other']);
  });
});

describe('hello', () => {
  it.each([
    ['another frame', '{"type":"ping"}'],
    ['a command', '{"type":"message.send","id":1,"room":11,"text":"x"}'],
    ['no JSON', 'hello'],
    ['no object', '[{"type":"hello"}]'],
    ['null', 'null'],
    ['a cursor that is no number', '{"type":"hello","token":"1.phone","cursors":{"11":"1"}}'],
    ['a negative cursor', '{"type":"hello","token":"1.phone","cursors":{"11":-1}}'],
    ['a fractional cursor', '{"type":"hello","token":"1.phone","cursors":{"11":1.5}}'],
    ['a cursor beyond 2^53', '{"type":"hello","token":"1.phone","cursors":{"11":9007199254740993}}'],
    ['a stream beyond 2^53', '{"type":"hello","token":"1.phone","cursors":{"9007199254740993":1}}'],
    ['a stream that is none', '{"type":"hello","token":"1.phone","cursors":{"__proto__":1}}'],
    ['a member too many', '{"type":"hello","token":"1.phone","role":"admin"}'],
  ])('comes first: %s closes', async (_, text) => {
    const client = await site.connect();
    client.send(text);
    expect(await client.end()).toBe(4001);
    expect(site.executed).toEqual([]);
  });

  it('comes in time', async () => {
    const client = await site.connect();
    client.ws.ping();
    await turns();
    site.clock.advance(9_000);
    await turns();
    expect(client.closed).toBeNull();
    site.clock.advance(2_000);
    expect(await client.end()).toBe(4000);
    expect(client.frames).toMatchObject([{ type: 'goodbye', code: 4000, reconnect: true }]);
  });

  it('[S2] needs a token that is ours, of a session that lives', async () => {
    site.dead.add('over');
    for (const hello of [{}, { token: 'garbage' }, { token: `${ANNA}.over` }]) {
      const client = await site.connect();
      client.send({ type: 'hello', ...hello });
      expect(await client.end()).toBe(4002);
      expect(client.frames).toMatchObject([{ type: 'goodbye', code: 4002, reconnect: false }]);
    }
    expect(site.node.hub.counts.users).toBe(0);
  });

  it('is said once', async () => {
    const anna = await site.live();
    anna.send({ type: 'hello', token: `${BEN}.desk` });
    expect((await reply(anna, null)).error).toMatchObject({ code: 'bad_frame' });
    anna.send({ type: 'ping' });
    await anna.frame('pong');
  });

  it('takes no more sockets of a user than there may be, and another one when one has gone', async () => {
    await site.close();
    site = await openSite({ SOCKETS_PER_USER_MAX: 2 });
    const first = await site.live();
    await site.live();
    const third = await site.connect();
    third.send({ type: 'hello', token: `${ANNA}.phone` });
    expect(await third.end()).toBe(4007);
    await site.live(`${BEN}.desk`);
    first.ws.close();
    await until(() => site.gateway.size === 2);
    await site.live();
  });

  it('ends with "come back" when the server fails', async () => {
    const client = await site.connect();
    site.store.broken = new Error('the disk is gone');
    client.send({ type: 'hello', token: `${ANNA}.phone` });
    expect(await client.end()).toBe(1011);
    expect(client.frames).toMatchObject([{ type: 'goodbye', reconnect: true }]);
    expect(site.failures).toEqual(['a hello failed']);
    site.store.broken = null;
    await site.live();
  });
});

describe('sessions', () => {
  const ends = { stream: ANNA, type: 'session.ended' as const, body: { sessions: ['phone'] } };

  it('[A1] a socket closes at once when its session ends, and hears nothing more', async () => {
    const phone = await site.live();
    const desk = await site.live(`${ANNA}.desk`);
    site.node.log.commit(ends, sent(ROOM), sent(ROOM));
    expect(await phone.end()).toBe(4003);
    expect(phone.frames.map(({ type, seq }) => [type, seq])).toEqual([
      ['session.ended', 2],
      ['goodbye', undefined],
    ]);
    expect(phone.frames.at(-1)).toMatchObject({ reconnect: false });
    await desk.frame('message.sent', ({ seq }) => seq === 3);
  });

  it('[A1] a session that ends between the hello and the first event is not missed', async () => {
    const client = await site.connect();
    site.store.held = true;
    client.send({ type: 'hello', token: `${ANNA}.phone` });
    await until(() => site.store.waiting.length > 0);
    site.store.early = () => true;
    site.store.held = false;
    site.store.release();
    await until(() => site.node.hub.connectionsOf(ANNA) === 1);
    site.node.log.commit(ends);
    expect(await client.end()).toBe(4003);
  });

  it('[A1] a command that was sent after the end is not carried out', async () => {
    const phone = await site.live();
    site.node.log.commit(ends);
    phone.send(send(1, 'too late'));
    expect(await phone.end()).toBe(4003);
    expect(site.executed).toEqual([]);
  });

  it('a new role holds for the next command', async () => {
    const anna = await site.live();
    site.node.log.commit({ stream: ANNA, type: 'user.changed', body: { role: 'admin' } });
    anna.send(send(1, 'x'));
    await reply(anna, 1);
    expect(site.executed[0]?.actor).toEqual({ user: ANNA, role: 'admin', session: 'phone' });
  });

  it('[A1] who is removed hears that the room is gone, and no more of it', async () => {
    const anna = await site.live();
    site.node.log.commit(...removes(ROOM, ANNA), sent(ROOM));
    await anna.frame('gone');
    anna.send({ type: 'ping' });
    await anna.frame('pong');
    expect(seqs(anna)).toEqual([]);
  });
});

describe('stopping', () => {
  it('answers what is under way, says when to come back, and takes nobody new', async () => {
    const anna = await site.live();
    site.held = [];
    anna.send(send(1, 'under way'));
    await until(() => site.executed.length === 1);
    const closing = site.gateway.close();
    await expect(site.connect()).rejects.toThrow('503');
    anna.send(send(2, 'too late'));
    await turns(20);
    expect(anna.closed).toBeNull();
    site.release();
    expect(await anna.end()).toBe(1001);
    await closing;
    expect(anna.frames.map(({ type }) => type)).toEqual(['message.sent', 'reply', 'goodbye']);
    expect(anna.frames.at(-1)).toMatchObject({ code: 1001, reconnect: true, retryAfter: 2.5 });
    expect(site.executed).toHaveLength(1);
    expect(site.gateway.size).toBe(0);
  });

  it('waits no longer than it may: for a command that hangs, and for a client that does not go', async () => {
    const hanging = await site.live();
    site.held = [];
    hanging.send(send(1, 'hangs'));
    await until(() => site.executed.length === 1);
    const deaf = await site.raw();
    await until(() => site.gateway.size === 2);
    let closed = false;
    const closing = site.gateway.close().then(() => {
      closed = true;
    });
    await turns(10);
    expect(closed).toBe(false);
    site.clock.advance(5_000);
    expect(await hanging.end()).toBe(1001);
    expect(closed).toBe(false);
    site.clock.advance(5_000);
    await closing;
    await until(() => deaf.ended);
  });
});
