/** Twelve people with two devices each, who talk through the SDK and note everything: what they asked for, were told, and heard. */
import { NatterClient } from '@natter/client';
import type { NatterError } from '@natter/client/errors';
import type { CommandInput, CommandType, UserId } from '@natter/protocol';
import type { Random } from '../simulation/random.js';
import type { Cluster } from './cluster.js';
import { listeningTo, type Misstep } from './ear.js';
import { type Act, type Heard, heardOf, now, type Send, type Standing } from './history.js';
import { deafToReplies } from './tampering.js';
import { Wire } from './wire.js';

export const PASSWORD = 'correct horse battery staple';

/** The SDK's, but for impatience: what takes a minute by default is not waited for here. */
const TIMING = {
  pingAfter: 700,
  pongWithin: 1_500,
  openWithin: 4_000,
  answerWithin: 10_000,
  backoffFirst: 50,
  backoffMax: 400,
  stableAfter: 2_000,
};

export interface Person {
  id: UserId;
  name: string;
  token: string;
}

export class Device {
  readonly person: Person;
  readonly name: string;
  readonly wire: Wire;
  readonly client: NatterClient;
  readonly heard: Heard[] = [];
  readonly sends: Send[] = [];
  readonly acts: Act[] = [];
  /** What the SDK should never have had to say. */
  readonly complaints: string[] = [];
  /** What it put right by itself: the server should not have said it so. */
  readonly missteps: Misstep[] = [];
  /** When it was live: from, to. */
  readonly live: { from: number; to: number }[] = [];
  #said = 0;

  private constructor(person: Person, name: string, wire: Wire) {
    this.person = person;
    this.name = name;
    this.wire = wire;
    this.client = new NatterClient({
      url: `http://127.0.0.1:${wire.port}`,
      token: async () => person.token,
      WebSocket: listeningTo((misstep) => this.missteps.push(misstep)),
      timing: TIMING,
      user: person.id,
    });
    this.client.on('event', (event) => this.heard.push(heardOf(event, now())));
    this.client.on('hidden', (event) => this.heard.push(heardOf(event, now())));
    this.client.on('reset', ({ stream, seq }) => this.complaints.push(`stream ${stream} was reset to ${seq}`));
    this.client.on('failed', ({ entry }) => void this.client.outbox.cancel(entry.key));
    this.client.on('connection', (connection) => {
      const last = this.live.at(-1);
      if (connection.state === 'live') this.live.push({ from: now(), to: Number.POSITIVE_INFINITY });
      else if (last && last.to === Number.POSITIVE_INFINITY) last.to = now();
      if (connection.state === 'closed' && !['client', 'new'].includes(connection.reason)) {
        this.complaints.push(`closed for good: ${connection.reason}`);
      }
    });
  }

  static async make(person: Person, name: string, cluster: Cluster, deafness: () => number): Promise<Device> {
    const wire = await Wire.to(() => cluster.anyPort());
    wire.tamper = deafToReplies(cluster.random, deafness);
    return new Device(person, name, wire);
  }

  async say(room: number, extra = ''): Promise<Send> {
    this.#said += 1;
    const text = `${this.name} says ${this.#said}.${extra}`;
    const send: Send = {
      user: this.person.id,
      device: this.name,
      key: `${this.name}.${this.#said}`,
      room,
      text,
      invoked: now(),
      answered: null,
      seq: null,
      id: null,
      refused: null,
    };
    this.sends.push(send);
    try {
      const { seq, id } = await this.client.send('message.send', { room, text }, { key: send.key });
      send.seq = seq ?? null;
      send.id = id ?? null;
    } catch (error) {
      const { code } = error as NatterError;
      // Nobody knows what became of it.
      if (code === 'closed') return send;
      send.refused = code;
    }
    send.answered = now();
    return send;
  }

  async act<T extends CommandType>(type: T, input: CommandInput<T>): Promise<Act> {
    const act: Act = {
      user: this.person.id,
      type,
      input: input as Record<string, unknown>,
      invoked: now(),
      answered: null,
      refused: null,
      seq: null,
    };
    this.acts.push(act);
    try {
      const { seq } = await this.client.send(type, input, { queue: true });
      act.seq = seq ?? null;
    } catch (error) {
      const { code } = error as NatterError;
      if (code === 'closed') return act;
      act.refused = code;
    }
    act.answered = now();
    return act;
  }

  get settled(): boolean {
    return (
      this.sends.every(({ answered }) => answered !== null) && this.acts.every(({ answered }) => answered !== null)
    );
  }

  async close(): Promise<void> {
    this.client.close();
    await this.wire.close();
  }
}

