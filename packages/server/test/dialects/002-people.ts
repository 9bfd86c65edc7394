/** People who use dialect 002 as its document says: they register, log in, open chats and connect. */
import { expect } from 'vitest';
import { type Answered, type Ask, type Client, type Frame, fresh, type World } from './world.js';

export interface Person {
  id: number;
  username: string;
  token: string;
}

export const PASSWORD = 'secret123';
export const api = '/api/v1';

export class People {
  readonly #world: () => World;

  constructor(world: () => World) {
    this.#world = world;
  }

  async join(word: string, fullName?: string): Promise<Person> {
    const username = fresh(word);
    const made = await this.ask('POST', '/users/register', {
      body: { username, email: `${username}@example.com`, password: PASSWORD, full_name: fullName },
    });
    expect(made.status).toBe(201);
    return { id: made.body.id, username, token: await this.login(username) };
  }

  async login(username: string): Promise<string> {
    const login = await this.ask('POST', '/users/login', { body: { username, password: PASSWORD } });
    expect(login.status).toBe(200);
    return login.body.access_token;
  }

  async direct(one: Person, other: Person): Promise<number> {
    const made = await this.ask('POST', '/chats/', {
      token: one.token,
      body: { chat_type: 'direct', participant_ids: [other.id] },
    });
    expect(made.status).toBe(201);
    return made.body.id;
  }

  async group(owner: Person, others: { id: number }[], name: string | null = 'Team'): Promise<number> {
    const made = await this.ask('POST', '/chats/', {
      token: owner.token,
      body: { chat_type: 'group', name, participant_ids: others.map(({ id }) => id) },
    });
    expect(made.status).toBe(201);
    return made.body.id;
  }

  ask(method: string, path: string, ask?: Ask): Promise<Answered> {
    return this.#world().ask(method, api + path, ask);
  }

  connect(person: Person, chat: number): Promise<Client> {
    return this.#world().socket(`${api}/ws/${chat}?token=${person.token}`);
  }
}

/** All that came up to now. */
export const heard = (client: Client, chat: number): Promise<Frame[]> =>
  client.heard({ type: 'ping', chat_id: chat }, (frame) => frame.type === 'pong');
