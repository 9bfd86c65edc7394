/** A store, its log and its search in a folder of their own, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Limits } from '@natter/server/limits';
import { Log } from '@natter/server/log/log';
import type { PostgresOptions } from '@natter/server/postgres/connection';
import { PostgresSearch } from '@natter/server/search/postgres-search';
import type { FoundPage, Search, SearchRequest } from '@natter/server/search/search';
import { SqliteSearch } from '@natter/server/search/sqlite-search';
import { openPostgresStore } from '@natter/server/store/postgres';
import { openSqliteStore } from '@natter/server/store/sqlite';
import type { Draft, Store, StoredEvent } from '@natter/server/store/store';
import { makePostgresDatabase, ON_POSTGRES } from '../databases.js';

export interface Stack {
  /** Of a stack on SQLite. */
  dir: string;
  store: Store;
  log: Log;
  search: Search;
  troubles: string[];
  append(actor: number, ...drafts: Draft[]): Promise<readonly StoredEvent[]>;
  /** A new user's id. */
  user(name: string): Promise<number>;
  /** A new room's id; the first member owns it. */
  room(members: number[], history?: 'shared' | 'joined'): Promise<number>;
  say(room: number, author: number, text: string, at?: number): Promise<number>;
  find(request: Partial<SearchRequest> & { user: number; text: string }): Promise<FoundPage>;
  close(): Promise<void>;
}

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'natter-search-'));
}

/** A stack on the store that the suite runs on. */
export async function openStack(limits: Partial<Limits> = {}): Promise<Stack> {
  if (!ON_POSTGRES) return openSqliteStack(makeFolder(), limits);
  const { options, remove } = await makePostgresDatabase();
  return openPostgresStack(options, limits, remove);
}

export async function openSqliteStack(dir = makeFolder(), limits: Partial<Limits> = {}): Promise<Stack> {
  const file = join(dir, 'natter.db');
  const store = await openSqliteStore({ file, readers: 1 });
  return stackOver(
    store,
    (all, onTrouble) => new SqliteSearch({ file: join(dir, 'search.db'), storeFile: file, limits: all, onTrouble }),
    limits,
    dir,
    async () => rmSync(dir, { recursive: true, force: true }),
  );
}

export async function openPostgresStack(
  options: PostgresOptions,
  limits: Partial<Limits> = {},
  remove: () => Promise<void> = async () => {},
): Promise<Stack> {
  const store = await openPostgresStore(options);
  return stackOver(
    store,
    (all, onTrouble) => new PostgresSearch({ database: options, limits: all, onTrouble, followMs: 5 }),
    limits,
    '',
    remove,
  );
}

function stackOver(
  store: Store,
  makeSearch: (limits: Limits, onTrouble: (message: string) => void) => Search,
  limits: Partial<Limits>,
  dir: string,
  remove: () => Promise<void>,
): Stack {
  const log = new Log(store, { batchMax: 1_000, queueMax: 50_000 });
  const troubles: string[] = [];
  const search = makeSearch({ ...DEFAULT_LIMITS, ...limits }, (message) => troubles.push(message));
  log.onCommit(() => search.wake());
  let now = Date.UTC(2026, 0, 1);

  async function append(actor: number, drafts: Draft[], at?: number): Promise<readonly StoredEvent[]> {
    now += 1_000;
    const outcome = await log.append({ actor, at: at ?? now, drafts });
    if (outcome.kind !== 'committed') throw new Error(outcome.kind);
    return outcome.events;
  }
  const firstId = (events: readonly StoredEvent[]): number => events[0]?.id ?? 0;

  return {
    dir,
    store,
    log,
    search,
    troubles,
    append: (actor, ...drafts) => append(actor, drafts),
    async user(name) {
      const stream = await store.reserveStreams(1);
      const body = { name, nameKey: name, email: null, fullName: '', role: 'user' as const };
      await append(stream, [{ stream, type: 'user.created', body }]);
      return stream;
    },
    async room(members, history = 'shared') {
      const stream = await store.reserveStreams(1);
      const body = {
        kind: 'channel' as const,
        name: `room ${stream}`,
        topic: '',
        visibility: 'private' as const,
        history,
        members: members.map((user, index) => ({ user, role: index === 0 ? ('owner' as const) : ('member' as const) })),
      };
      await append(members[0] ?? 0, [{ stream, type: 'room.created', body }]);
      return stream;
    },
    async say(room, author, text, at) {
      return firstId(await append(author, [{ stream: room, type: 'message.sent', body: { text } }], at));
    },
    async find(request) {
      await search.settled();
      const answer = await search.find({ limit: 50, ...request });
      if (!answer.ok) throw new Error(JSON.stringify(answer));
      return answer.value;
    },
    async close() {
      await search.close();
      await log.drain();
      await store.close();
      await remove();
    },
  };
}

/** Ids of all hits, over all pages. */
export async function findAll(
  stack: Stack,
  request: Partial<SearchRequest> & { user: number; text: string },
): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | undefined;
  do {
    const page: FoundPage = await stack.find({ ...request, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.hits.map((hit) => hit.id));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return ids;
}
