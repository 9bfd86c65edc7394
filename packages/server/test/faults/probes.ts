/** Those who ask on any node, over HTTP, whether what was promised is so right now: while everything around breaks. */
import { randomBytes } from 'node:crypto';
import type { Message, MessagePage, SearchPage } from '@natter/protocol';
import { WebSocket } from 'ws';
import type { Json } from '../json.js';
import type { Random } from '../simulation/random.js';
import type { Cluster } from './cluster.js';
import { now } from './history.js';
import type { NodeProcess } from './node-process.js';
import { type Crowd, type Device, PASSWORD, type Person } from './people.js';

/** An answer, or null where none came within the time: then nothing is known. */
interface Answer {
  status: number;
  body: Json;
  text: string;
  took: number;
}

/** Nobody waits longer than this for an answer [I12]. */
const PATIENCE_MS = 10_000;
/** A session that ended hears nothing after this [I13]. */
const REVOKED_MS = 2_000;

export interface ProbesOptions {
  cluster: Cluster;
  random: Random;
  crowd: Crowd;
  devices: readonly Device[];
  people: readonly Person[];
  rooms: readonly number[];
  /** What of the cluster is broken at this moment, as far as time is concerned. */
  harms(): ReadonlySet<string>;
  problem(what: string): void;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Probes {
  readonly #options: ProbesOptions;
  /** How often what was asked and answered. */
  readonly counts: Record<string, number> = {};
  #going = true;
  readonly #doing: Promise<void>[] = [];

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  start(): void {
    for (const probe of [this.#ownWrites, this.#strangers, this.#keys, this.#search]) {
      this.#doing.push(this.#repeat(() => probe.call(this), 250));
    }
    this.#doing.push(this.#repeat(() => this.#revoke(), 1_500));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#doing);
  }

  async #repeat(probe: () => Promise<void>, every: number): Promise<void> {
    while (this.#going) {
      await pause(this.#options.random.below(2 * every));
      await probe();
    }
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** On any node that runs, past the wires of clients. */
  async #ask(person: Person, method: string, path: string, body?: object, key?: string): Promise<Answer | null> {
    const { cluster, problem } = this.#options;
    const harmed = new Set(this.#options.harms());
    const started = now();
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${cluster.anyUrl()}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${person.token}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(key ? { 'idempotency-key': key } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(PATIENCE_MS + 5_000),
      });
      text = await response.text();
    } catch {
      // Where no node was frozen or killed meanwhile, somebody must answer.
      for (const harm of this.#options.harms()) harmed.add(harm);
      if (!harmed.has('node') && now() - started > PATIENCE_MS) problem(`${method} ${path} was not answered [I12]`);
      return null;
    }
    const took = now() - started;
    for (const harm of this.#options.harms()) harmed.add(harm);
    if (took > PATIENCE_MS && !harmed.has('node')) problem(`${method} ${path} took ${Math.round(took)} ms [I12]`);
    if (/\bat \S+ \(|\.js:\d+/.test(text)) problem(`${method} ${path} showed its stack: ${text.slice(0, 300)} [I12]`);
    if (response.status >= 500 && response.status !== 503 && response.status !== 500) {
      problem(`${method} ${path} answered ${response.status} [I12]`);
    }
    let parsed: unknown = null;
    // Done, and not to be shown to whoever asked.
    if (response.status === 204) return { status: 204, body: null, text, took };
    try {
      parsed = JSON.parse(text);
    } catch {
      problem(`${method} ${path} answered ${response.status} with what is no JSON: "${text.slice(0, 100)}" [I12]`);
    }
    return parsed === null ? null : { status: response.status, body: parsed, text, took };
  }

  /** [I4] What was acknowledged can be read, on every node. */
  async #ownWrites(): Promise<void> {
    const { random, devices, crowd, problem, people } = this.#options;
    const device = random.pick(devices);
    const sends = device.sends.filter(({ seq }) => seq !== null);
    const send = sends.length > 0 ? random.pick(sends.slice(-5)) : null;
    if (!send?.seq) return;
    const asked = now();
    const reader = random.chance(0.5) ? device.person : random.pick(people);
    const page = await this.#ask(reader, 'GET', `/rooms/${send.room}/messages?around=${send.seq}&limit=3`);
    if (page?.status !== 200) {
      if (page?.status === 404 && crowd.standing(reader.id, send.room, asked, now()) === true) {
        problem(`${reader.name} is in room ${send.room}, and was told that it is not there [I6]`);
      }
      return;
    }
    this.#count('own writes');
    const { messages, head } = page.body as MessagePage;
    const found = messages.find(({ seq }) => seq === send.seq);
    const visible = crowd.standing(reader.id, send.room, asked, now()) === true;
    if (head < send.seq) problem(`${send.key} was acknowledged as ${send.seq}, and a head of ${head} was read [I4]`);
    else if (visible && (!found || (found.text !== send.text && !found.editedAt && !found.deletedAt))) {
      problem(`${send.key} was acknowledged and could not be read: ${JSON.stringify(found)} [I4]`);
    }
  }

  /** [I6] Who is not in a room reads nothing of it, by any route. */
  async #strangers(): Promise<void> {
    const { random, people, rooms, crowd, problem } = this.#options;
    const person = random.pick(people);
    const room = random.pick(rooms);
    const asked = now();
    if (crowd.standing(person.id, room, asked, asked) !== false) return;
    const path = random.pick([
      `/rooms/${room}/messages`,
      `/rooms/${room}`,
      `/rooms/${room}/members`,
      `/rooms/${room}/pins`,
    ]);
    const answer = await this.#ask(person, 'GET', path);
    if (!answer || crowd.standing(person.id, room, asked, now()) !== false) return;
    this.#count('strangers');
    if (answer.status === 200) problem(`${person.name} is not in room ${room} and read ${path} [I6]`);
    const rows = await this.#ask(person, 'GET', '/rooms');
    if (rows?.status !== 200 || crowd.standing(person.id, room, asked, now()) !== false) return;
    if ((rows.body.rooms as { id: number }[]).some(({ id }) => id === room)) {
      problem(`${person.name} is not in room ${room} and has it in the list [I6]`);
    }
    const calls = await this.#ask(person, 'GET', '/me/mentions');
    if (calls?.status !== 200 || crowd.standing(person.id, room, asked, now()) !== false) return;
    if ((calls.body.messages as Message[]).some((message) => message.room === room)) {
      problem(`${person.name} is not in room ${room} and was shown a mention there [I6]`);
    }
  }

  /** [I11] The same key gives the same place for ever, and another command under it is a conflict. */
  async #keys(): Promise<void> {
    const { random, devices, problem } = this.#options;
    const device = random.pick(devices);
    const sends = device.sends.filter(({ seq }) => seq !== null);
    if (sends.length === 0) return;
    const send = random.pick(sends);
    const again = await this.#ask(device.person, 'POST', `/rooms/${send.room}/messages`, { text: send.text }, send.key);
    if (again?.status === 204) return;
    if (again && again.status < 300) {
      this.#count('same key');
      const { seq, id } = again.body as Message;
      if (id !== send.id) problem(`${send.key} gave ${send.seq} first and ${seq} when it was said again [I11]`);
    } else if (again && again.status < 500 && again.status !== 429) {
      problem(`${send.key} was acknowledged, and refused when it was said again: ${again.text} [I11]`);
    }
    const other = await this.#ask(device.person, 'POST', `/rooms/${send.room}/messages`, { text: 'another' }, send.key);
    if (other && other.status < 500 && other.status !== 429) {
      this.#count('other content');
      if (other.status !== 409) problem(`${send.key} with another text was answered with ${other.status} [I11]`);
    }
  }

  /** [I6] Search shows nobody what is not theirs. */
  async #search(): Promise<void> {
    const { random, people, rooms, crowd, problem } = this.#options;
    const person = random.pick(people);
    const room = random.pick(rooms);
    const asked = now();
    const found = await this.#ask(
      person,
      'GET',
      `/search/messages?q=${random.pick(['says', 'edited', 'person3'])}&limit=50`,
    );
    if (found?.status !== 200) return;
    this.#count('searches');
    if (crowd.standing(person.id, room, asked, now()) !== false) return;
    if ((found.body as SearchPage).hits.some(({ message }) => message.room === room)) {
      problem(`${person.name} is not in room ${room} and found a message of it [I6]`);
    }
  }

  /** [I13] A session is opened, hears, is ended on another node, and hears nothing after two seconds. */
  async #revoke(): Promise<void> {
    const { random, people, cluster, problem } = this.#options;
    const person = random.pick(people);
    const running = cluster.nodes.filter((node) => node.running);
    if (running.length < 2) return;
    const login = await this.#ask(person, 'POST', '/sessions', { name: person.name, password: PASSWORD });
    if (login?.status !== 201) return;
    const { accessToken, session } = login.body as { accessToken: string; session: string };
    const at = random.pick(running);
    const socket = new WebSocket(`${at.url.replace('http', 'ws')}/v1/socket`);
    let heardAt = 0;
    let closedAt = 0;
    let live = false;
    socket.on('error', () => {});
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', token: accessToken })));
    socket.on('message', (data: Buffer) => {
      heardAt = now();
      if (data.includes('"type":"live"')) live = true;
    });
    socket.on('close', () => {
      closedAt = now();
    });
    const until = async (check: () => boolean, ms: number): Promise<boolean> => {
      const late = now() + ms;
      while (!check() && now() < late) await pause(20);
      return check();
    };
    if (!(await until(() => live || closedAt > 0, 3_000)) || closedAt > 0) {
      socket.terminate();
      await this.#ask(person, 'DELETE', `/sessions/${session}`);
      return;
    }
    // Every node has seen the token at work, and may remember that.
    for (const { url } of running) await this.#statusWith(url, accessToken);
    const ended = await this.#ask(person, 'DELETE', `/sessions/${session}`, undefined, randomBytes(8).toString('hex'));
    const revoked = now();
    const before = new Set(this.#options.harms());
    await until(() => closedAt > 0, REVOKED_MS + 1_500);
    const harms = new Set([...before, ...this.#options.harms()]);
    socket.terminate();
    if (!ended || ended.status >= 300) return;
    // Where the log can't be asked, or the node is not awake, nobody can tell it.
    if (harms.has('store') || harms.has('node')) return;
    this.#count('revocations');
    await this.#answersNobody(running, accessToken, revoked + REVOKED_MS);
    if (heardAt > revoked + REVOKED_MS) {
      problem(
        `a session of ${person.name} on ${at.name} heard something ${Math.round(heardAt - revoked)} ms after its end [I13]`,
      );
    } else if (closedAt === 0) {
      problem(
        `a session of ${person.name} on ${at.name} was not closed within ${REVOKED_MS + 1_500} ms of its end [I13]`,
      );
    }
  }

  /** [I13] From that moment on, no node takes the token of a session that ended. */
  async #answersNobody(nodes: readonly NodeProcess[], token: string, from: number): Promise<void> {
    await pause(Math.max(0, from - now()));
    for (const { name, url } of nodes) {
      if ((await this.#statusWith(url, token)) === 200) {
        this.#options.problem(`the session of a token was ended, and ${name} still takes it [I13]`);
      }
    }
  }

  /** What one node says to a token; null: nothing. */
  async #statusWith(url: string, token: string): Promise<number | null> {
    try {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/v1/me`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      await answer.text();
      return answer.status;
    } catch {
      return null;
    }
  }
}
