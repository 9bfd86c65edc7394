/** Bad input to every socket of every dialect: nobody is let in who has no business there, nothing fails, and others go on. */
import type { RoomId } from '@natter/protocol';
import { DIALECTS, type DialectName } from '@natter/server/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Random } from '../simulation/random.js';
import { actor, BODIES, keep, ODD, SECRET, Siege, tokenOf } from './siege.js';
import { type Client, fresh, openWorld, type World } from './world.js';

const SEED = Number(process.env.SEED ?? 1);

let siege: Siege;
let world: World;
beforeAll(async () => {
  siege = await Siege.open();
  ({ world } = siege);
});
afterAll(() => siege.close());

/** Where each dialect has its sockets, for one room. */
const SOCKETS: Record<DialectName, (room: RoomId, token: string) => string> = {
  '002': (room, token) => `/api/v1/ws/${room}?token=${token}`,
  '000': (_room, token) => `/ws/rooms?token=${token}`,
  '001': (room, token) => `/ws/${room}?token=${token}`,
  '003': (_room, token) => `/ws/${token}`,
  '004': (room, token) => `/api/v1/ws/${room}?token=${token}`,
};

const MEMBERS = [
  'type',
  'content',
  'chat_id',
  'room_id',
  'room',
  'room_name',
  'message',
  'cursor',
  'limit',
  'is_typing',
  'user',
  'timestamp',
  'data',
  'receiver_id',
  'group_id',
  '__proto__',
];
const TYPES = [
  'message',
  'typing',
  'ping',
  'pong',
  'join_room',
  'leave_room',
  'fetch_messages',
  'new_message',
  'system',
  'error',
  'start',
  'info',
];

const DEEP = `${'['.repeat(25_000)}${']'.repeat(25_000)}`;

/** `own`: what the sender has a right to speak of. */
function oddFrame(random: Random, own: unknown[]): string {
  if (random.chance(0.15)) return random.pick(BODIES.filter((text) => text.length < 60_000));
  const frame: Record<string, unknown> = {};
  for (let i = random.below(5); i >= 0; i -= 1) {
    const others = random.chance(0.5) ? random.pick(siege.ids) : random.pick(siege.rooms).name;
    const odd = random.pick(ODD.filter((one) => JSON.stringify(one).length < 60_000));
    frame[random.pick(MEMBERS)] = random.pick([random.pick(own), others, others, odd]);
  }
  if (random.chance(0.8)) frame.type = random.pick(TYPES);
  if (random.chance(0.9)) return JSON.stringify(frame);
  frame[random.pick(MEMBERS)] = 'deep';
  return JSON.stringify(frame).replace('"deep"', DEEP);
}

/** Waits until the server has read all that was sent, or closed the socket. */
async function read({ ws }: Client): Promise<void> {
  if (ws.readyState === WebSocket.CLOSED) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      ws.off('close', done);
      ws.off('pong', done);
      resolve();
    };
    ws.on('close', done);
    ws.on('pong', done);
    ws.ping();
  });
}

describe.each(DIALECTS)('every socket of dialect %s', (dialect) => {
  it('lets no stranger into what is others’', async () => {
    const token = await siege.token(dialect);
    const strange = [0, 999_999_999, '00', '1e3', '-1', 'x', '%00', 'a/b', '9'.repeat(15), '9'.repeat(40)];
    for (const id of [...siege.rooms.map((room) => room.id), siege.owner, siege.friend, ...strange]) {
      for (const path of [
        `/ws/${id}?token=${token}`,
        `/api/v1/ws/${id}?token=${token}`,
        `/ws/rooms/${id}?token=${token}`,
      ]) {
        expect(await world.refusal(path), path).toEqual({ status: 403, body: '' });
      }
    }
    const path = SOCKETS[dialect](siege.rooms[0]?.id ?? 0, 'x.y.z');
    for (const target of [
      path,
      path.replace('x.y.z', ''),
      path.replace('x.y.z', '%00'),
      path.replace('x.y.z', `${token}x`),
    ]) {
      expect(await world.refusal(target), target).toEqual({ status: 403, body: '' });
    }
  });

  it('stands any frame, and tells nothing of rooms that it is not in; others go on as if nothing were', async () => {
    const random = new Random(SEED);
    const { owner, friend, mallory } = siege;
    const { core } = world.app.parts;
    const name = fresh('open ');
    const made = await core.execute(
      actor(owner),
      { type: 'room.create', kind: 'channel', visibility: 'public', name, members: [mallory, friend] },
      { dialect },
    );
    if (!made.ok) throw new Error(made.code);
    const room = made.result.stream;
    const witness = await world.socket('/v1/socket');
    witness.send({ type: 'hello', token: await tokenOf(world, friend, '') });
    await witness.frame('live');

    let socket: Client | null = null;
    const texts: string[] = [];
    let said = 0;
    for (let i = 0; i < 400; i += 1) {
      if (!socket || socket.closed) {
        texts.push(...(socket?.texts ?? []));
        socket = await world.socket(SOCKETS[dialect](room, await siege.token(dialect)));
      }
      const frame = oddFrame(random, [room, name, 'hello', mallory]);
      socket.send(frame);
      if (i % 5 === 0) {
        const hidden = random.pick(siege.rooms).id;
        const sent = await Promise.all([
          core.execute(actor(owner), { type: 'message.send', room: hidden, text: SECRET }),
          core.execute(actor(owner), { type: 'message.send', room, text: `${said}` }),
        ]);
        expect(sent.map(({ ok }) => ok)).toEqual([true, true]);
        said += 1;
      }
      await read(socket);
      // A socket may be closed for what it said, not because the server failed.
      if (!socket.closed) continue;
      expect([1000, 1003, 1006, 1007, 1008, 1009], `seed ${SEED}, frame ${i}: ${frame.slice(0, 200)}`).toContain(
        socket.closed.code,
      );
    }
    texts.push(...(socket?.texts ?? []));
    expect(texts.join('\n')).not.toContain(SECRET);
    for (let n = 0; n < said; n += 1) {
      const heard = await witness.frame('message.sent', ({ stream, actor: by }) => stream === room && by === owner);
      expect(heard.body.text).toBe(`${n}`);
    }
  });
});

