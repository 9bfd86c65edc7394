/** People who use dialect 001 as its document says: they register, log in by form, make rooms and connect. */
import { expect } from 'vitest';
import { type Answered, type Ask, type Client, type Frame, fresh, type World } from './world.js';

export interface Person {
  id: number;
  username: string;
  token: string;
}

export const PASSWORD = 'testpassword';

export class People {
  readonly #world: () => World;

  constructor(world: () => World) {
    this.#world = world;
  }

  async join(word: string): Promise<Person> {
    const username = fresh(word);
    const made = await this.ask('POST', '/register', {
      body: { username, email: `${username}@example.com`, password: PASSWORD },
    });
    expect(made.status).toBe(201);
    return { id: made.body.id, username, token: await this.login(username) };
  }

  async login(username: string): Promise<string> {
    const login = await this.ask('POST', '/login', { form: { username, password: PASSWORD } });
    expect(login.status).toBe(200);
    return login.body.access_token;
  }

  /** A room of this name, or of one that no other has. */
  async room({ token }: Person, name = fresh('room')): Promise<number> {
    const made = await this.ask('POST', '/chat/rooms', { token, body: { name } });
    expect(made.status).toBe(201);
    return made.body.id;
  }

  async post({ token }: Person, room: number, content: string): Promise<Answered['body']> {
    const sent = await this.ask('POST', `/chat/rooms/${room}/messages`, { token, body: { content } });
    expect(sent.status).toBe(201);
    return sent.body;
  }

  async contents({ token }: Person, room: number, query = ''): Promise<string[]> {
    const { status, body } = await this.ask('GET', `/chat/rooms/${room}/messages${query}`, { token });
    expect(status).toBe(200);
    return body.map(({ content }: { content: string }) => content);
  }

  ask(method: string, path: string, ask?: Ask): Promise<Answered> {
    return this.#world().ask(method, `/api${path}`, ask);
  }

  /** A socket of which the room was told. */
  async connect({ token, username }: Person, room: number): Promise<Client> {
    const socket = await this.#world().socket(`/ws/${room}?token=${token}`);
    expect(await socket.next()).toEqual(joined(username));
    return socket;
  }
}

export const joined = (username: string): Frame => ({
  type: 'system',
  content: `User ${username} has joined the chat`,
});
export const left = (username: string): Frame => ({ type: 'system', content: `User ${username} has left the chat` });

/** All that came up to now. */
export const heard = (client: Client): Promise<Frame[]> =>
  client.heard('?', (frame) => frame === 'Invalid JSON format. Please send proper JSON.');
