/** People who use dialect 000 as its document says: they register, log in, make rooms, join them by name and connect. */
import { expect } from 'vitest';
import { type Answered, type Ask, type Client, type Frame, fresh, type World } from './world.js';

export interface Person {
  username: string;
  token: string;
}

export const PASSWORD = 'secret123';
export const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

export class People {
  readonly #world: () => World;

  constructor(world: () => World) {
    this.#world = world;
  }

  async join(word: string): Promise<Person> {
    const username = fresh(word);
    const made = await this.ask('POST', '/users/create_user', {
      body: { username, email: `${username}@example.com`, password: PASSWORD },
    });
    expect([made.status, made.body]).toEqual([
      200,
      { message: 'User created successfully', jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) },
    ]);
    return { username, token: made.body.jwt };
  }

  /** A room of this name, or of a fresh one; those who are named join it. Answers its name. */
  async room(owner: Person, others: readonly Person[] = [], name = fresh('room')): Promise<string> {
    expect(await this.create(owner, name)).toBeGreaterThan(0);
    for (const other of others) await this.enter(other, name);
    return name;
  }

  /** Answers the id. */
  async create(owner: Person, name: string): Promise<number> {
    const made = await this.ask('POST', '/rooms/create_room', { token: owner.token, body: { name } });
    expect([made.status, made.body.message]).toEqual([200, `Room '${name}' created successfully.`]);
    return made.body.room_id;
  }

  async enter(person: Person, name: string): Promise<void> {
    const joined = await this.ask('POST', `/rooms/join_room?room_name=${encodeURIComponent(name)}`, {
      token: person.token,
    });
    expect([joined.status, joined.body]).toEqual([
      200,
      { message: `User '${person.username}' joined room '${name}' successfully.` },
    ]);
  }

  async leave(person: Person, room: string | number): Promise<void> {
    const left = await this.ask('DELETE', `/rooms/leave_room/${encodeURIComponent(room)}`, { token: person.token });
    expect(left.status).toBe(200);
  }

  ask(method: string, path: string, ask?: Ask): Promise<Answered> {
    return this.#world().ask(method, path, ask);
  }

  connect(person: Person): Promise<Client> {
    return this.#world().socket(`/ws/rooms?token=${person.token}`);
  }
}

let probes = 0;

/** All that came up to now: what one says oneself comes back behind all that was said before. */
export function heard(client: Client, room: string): Promise<Frame[]> {
  probes += 1;
  const probe = probes;
  return client.heard({ room, probe }, (frame) => frame.probe === probe);
}