it('all is there afterwards, and nothing has failed', () => siege.expectUnharmed());

it('a frame that brings something down brings down its own socket, and no more', async () => {
  const failed: string[] = [];
  const fragile = await openWorld({ DIALECTS: '002' }, keep(failed));
  try {
    const nora = await fragile.native();
    const body = { kind: 'group', name: 'Both' };
    const { id } = (await fragile.ask('POST', '/v1/rooms', { token: nora.token, body })).body;
    const path = `/api/v1/ws/${id}?token=${nora.token}`;
    const [socket, other] = [await fragile.socket(path), await fragile.socket(path)];
    const { hub } = fragile.app;
    const { typing } = hub;
    hub.typing = () => {
      throw new Error('a bug');
    };
    socket.send({ type: 'typing', chat_id: id, content: 'start' });
    expect(await socket.end()).toBe(1011);
    hub.typing = typing;
    other.send({ type: 'ping', chat_id: id });
    expect((await other.frame('pong')).type).toBe('pong');
    await expect.poll(() => failed.filter((line) => line.includes('a bug'))).toHaveLength(1);
  } finally {
    await fragile.close();
  }
});

it('who writes in a room that was archived meanwhile is told so in the words of each API, and stays', async () => {
  const { owner } = siege;
  const { core } = world.app.parts;
  for (const dialect of DIALECTS) {
    const name = fresh('closing ');
    const made = await core.execute(
      actor(owner),
      { type: 'room.create', kind: 'channel', visibility: 'public', name },
      { dialect },
    );
    if (!made.ok) throw new Error(made.code);
    const room = made.result.stream;
    const socket = await world.socket(SOCKETS[dialect](room, await tokenOf(world, owner, dialect)));
    const frame = { type: 'message', room: name, room_id: room, chat_id: room, content: 'late' };
    expect(await core.execute(actor(owner), { type: 'room.archive', room })).toMatchObject({ ok: true });
    socket.send(frame);
    await socket.frame(dialect === '001' ? 'system' : 'error', ({ message = '', content = '' }) =>
      /archived/.test(message + content),
    );
    expect(socket.closed).toBe(null);
  }
});

it('who asks too often is told so in the words of each API, over HTTP and on the socket', async () => {
  const hasty = await openWorld({ LIMITS: 'on', RATE_SENDS_PER_USER: '3' });
  try {
    const login = { username: fresh('hasty'), password: 'correct horse' };
    const { accounts, core } = hasty.app.parts;
    const made = await accounts.create({ name: login.username, password: login.password }, 'user');
    if (!made.ok) throw new Error(made.code);
    for (const dialect of ['002', '004'] as const) {
      const room = await core.execute(
        actor(made.value),
        { type: 'room.create', kind: 'channel', visibility: 'public', name: fresh('hasty ') },
        { dialect },
      );
      if (!room.ok) throw new Error(room.code);
      const { stream: id } = room.result;
      const socket = await hasty.socket(SOCKETS[dialect](id, await tokenOf(hasty, made.value, dialect)));
      for (let i = 0; i < 5; i += 1) socket.send({ type: 'message', chat_id: id, content: `${i}` });
      const { message } = await socket.frame('error');
      expect(message).toMatch(/too many messages/i);
      expect(socket.closed).toBe(null);
    }
  } finally {
    await hasty.close();
  }
});
