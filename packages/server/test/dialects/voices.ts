/** Six ways into one room, one for each dialect and the native SDK: how each comes in, says something, and what it is told. */
import { NatterClient } from '@natter/client';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { People as MulChat } from './000-people.js';
import { People as RealTimeChat } from './001-people.js';
import { People as ChatService } from './002-people.js';
import { People as StreamlitChat } from './003-people.js';
import { People as SimpleChat } from './004-people.js';
import type { Client, Frame, World } from './world.js';

/** A message as somebody was told of it. */
export interface Told {
  by: string;
  text: string;
}

export interface Voice {
  api: string;
  name: string;
  /** Says it on the socket. */
  say(text: string): void;
  /** Says it by HTTP, where the API has a way. */
  post?: (text: string) => Promise<void>;
  /** All messages that each of its sockets was told of, in that order. */
  readonly told: readonly (readonly Told[])[];
}

/** What a socket is told, from here on. */
function listen(client: Client, read: (frame: Frame) => Told | null): Told[] {
  const told: Told[] = [];
  client.ws.on('message', (data: Buffer) => {
    const message = read(JSON.parse(data.toString()));
    if (message) told.push(message);
  });
  return told;
}

const readers = {
  '000': ({ type, user, message }: Frame): Told | null => (type === 'chat' ? { by: user, text: message } : null),
  '001': ({ type, username, content }: Frame): Told | null =>
    type === 'message' ? { by: username, text: content } : null,
  '002': ({ type, message }: Frame): Told | null =>
    type === 'new_message' ? { by: message.sender_username, text: message.content } : null,
  '003': ({ type, sender_username, content }: Frame): Told | null =>
    type === 'new_message' ? { by: sender_username, text: content } : null,
  '004': ({ type, data }: Frame): Told | null =>
    type === 'message' ? { by: data.username, text: data.content } : null,
};

const hear = (api: keyof typeof readers, client: Client): Told[] => listen(client, readers[api]);

/** People of each API. */
export function crowd(world: World) {
  const of = () => world;
  return {
    '000': new MulChat(of),
    '001': new RealTimeChat(of),
    '002': new ChatService(of),
    '003': new StreamlitChat(of),
    '004': new SimpleChat(of),
  };
}

/**
 * A public room that was made through 001, and six who have come into it, each as their own API has it, with so many
 * sockets each: all hear, the first one speaks.
 */
export async function gather(world: World, sockets = 1): Promise<{ room: number; voices: Voice[]; close: () => void }> {
  const people = crowd(world);
  const ask = async (method: string, path: string, token: string, body?: object): Promise<void> => {
    const { status, body: said } = await world.ask(method, path, { token, ...(body ? { body } : {}) });
    expect([status < 300, said]).toEqual([true, expect.anything()]);
  };
  const open = async (connect: () => Promise<Client>): Promise<Client[]> => {
    const opened: Client[] = [];
    for (let i = 0; i < sockets; i += 1) opened.push(await connect());
    return opened;
  };
  const voice = (
    api: keyof typeof readers,
    name: string,
    clients: readonly Client[],
    ways: { say: (text: string) => object; post?: (text: string) => Promise<void> },
  ): Voice => ({
    api,
    name,
    say: (text) => clients[0]?.send(ways.say(text)),
    ...(ways.post ? { post: ways.post } : {}),
    told: clients.map((client) => hear(api, client)),
  });

  // Whoever makes a room lets it be seen by all of this API …
  const una = await people['001'].join('una');
  const room = await people['001'].room(una);
  // … to whom a channel is open, enters it by its id …
  const zoe = await people['000'].join('zoe');
  await ask('POST', '/rooms/join_room', zoe.token, { room_id: room });
  const nora = await world.native();
  await ask('PUT', `/v1/rooms/${room}/members/me`, nora.token);
  const quad = await people['004'].join('quad');
  // … and where one must be added, its owner adds.
  const duo = await people['002'].join('duo');
  await ask('POST', `/api/v1/chats/${room}/participants`, una.token, { user_ids: [duo.id] });
  const tri = await people['003'].join('tri');
  await ask('POST', `/groups/${room}/members`, una.token, { user_ids: [tri.id] });

  const voices: Voice[] = [
    voice('000', zoe.username, await open(() => people['000'].connect(zoe)), {
      say: (text) => ({ room, message: text }),
    }),
    voice('001', una.username, await open(() => people['001'].connect(una, room)), {
      say: (text) => ({ content: text }),
      post: (text) => ask('POST', `/api/chat/rooms/${room}/messages`, una.token, { content: text }),
    }),
    voice('002', duo.username, await open(() => people['002'].connect(duo, room)), {
      say: (text) => ({ type: 'message', chat_id: room, content: text }),
      post: (text) => ask('POST', '/api/v1/messages/', duo.token, { chat_id: room, content: text }),
    }),
    voice('003', tri.username, await open(() => people['003'].inRoom(tri, room)), {
      say: (text) => ({ type: 'message', room_id: room, content: text }),
      post: (text) => ask('POST', '/groups/send', tri.token, { group_id: room, content: text }),
    }),
    voice('004', quad.username, await open(() => people['004'].enter(quad, room)), {
      say: (text) => ({ type: 'message', content: text }),
    }),
  ];

  // Now all are in it, so that each name is known.
  const members = await world.app.parts.queries.records.placeMembers(
    { user: nora.id, role: 'user', session: null },
    room,
  );
  const names = new Map(members?.map(({ person }) => [person.id, person.name]));
  expect(names.size).toBe(6);
  const clients = Array.from({ length: sockets }, () => {
    const sdk = new NatterClient({ url: world.url, token: async () => nora.token, user: nora.id, WebSocket });
    const told: Told[] = [];
    sdk.on('event', (event) => {
      if (event.stream !== room || event.type !== 'message.sent') return;
      told.push({ by: names.get(event.actor) ?? '', text: event.body.text });
    });
    return { sdk, told };
  });
  for (const { sdk } of clients) await sdk.connect();
  voices.push({
    api: 'native',
    name: nora.name,
    say: (text) => void clients[0]?.sdk.send('message.send', { room, text }),
    post: (text) => ask('POST', `/v1/rooms/${room}/messages`, nora.token, { text }),
    told: clients.map(({ told }) => told),
  });
  return { room, voices, close: () => clients.forEach(({ sdk }) => sdk.close()) };
}
