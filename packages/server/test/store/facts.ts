/** Entries in short form, for stores that are tested without the rules that would decide them. */
import type { EventBody, RoomId, RoomRole, StreamId, UserId } from '@natter/protocol';
import type { Draft, Entry, Outcome, Store, StoredEvent } from '@natter/server/store/store';

export class Facts {
  readonly store: Store;
  /** Rises with every entry, so that times tell entries apart. */
  #at = 1_700_000_000_000;
  #names = 0;

  constructor(store: Store) {
    this.store = store;
  }

  entry(actor: UserId, drafts: readonly Draft[], rest: Partial<Entry> = {}): Entry {
    this.#at += 1;
    return { actor, at: this.#at, drafts, ...rest };
  }

  commit(...entries: Entry[]): Promise<Outcome[]> {
    return this.store.commit(entries);
  }

  /** Commits one entry that must go through. */
  async done(entry: Entry): Promise<readonly StoredEvent[]> {
    const [outcome] = await this.store.commit([entry]);
    if (outcome?.kind !== 'committed') throw new Error(`not committed: ${JSON.stringify(outcome)}`);
    return outcome.events;
  }

  async user(body: Partial<EventBody<'user.created'>> = {}, rest: Partial<Entry> = {}): Promise<UserId> {
    const id = await this.store.reserveStreams(1);
    this.#names += 1;
    const name = `u${this.#names}-${id}`;
    const full = { name, nameKey: name, email: null, fullName: '', role: 'user' as const, ...body };
    await this.done(this.entry(id, [{ stream: id, type: 'user.created', body: full }], rest));
    return id;
  }

  async users(count: number): Promise<UserId[]> {
    const users: UserId[] = [];
    for (let i = 0; i < count; i += 1) users.push(await this.user());
    return users;
  }

  /** A group whose first member owns it. */
  async room(users: readonly UserId[], body: Partial<EventBody<'room.created'>> = {}): Promise<RoomId> {
    const id = await this.store.reserveStreams(1);
    const members = users.map((user, index) => ({ user, role: (index === 0 ? 'owner' : 'member') as RoomRole }));
    const full = {
      kind: 'group' as const,
      name: 'room',
      topic: '',
      visibility: 'private' as const,
      history: 'shared' as const,
      members,
      ...body,
    };
    await this.done(this.entry(users[0] ?? 0, [{ stream: id, type: 'room.created', body: full }]));
    return id;
  }

  sending(room: RoomId, author: UserId, body: EventBody<'message.sent'>, rest: Partial<Entry> = {}): Entry {
    return this.entry(author, [{ stream: room, type: 'message.sent', body }], rest);
  }

  async send(room: RoomId, author: UserId, text: string, rest: Partial<Entry> = {}): Promise<StoredEvent> {
    return first(await this.done(this.sending(room, author, { text }, rest)));
  }

  async version(stream: StreamId): Promise<number> {
    const head = (await this.store.heads([stream])).get(stream);
    if (!head) throw new Error(`there is no stream ${stream}`);
    return head.version;
  }
}

export function first<T>(list: readonly T[]): T {
  const [item] = list;
  if (item === undefined) throw new Error('the list is empty');
  return item;
}

export const kinds = (outcomes: readonly Outcome[]): string[] => outcomes.map((outcome) => outcome.kind);

export async function allEvents(store: Store, stream: StreamId, page = 100): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const next = await store.events(stream, events.at(-1)?.seq ?? 0, page);
    if (next.length === 0) return events;
    events.push(...next);
  }
}
