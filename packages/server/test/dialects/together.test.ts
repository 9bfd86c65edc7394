/** All dialects and the native API in one room: one log, told to each in its own shape, encoded once for each. */
import { SYSTEM_ACTOR } from '@natter/protocol';
import type { Encoding } from '@natter/server/hub/encoding';
import { Entry } from '@natter/server/hub/run';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../client/server.js';
import { crowd, gather, type Told, type Voice } from './voices.js';
import { fresh, openWorld, type World } from './world.js';

const COUNT = 1_000;
/** Seconds where the machine is free; beside the rest of the suite it takes longer. */
const PATIENCE_MS = 100_000;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** What the log says, in its order. */
async function logged(room: number): Promise<Told[]> {
  const rows = await world.app.parts.store.db
    .selectFrom('messages')
    .innerJoin('users', 'users.id', 'messages.author')
    .select(['users.name', 'messages.text'])
    .where('room', '=', room)
    .orderBy('seq')
    .execute();
  return rows.map(({ name, text }) => ({ by: name, text }));
}

/** Everybody says their part at the same time, every fifth message by HTTP where there is a way. */
async function sayAll(voices: readonly Voice[], count: number): Promise<Told[]> {
  const parts = voices.map(({ name }, at) => {
    const share = Math.floor(count / voices.length) + (at < count % voices.length ? 1 : 0);
    return Array.from({ length: share }, (_, i): Told => ({ by: name, text: `${i} von ${name}: “Grüße” 👋` }));
  });
  await Promise.all(
    voices.map(async ({ say, post }, at) => {
      for (const [i, { text }] of parts[at]?.entries() ?? []) {
        if (post && i % 5 === 0) await post(text);
        else say(text);
        // Others have their turn.
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  return parts.flat();
}

const lines = (told: readonly Told[]): string[] => told.map(({ by, text }) => `${by}: ${text}`);

describe('one room', () => {
  it(
    `[D1][H2] passes ${COUNT} messages from six APIs to all six, each once, in the same order`,
    async () => {
      const { room, voices, close } = await gather(world);
      try {
        const said = await sayAll(voices, COUNT);
        const all = voices.flatMap(({ told }) => told);
        await eventually('everybody has heard all', () => all.every((told) => told.length >= COUNT), PATIENCE_MS);
        // Had anybody been told twice, it would have come before this.
        voices[0]?.say('the end');
        await eventually('the end', () => all.every((told) => told.at(-1)?.text === 'the end'));
        const log = lines(await logged(room));
        expect(log.slice(0, COUNT).sort()).toEqual(lines(said).sort());
        for (const { api, told } of voices) expect([api, told.map(lines)]).toEqual([api, [log]]);
      } finally {
        close();
      }
    },
    2 * PATIENCE_MS,
  );
});

describe('[D3] a room that was made through one API', () => {
  /** How each API reads a room by its id. */
  const reads = (room: number): string[] => [
    `/rooms/get_users_in_room/${room}`,
    `/api/chat/rooms/${room}/messages`,
    `/api/v1/messages/chat/${room}`,
    `/groups/${room}/messages`,
    `/api/v1/rooms/${room}/messages`,
  ];
  const statuses = async (room: number, token: string): Promise<number[]> => {
    const found: number[] = [];
    for (const path of reads(room)) found.push((await world.ask('GET', path, { token })).status);
    return found;
  };

  it('is entered by its id through those that know open rooms, and is then there in all', async () => {
    const people = crowd(world);
    const nora = await world.native();
    const [ann, ben, dan] = [
      await people['000'].join('a'),
      await people['001'].join('b'),
      await people['004'].join('d'),
    ];
    const system = { user: SYSTEM_ACTOR, role: 'system' as const, session: null };
    await world.app.parts.core.execute(system, { type: 'user.set_role', user: dan.id, role: 'admin' });
    const body = { kind: 'channel', visibility: 'public', name: fresh('Open') };
    const rooms = [
      await people['000'].create(ann, fresh('Open')),
      await people['001'].room(ben),
      await people['004'].room(dan),
      (await world.ask('POST', '/v1/rooms', { token: nora.token, body })).body.id,
    ];
    const ways = [
      ['POST', () => '/rooms/join_room', (room: number) => ({ body: { room_id: room } })],
      ['GET', (room: number) => `/api/chat/rooms/${room}/messages`, () => ({})],
      ['GET', (room: number) => `/api/v1/rooms/${room}/messages`, () => ({})],
    ] as const;
    for (const room of rooms) {
      for (const [method, path, ask] of ways) {
        const { token } = await people['002'].join('guest');
        const outside = await world.ask('GET', `/api/v1/messages/chat/${room}`, { token });
        expect(outside.status).toBe(400);
        expect((await world.ask(method, path(room), { token, ...ask(room) })).status).toBe(200);
        expect(await statuses(room, token)).toEqual([200, 200, 200, 200, 200]);
      }
    }
  });

  it('is nowhere to be found where it is private, until its owner adds one, through whichever API', async () => {
    const people = crowd(world);
    const nora = await world.native();
    const [ben, cid] = [await people['002'].join('b'), await people['003'].join('c')];
    const some = await people['002'].join('some');
    const body = { kind: 'group', name: 'closed', members: [some.id] };
    const rooms = [
      [ben.token, await people['002'].group(ben, [some])],
      [cid.token, await people['003'].group(cid, [some])],
      // The native token opens the dialects too.
      [nora.token, (await world.ask('POST', '/v1/rooms', { token: nora.token, body })).body.id],
    ] as const;
    for (const [owner, room] of rooms) {
      for (const path of [`/api/v1/chats/${room}/participants`, `/groups/${room}/members`]) {
        const guest = await people['001'].join('guest');
        expect(await statuses(room, guest.token)).toEqual([404, 404, 400, 403, 404]);
        const enter = await world.ask('POST', '/rooms/join_room', { token: guest.token, body: { room_id: room } });
        expect(enter.status).toBe(404);
        const added = await world.ask('POST', path, { token: owner, body: { user_ids: [guest.id] } });
        expect(added.status).toBe(200);
        expect(await statuses(room, guest.token)).toEqual([200, 200, 200, 200, 200]);
      }
    }
  });
});

describe('frames', () => {
  it('are made once for each dialect and event, however many sockets hear it', async () => {
    const { voices, close } = await gather(world, 3);
    const made = new Map<string, number>();
    const counted = new WeakSet<Encoding>();
    const { frame } = Entry.prototype;
    Entry.prototype.frame = function (encoding, fromSeq) {
      if (!counted.has(encoding)) {
        counted.add(encoding);
        const event = encoding.event.bind(encoding);
        encoding.event = (one) => {
          const key = `${encoding.name} ${one.seq}`;
          if (one.type === 'message.sent') made.set(key, (made.get(key) ?? 0) + 1);
          return event(one);
        };
      }
      return frame.call(this, encoding, fromSeq);
    };
    try {
      await sayAll(voices, 60);
      const all = voices.flatMap(({ told }) => told);
      expect(all).toHaveLength(18);
      await eventually('everybody has heard all', () => all.every((told) => told.length >= 60));
      const times = (api: string) => [...made].flatMap(([key, count]) => (key.startsWith(`${api} `) ? [count] : []));
      for (const { api } of voices) expect([api, times(api)]).toEqual([api, Array(60).fill(1)]);
      expect(made.size).toBe(6 * 60);
    } finally {
      Entry.prototype.frame = frame;
      close();
    }
  });
});
