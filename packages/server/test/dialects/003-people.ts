/** People who use dialect 003 as its document says: they register, write to each other, make groups, connect and join rooms. */
import { expect } from 'vitest';
import { type Answered, type Ask, type Client, type Frame, fresh, type World } from './world.js';

export interface Person {
  id: number;
  username: string;
  email: string;
  token: string;
  refresh: string;
}

export const PASSWORD = 'securepass123';

export class People {
  readonly #world: () => World;

  constructor(world: () => World) {
    this.#world = world;
  }

  async join(word: string, fullName?: string): Promise<Person> {
    const username = fresh(word);
    const email = `${username}@example.com`;
    const body = { username, email, password: PASSWORD, full_name: fullName };
    const made = await this.ask('POST', '/auth/register', { body });
    expect(made.status).toBe(201);
    const { user, tokens } = made.body;
    return { id: user.id, username, email, token: tokens.access_token, refresh: tokens.refresh_token };
  }

  /** The same person on another device. */
  async device(person: Person, name = person.username, password = PASSWORD): Promise<Person> {
    const login = await this.ask('POST', '/auth/login', { body: { username: name, password } });
    expect(login.status).toBe(200);
    const { access_token, refresh_token } = login.body.tokens;
    return { ...person, token: access_token, refresh: refresh_token };
  }

  /** A direct message; answers its data. */
  async write(from: Person, to: { id: number }, content: string): Promise<{ id: number; chat_room_id: number }> {
    const body = { recipient_id: to.id, content };
    const sent = await this.ask('POST', '/messages/send', { token: from.token, body });
    expect(sent.status).toBe(201);
    return sent.body.data;
  }

  async group(creator: Person, others: { id: number }[], name = 'Team'): Promise<number> {
    const body = { name, member_ids: others.map(({ id }) => id) };
    const made = await this.ask('POST', '/groups/create', { token: creator.token, body });
    expect(made.status).toBe(201);
    return made.body.group.id;
  }

  ask(method: string, path: string, ask?: Ask): Promise<Answered> {
    return this.#world().ask(method, path, ask);
  }

  /** A socket that was welcomed. */
  async connect({ token, id, username }: Person): Promise<Client> {
    const client = await this.#world().socket(`/ws/${token}`);
    expect(await client.next()).toEqual({
      type: 'connected',
      user_id: id,
      username,
      message: 'Connected to chat server',
    });
    return client;
  }

  /** A socket that has joined a room. */
  async inRoom(person: Person, room: number): Promise<Client> {
    const client = await this.connect(person);
    await enter(client, room);
    return client;
  }
}

export async function enter(client: Client, room: number): Promise<void> {
  client.send({ type: 'join_room', room_id: room });
  expect(await client.next()).toEqual({ type: 'room_joined', room_id: room, message: `Joined room ${room}` });
}

/** All that came up to now. */
export const heard = (client: Client): Promise<Frame[]> =>
  client.heard({ type: 'ping' }, (frame) => frame.type === 'pong');
