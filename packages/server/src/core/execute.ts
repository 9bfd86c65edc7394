/** One command, from actor to committed events: schema, budget, states, rule, commit. Every edge comes through here. */
import { hash } from 'node:crypto';
import {
  COMMAND_INPUTS,
  type Command,
  type CommandResult,
  type CommandType,
  KEY_MAX,
  type RoomId,
  type UserId,
} from '@natter/protocol';
import { Compile, type Validator } from 'typebox/schema';
import type { Limits } from '../limits.js';
import { OverloadedError } from '../log/committer.js';
import type { Log } from '../log/log.js';
import type { Decision } from '../rooms/decision.js';
import * as members from '../rooms/members.js';
import {
  changesState,
  type Entry,
  type IdempotencyKey,
  type Outcome,
  type Store,
  type StoredEvent,
  StoreError,
  toEvent,
} from '../store/store.js';
import { type Actor, type Refusal, type Reply, refuse } from './actor.js';
import { type CommandContext, decide } from './commands.js';
import { Loader } from './loader.js';
import type { Clock, NameRules, RateLimits } from './ports.js';
import { RoomStates } from './room-state.js';
import { Turns } from './turns.js';

export interface CoreOptions {
  store: Store;
  log: Log;
  limits: Limits;
  names: NameRules;
  rates: RateLimits;
  clock: Clock;
  /** Most room states kept in memory. */
  roomStatesMax: number;
}

export interface CommandOptions {
  /** Idempotency key: printable ASCII, at most KEY_MAX characters. */
  key?: string | undefined;
  dialect?: string;
  extra?: Record<string, unknown>;
  anyEmail?: boolean;
  mayLeaveDirect?: boolean;
}

/** Others may commit between the load and the commit; deciding anew nearly always settles it. */
const ATTEMPTS = 20;

const VALIDATORS = new Map<string, Validator>(
  Object.entries(COMMAND_INPUTS).map(([type, schema]) => [type, Compile(schema)]),
);

/** Commands whose text is a message: they have a budget of their own. */
const isSend = (type: CommandType): boolean => type === 'message.send' || type === 'message.edit';

export class Core {
  readonly rooms: RoomStates;
  readonly #options: CoreOptions;
  readonly #turns = new Turns();

  constructor(options: CoreOptions) {
    this.#options = options;
    this.rooms = new RoomStates(options.store, options.roomStatesMax);
    options.log.onCommit((events) => this.rooms.apply(events));
  }

  /** Carries out a command for an actor whom auth has recognised. Refusals are values; what is thrown is a bug. */
  async execute(actor: Actor, command: Command, options: CommandOptions = {}): Promise<Reply> {
    const wrong = checkInput(command) ?? checkKey(options.key);
    if (wrong) return wrong;
    const limited = this.#takeBudget(actor, command.type);
    if (limited) return limited;
    const key = options.key === undefined ? undefined : { key: options.key, hash: fingerprint(command) };
    const context: CommandContext = {
      limits: this.#options.limits,
      names: this.#options.names,
      dialect: options.dialect ?? '',
      anyEmail: options.anyEmail ?? false,
      mayLeaveDirect: options.mayLeaveDirect ?? false,
    };
    if (options.extra) context.extra = options.extra;
    return this.#run(actor.user, key, (load) => decide(load, actor, command, context));
  }

  /** Takes a deleted account out of one room; the jobs do so for all of its rooms. */
  leaveForgotten(user: UserId, room: RoomId): Promise<Reply> {
    return this.#run(user, undefined, async (load) => members.leave(await load.room(room), user, true));
  }

