/** The core over a store of its own (in memory, where the suite runs on SQLite): accounts as auth makes them, time in the test's hands, no rate limits. */
import type { Command, CommandOf, CommandResult, CommandType, RoomId, UserId, UserRole } from '@natter/protocol';
import { nameRules } from '@natter/server/auth/names';
import type { Actor, Refusal, Reply } from '@natter/server/core/actor';
import { type CommandOptions, Core } from '@natter/server/core/execute';
import { makeQueries, type Queries } from '@natter/server/core/queries';
import { DEFAULT_LIMITS, type Limits } from '@natter/server/limits';
import { Log } from '@natter/server/log/log';
import type { Store, StoredEvent } from '@natter/server/store/store';
import { ON_POSTGRES } from '../databases.js';
import { allEvents } from '../store/facts.js';
import { openInlineStore } from '../store/inline.js';
import { makePostgresSite } from '../store/postgres-site.js';

export interface HouseOptions {
  store?: Store;
  limits?: Partial<Limits>;
  roomStatesMax?: number;
}

/** What is sent beside the type. */
type InputOf<T extends CommandType> = Omit<CommandOf<T>, 'type'>;

export class House {
  readonly store: Store;
  readonly log: Log;
  readonly core: Core;
  readonly queries: Queries;
  readonly limits: Limits;
  readonly clock: { time: number; now: () => number };
  readonly #roles = new Map<UserId, UserRole>();
  #people = 0;
  #remove: (() => Promise<void>) | null = null;

  private constructor(store: Store, { limits = {}, roomStatesMax = 1_000 }: HouseOptions) {
    this.store = store;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const clock = { time: 1_700_000_000_000, now: () => (clock.time += 1) };
    this.clock = clock;
    this.log = new Log(store, { batchMax: 1_000, queueMax: 50_000 });
    const rates = { take: () => ({ ok: true as const }) };
    const shared = { store, limits: this.limits, names: nameRules, clock };
    this.core = new Core({ ...shared, log: this.log, rates, roomStatesMax });
    const figures = { seconds: 5, noted: async () => ({ node: 'test', startedAt: clock.time, figures: [] }) };
    this.queries = makeQueries({ ...shared, isOnline: () => false, figures });
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    if (options.store) return new House(options.store, options);
    if (!ON_POSTGRES) return new House(await openInlineStore(), options);
    const site = await makePostgresSite();
    const house = new House(await site.open(), options);
    house.#remove = site.remove;
    return house;
  }

  /** A second node over the same store: a cache and a log of its own. */
  beside(options: HouseOptions = {}): House {
    const house = new House(this.store, options);
    for (const [user, role] of this.#roles) house.#roles.set(user, role);
    return house;
  }

  async user(name = `person${++this.#people}`, role: UserRole = 'user'): Promise<UserId> {
    const id = await this.store.reserveStreams(1);
    const body = { name, nameKey: nameRules.key(name), email: null, fullName: '', role };
    const claims = nameRules.keys(name).map((value) => ({ space: 'user.name' as const, value, owner: id }));
    const drafts = [{ stream: id, type: 'user.created' as const, body }];
    const outcome = await this.log.append({ actor: id, at: this.clock.now(), drafts, claims });
    if (outcome.kind !== 'committed') throw new Error(`user ${name}: ${outcome.kind}`);
    this.#roles.set(id, role);
    return id;
  }

  async users(count: number): Promise<UserId[]> {
    const users: UserId[] = [];
    for (let i = 0; i < count; i += 1) users.push(await this.user());
    return users;
  }

  actor(user: UserId): Actor {
    return { user, role: this.#roles.get(user) ?? 'user', session: null };
  }

  execute<T extends CommandType>(user: UserId, type: T, input: InputOf<T>, options?: CommandOptions): Promise<Reply> {
    return this.core.execute(this.actor(user), { type, ...input } as unknown as Command, options);
  }

  /** A command that must go through. */
  async done<T extends CommandType>(
    user: UserId,
    type: T,
    input: InputOf<T>,
    options?: CommandOptions,
  ): Promise<CommandResult> {
    const reply = await this.execute(user, type, input, options);
    if (!reply.ok) throw new Error(`${type} by ${user}: ${JSON.stringify(reply)}`);
    return reply.result;
  }

  /** The code of a command that must be refused. */
  async refusal<T extends CommandType>(user: UserId, type: T, input: InputOf<T>): Promise<Refusal['code']> {
    const reply = await this.execute(user, type, input);
    if (reply.ok) throw new Error(`${type} by ${user} went through: ${JSON.stringify(reply.result)}`);
    return reply.code;
  }

  /** A room with these members; the first owns it. */
  async room(members: readonly UserId[], input: Partial<InputOf<'room.create'>> = {}): Promise<RoomId> {
    const [owner = 0, ...others] = members;
    const full = { kind: 'group' as const, name: 'room', members: others, ...input };
    return (await this.done(owner, 'room.create', full)).stream;
  }

  async channel(
    members: readonly UserId[],
    name: string,
    input: Partial<InputOf<'room.create'>> = {},
  ): Promise<RoomId> {
    return this.room(members, { kind: 'channel', visibility: 'public', name, ...input });
  }

  async send(
    user: UserId,
    room: RoomId,
    text = 'hello',
    options?: CommandOptions,
  ): Promise<{ id: number; seq: number }> {
    const { id = 0, seq = 0 } = await this.done(user, 'message.send', { room, text }, options);
    return { id, seq };
  }

  events(stream: number): Promise<StoredEvent[]> {
    return allEvents(this.store, stream);
  }

  async members(room: RoomId): Promise<Map<UserId, string>> {
    const rows = await this.store.db.selectFrom('members').selectAll().where('room', '=', room).execute();
    return new Map(rows.map((row) => [row.user_id, row.role]));
  }

  async close(): Promise<void> {
    await this.log.drain();
    await this.store.close();
    await this.#remove?.();
  }
}