/** Registers everybody and makes the rooms, while everything is well. */
export async function settle(
  cluster: Cluster,
  count: number,
  roomCount: number,
): Promise<{ people: Person[]; rooms: number[]; churning: number[] }> {
  const ask = async (method: string, path: string, body: object, token?: string) => {
    const response = await fetch(`${cluster.anyUrl()}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { user: { id: number }; id: number; accessToken: string };
  };
  const people: Person[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `person${index}`;
    const { user, accessToken } = await ask('POST', '/users', { name, password: PASSWORD });
    people.push({ id: user.id, name, token: accessToken });
  }
  const [owner, ...others] = people as [Person, ...Person[]];
  const rooms: number[] = [];
  for (let index = 0; index < roomCount; index += 1) {
    const input = { kind: 'group', name: `room ${index}`, members: others.map(({ id }) => id) };
    rooms.push((await ask('POST', '/rooms', input, owner.token)).id);
  }
  // In half of the rooms people come and go.
  return { people, rooms, churning: rooms.slice(Math.ceil(roomCount / 2)) };
}

export interface CrowdOptions {
  cluster: Cluster;
  random: Random;
  people: readonly Person[];
  devices: readonly Device[];
  rooms: readonly number[];
  churning: readonly number[];
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Everybody at once, until they are told to stop. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly standings: Standing[] = [];
  #going = true;
  readonly #doing: Promise<void>[] = [];

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  start(): void {
    const { devices, rooms, people } = this.#options;
    for (const device of devices) this.#doing.push(this.#talk(device));
    const began = now();
    for (const room of rooms) {
      for (const { id } of people) {
        this.standings.push({ user: id, room, member: true, from: began, to: Number.POSITIVE_INFINITY });
      }
    }
    this.#doing.push(this.#churn());
  }

  /** Nothing new is asked for; what was is waited for. */
  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#doing);
  }

  /** Is the user certainly in the room, or certainly not, all that time? Null: nobody can tell. */
  standing(user: UserId, room: number, from: number, to: number): boolean | null {
    const one = this.standings.find(
      (each) => each.user === user && each.room === room && each.from <= from && each.to >= to,
    );
    return one?.member ?? null;
  }

  async #talk(device: Device): Promise<void> {
    const { random, rooms } = this.#options;
    const own: { id: number; room: number }[] = [];
    const underWay = new Set<Promise<unknown>>();
    while (this.#going) {
      const choice = random.next();
      const room = random.pick(rooms);
      const known = own.length > 0 ? random.pick(own) : null;
      let doing: Promise<unknown>;
      if (choice < 0.7 || !known) {
        const extra = random.chance(0.1) ? ' @all' : random.chance(0.1) ? ` @person${random.below(12)}` : '';
        doing = device.say(room, extra).then(({ id }) => {
          if (id !== null) own.push({ id, room });
        });
      } else if (choice < 0.78) {
        doing = device.act('message.edit', { message: known.id, text: `edited by ${device.name} ${now()}` });
      } else if (choice < 0.83) {
        own.splice(own.indexOf(known), 1);
        doing = device.act('message.delete', { message: known.id });
      } else if (choice < 0.9) {
        doing = device.act(random.chance(0.7) ? 'reaction.add' : 'reaction.remove', { message: known.id, emoji: '👍' });
      } else {
        const row = device.client.rooms.get(room);
        // Now and then to a place before the one that was read already, which must change nothing [M2].
        const seq = row && random.chance(0.5) ? 1 + random.below(row.head) : row?.head;
        doing = seq ? device.act('read.move', { room, seq }) : Promise.resolve();
      }
      underWay.add(doing);
      void doing.finally(() => underWay.delete(doing));
      if (underWay.size >= 3) await Promise.race(underWay);
      await pause(150 + random.below(700));
    }
    await Promise.all(underWay);
  }

  /** The owner takes people out of rooms and brings them in again. */
  async #churn(): Promise<void> {
    const { random, people, devices, churning } = this.#options;
    const [owner, ...others] = people as [Person, ...Person[]];
    const device = devices.find(({ person }) => person === owner) as Device;
    while (this.#going) {
      await pause(150 + random.below(350));
      const room = random.pick(churning);
      const { id: user } = random.pick(others);
      const last = this.standings.findLast((each) => each.user === user && each.room === room);
      if (!last) continue;
      last.to = now();
      const act = last.member
        ? await device.act('member.remove', { room, user })
        : await device.act('member.add', { room, users: [user] });
      if (act.answered === null) return;
      const member = act.refused === null ? !last.member : last.member;
      this.standings.push({ user, room, member, from: now(), to: Number.POSITIVE_INFINITY });
    }
  }
}