  async #run(
    user: UserId,
    key: IdempotencyKey | undefined,
    rule: (load: Loader) => Decision | Promise<Decision>,
  ): Promise<Reply> {
    let leave: (() => void) | null = null;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const load = new Loader(this.#options.store, this.rooms, this.#options.names);
        const decided = rule(load);
        const decision = decided instanceof Promise ? await decided : decided;
        const reply =
          decision.kind === 'commit'
            ? await this.#commit(user, key, decision, load)
            : await this.#answer(user, key, decision, load);
        if (reply) return reply;
        this.#forget(load);
        const [stream] = load.expect.keys();
        if (stream === undefined || leave) continue;
        const alone = decision.kind === 'commit' && decision.drafts.some(({ type }) => changesState(type));
        leave = await this.#turns.enter(stream, alone);
      }
      return refuse('conflict');
    } finally {
      leave?.();
    }
  }

  /** A "no", or "it is so already". Null: it was said of a state that is no longer so. */
  async #answer(
    user: UserId,
    key: IdempotencyKey | undefined,
    decision: Exclude<Decision, { kind: 'commit' }>,
    load: Loader,
  ): Promise<Reply | null> {
    // What was once done stays answered so, though it could not be done now [L3].
    const known = key && (await this.#known(user, key));
    if (known) return known;
    // This node may not have heard yet what another one committed: nothing is refused for that [L4].
    const heads = await this.#options.log.heads([...load.expect.keys()]);
    for (const [stream, version] of load.expect) if (heads.get(stream)?.version !== version) return null;
    if (decision.kind === 'refused') return refuse(decision.code, decision.detail);
    return { ok: true, result: { stream: decision.stream, unchanged: true }, events: [] };
  }

  /** Null: decide anew. */
  async #commit(
    user: UserId,
    key: IdempotencyKey | undefined,
    decision: Extract<Decision, { kind: 'commit' }>,
    load: Loader,
  ): Promise<Reply | null> {
    const { drafts, expectMarkers, claims, releases } = decision;
    const entry: Entry = { actor: user, at: this.#options.clock.now(), drafts, expect: [...load.expect] };
    if (load.expectMessages.size > 0) entry.expectMessages = [...load.expectMessages];
    if (expectMarkers) entry.expectMarkers = expectMarkers;
    if (key) entry.key = key;
    if (claims) entry.claims = claims;
    if (releases) entry.releases = releases;
    try {
      return this.#settle(await this.#options.log.append(entry));
    } catch (error) {
      if (error instanceof OverloadedError) {
        return refuse(error.reason === 'draining' ? 'shutting_down' : 'overloaded', { retryAfter: 1 });
      }
      // Not "failed": a store that broke off may have committed. With the key, asking again tells [I12].
      if (error instanceof StoreError) return refuse(error.unknown ? 'internal' : 'overloaded', { retryAfter: 1 });
      throw error;
    }
  }

  /** States that were out of date, unless this node has heard meanwhile of what changed them. */
  #forget(load: Loader): void {
    for (const [stream, version] of load.expect) {
      if (this.rooms.peek(stream)?.version === version) this.rooms.drop(stream);
    }
  }

  /** Null: decide anew. */
  #settle(outcome: Outcome): Reply | null {
    switch (outcome.kind) {
      case 'committed':
        return { ok: true, result: resultOf(outcome.events[0] as StoredEvent), events: outcome.events };
      case 'replayed':
        return { ok: true, result: { ...resultOf(outcome.event), replayed: true }, events: [outcome.event] };
      case 'key_conflict':
        return refuse('key_conflict');
      case 'stale':
        return null;
      case 'taken':
        switch (outcome.claim.space) {
          // The other side of the pair opened it at the same moment: the rule now finds the room.
          case 'room.direct':
            return null;
          case 'user.email':
            return refuse('email_taken');
          default:
            return refuse('name_taken');
        }
      default:
        throw new Error(`unknown outcome ${JSON.stringify(outcome satisfies never)}`);
    }
  }

  async #known(user: UserId, key: IdempotencyKey): Promise<Reply | null> {
    const row = await this.#options.store.db
      .selectFrom('keys')
      .innerJoin('events', 'events.id', 'keys.event')
      .selectAll('events')
      .select('keys.hash')
      .where('keys.author', '=', user)
      .where('keys.key', '=', key.key)
      .executeTakeFirst();
    if (!row) return null;
    const { hash, ...event } = row;
    return this.#settle(hash === key.hash ? { kind: 'replayed', event: toEvent(event) } : { kind: 'key_conflict' });
  }

  #takeBudget(actor: Actor, type: CommandType): Refusal | null {
    if (actor.role === 'system') return null;
    const { rates } = this.#options;
    const taken = rates.take(isSend(type) ? 'RATE_SENDS_PER_USER' : 'RATE_COMMANDS_PER_USER', String(actor.user));
    return taken.ok ? null : refuse('rate_limited', { retryAfter: taken.retryAfter });
  }
}

function resultOf(event: StoredEvent): CommandResult {
  return { stream: event.stream, seq: event.seq, id: event.id, at: new Date(event.at).toISOString() };
}

function checkInput(command: Command): Refusal | null {
  const validator = VALIDATORS.get(command.type);
  if (!validator) return refuse('bad_frame', 'there is no command of this type');
  const { type, ...input } = command;
  if (validator.Check(input)) return null;
  const [, errors] = validator.Errors(input);
  const fields = errors.slice(0, 10).map((error) => ({ path: error.instancePath, message: error.message }));
  return refuse('invalid', { fields });
}

const KEY = new RegExp(`^[\\x21-\\x7e]{1,${KEY_MAX}}$`);

function checkKey(key: string | undefined): Refusal | null {
  if (key === undefined || KEY.test(key)) return null;
  return refuse('invalid', {
    fields: [{ path: '/key', message: `must be 1 to ${KEY_MAX} printable ASCII characters` }],
  });
}

/** The same command gives the same fingerprint, in whichever order its members came. */
function fingerprint(command: Command): string {
  const members = command as unknown as Record<string, unknown>;
  const sorted = Object.keys(members)
    .sort()
    .map((name) => [name, members[name]]);
  return hash('sha256', JSON.stringify(sorted), 'base64url').slice(0, 22);
}
