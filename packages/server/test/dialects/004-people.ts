/** People who use dialect 004 as its document says: they register, log in, and connect to rooms that admins have made. */
import { expect } from 'vitest';
import { type Answered, type Ask, type Client, type Frame, fresh, type World } from './world.js';

export interface Person {
  id: number;
  username: string;
  email: string;
  token: string;
  refresh: string;
}

export const PASSWORD = 'abc';
export const api = '/api/v1';

export class People {
  readonly #world: () => World;

  constructor(world: () => World) {
    this.#world = world;
  }

  /** The first one of a server is its admin. */
  async join(word: string): Promise<Person> {
    const username = fresh(word);
    const email = `${username}@example.com`;
    const made = await this.ask('POST', '/auth/register', { body: { username, email, password: PASSWORD } });
    expect(made.status).toBe(200);
    const login = await this.ask('POST', '/auth/login', { body: { username, password: PASSWORD } });
    expect(login.status).toBe(200);
    const { access_token: token, refresh_token: refresh } = login.body;
    return { id: made.body.user.id, username, email, token, refresh };
  }

  async room(admin: Person, name = fresh('Room '), description?: string | null): Promise<number> {
    const made = await this.ask('POST', '/rooms/', { token: admin.token, body: { name, description } });
    expect(made.status).toBe(200);
    return made.body.id;
  }

  ask(method: string, path: string, ask?: Ask): Promise<Answered> {
    return this.#world().ask(method, api + path, ask);
  }

  /** A socket, its first frame still to be read. */
  connect({ token }: { token: string }, room: number): Promise<Client> {
    return this.#world().socket(`${api}/ws/${room}?token=${token}`);
  }

  /** A socket that has read its first frame. */
  async enter(person: { token: string }, room: number): Promise<Client> {
    const client = await this.connect(person, room);
    expect((await client.next()).type).toBe('messages_history');
    return client;
  }
}

/** All that came up to now. */
export const heard = (client: Client): Promise<Frame[]> =>
  client.heard({ type: 'probe' }, (frame) => frame.message === 'Unknown message type: probe');

/** Sends, and waits until it is back. */
export async function say(client: Client, content: string): Promise<Frame> {
  client.send({ type: 'message', content });
  return (await client.frame('message', ({ data }) => data.content === content.trim())).data;
}

/** What pages of history say, from the newest to the oldest, by the cursor that each gives. */
export async function walk(client: Client, limit: number, between: () => Promise<void> = async () => {}) {
  const pages: Frame[][] = [];
  let cursor: number | null | undefined;
  do {
    client.send({ type: 'fetch_messages', limit, ...(cursor === undefined ? {} : { cursor }) });
    const { data } = await client.frame('messages_history');
    expect(data.next_cursor).toBe(data.has_more ? data.messages[0].id : null);
    pages.push(data.messages);
    cursor = data.next_cursor;
    if (pages.length > 100) throw new Error('the walk takes for ever');
    await between();
  } while (cursor !== null);
  return pages;
}
