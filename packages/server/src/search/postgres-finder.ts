/** Finds messages through the word index on PostgreSQL: proposals of the index, memberships and texts are of one snapshot [A2][A3]. */
import type { MessageId, RoomId, Seq } from '@natter/protocol';
import type { Param, PostgresConnection, Row } from '../postgres/connection.js';
import {
  type Budget,
  budgetOf,
  type Clause,
  type FinderLimits,
  type FoundRows,
  filtersOf,
  passes,
  planOf,
  type Readable,
  readable,
} from './plan.js';
import { ENDLESS_WORD } from './postgres-index.js';
import { type Cursor, tiersOf } from './query.js';
import type { FoundMessage, Match, SearchRequest } from './search.js';
import { Vocabulary } from './vocabulary.js';

/**
 * Ids that are looked through at a time, newest first. A word that is in every second message fills a page from the first
 * few thousand; one that is rare is found by the index in whatever is left.
 */
const WINDOWS = [4_000, 64_000, 1_000_000, Number.MAX_SAFE_INTEGER];
/** Rows of one statement: a page is mostly found among the first ones. */
const READ_FIRST = 100;
const READ_MAX = 10_000;

export class PostgresFinder {
  readonly #connection: PostgresConnection;
  readonly #limits: FinderLimits;
  readonly #vocabulary = new Vocabulary();
  #lastWord = 0;
  /** Which edition of the vocabulary is in memory: another one has lost words. */
  #edition = -1;

  constructor(connection: PostgresConnection, limits: FinderLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  /** Null: the room that was asked for is not one of the user's. One at a time. */
  find(request: SearchRequest, cursor: Cursor | null): Promise<FoundRows | null> {
    return this.#connection.transaction('begin isolation level repeatable read read only', async () => {
      const rooms = await this.#roomsOf(request);
      if (request.room !== undefined && rooms.fromSeq.size === 0) return null;
      const budget = budgetOf(this.#limits);
      const tiers = cursor ? [cursor.tier] : tiersOf(request.mode ?? 'auto');
      for (const tier of rooms.fromSeq.size === 0 ? [] : tiers) {
        const page = await this.#findIn(tier, request, cursor?.before ?? Number.MAX_SAFE_INTEGER, rooms, budget);
        if (page.hits.length > 0 || page.next) return page;
      }
      return { hits: [], next: null };
    });
  }

  /** Rooms that the user may read now, each with the first seq of it. */
  async #roomsOf({ user, room, limit }: SearchRequest): Promise<Readable> {
    const rows = await this.#rows(
      `select m.room, m.from_seq, s.messages from members m join rooms r on r.id = m.room join streams s on s.id = m.room
       where m.user_id = $1 and r.deleted_at is null and ($2::bigint is null or m.room = $2)`,
      [user, room ?? null],
    );
    const [newest] = await this.#rows('select coalesce(max(id), 1) as last from events');
    return readable(rows as { room: RoomId; from_seq: Seq; messages: number }[], Number(newest?.last), limit);
  }

  async #findIn(
    tier: Match,
    request: SearchRequest,
    before: MessageId,
    rooms: Readable,
    budget: Budget,
  ): Promise<FoundRows> {
    if (tier !== 'word') await this.#loadVocabulary();
    const plan = planOf(tier, request, this.#vocabulary, this.#limits);
    const filters = plan && filtersOf(request, rooms, await this.#months());
    if (!plan || !filters) return { hits: [], next: null };
    const asked = [...filters.map((clause) => written(clause)), ...plan.clauses.map((clause) => written(clause, true))];
    const hits: FoundMessage[] = [];
    let last = before;
    for await (const row of this.#candidates(asked, before)) {
      if (budget.rows <= 0 || budget.units <= 0) return { hits, next: { tier, before: last } };
      last = row.id;
      budget.rows -= 1;
      budget.units -= row.text.length;
      if (!passes({ ...row, deletedAt: row.deleted_at }, request, rooms)) continue;
      const found = plan.check(row.text);
      if (!found) continue;
      hits.push({ id: row.id, row, ...found });
      if (hits.length === request.limit) return { hits, next: { tier, before: last } };
    }
    return { hits, next: null };
  }

  /** Messages that may match, newest first. */
  async *#candidates(asked: readonly string[], before: MessageId): AsyncGenerator<FoundMessage['row']> {
    const [oldest] = await this.#rows(
      'select coalesce(min(id), 0) as id, coalesce(max(id), 0) as newest from messages',
    );
    let end = Math.min(before, Number(oldest?.newest) + 1);
    let size = READ_FIRST;
    for (const width of WINDOWS) {
      const begin = Math.max(end - width, Number(oldest?.id));
      while (end > begin) {
        const rows = await this.#read(asked, begin, end, size);
        yield* rows as unknown as FoundMessage['row'][];
        end = rows.length < size ? begin : Number(rows.at(-1)?.id);
        if (rows.length === size) size = Math.min(size * 10, READ_MAX);
      }
    }
  }

  /** Those with an id in [begin, end). Planned for these words: how many messages they stand in decides which way is short. */
  async #read(asked: readonly string[], begin: number, end: number, limit: number): Promise<Row[]> {
    const range = [begin, end, limit];
    if (asked.length === 0) {
      const sql = 'select m.* from messages m where m.id >= $1 and m.id < $2 order by m.id desc limit $3';
      return (await this.#connection.query(sql, range, true)).rows;
    }
    const sql = `select m.* from search_messages w join messages m on m.id = w.message
      where w.message >= $1 and w.message < $2 and w.words @@ $4::tsquery order by w.message desc limit $3`;
    return (await this.#connection.query(sql, [...range, asked.join(' & ')], true)).rows;
  }

  async #months(): Promise<number[]> {
    return (await this.#rows('select month from search_months')).map((row) => Number(row.month));
  }

  async #loadVocabulary(): Promise<void> {
    const [edition] = await this.#rows(`select value from search_meta where key = 'vocabulary'`);
    if (edition?.value !== this.#edition) {
      this.#edition = Number(edition?.value ?? -1);
      this.#vocabulary.clear();
      this.#lastWord = 0;
    }
    const rows = await this.#rows('select id, word from search_words where id > $1 order by id', [this.#lastWord]);
    this.#vocabulary.add(rows.map((row) => String(row.word)));
    this.#lastWord = Number(rows.at(-1)?.id ?? this.#lastWord);
  }

  async #rows(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    return (await this.#connection.query(sql, params)).rows;
  }
}

/**
 * In the language of tsquery. The vectors have no places: the words of a phrase may stand anywhere, and reading tells. `texts`:
 * what is asked of texts, which also messages may fulfil that hold more words than a vector takes.
 */
function written(clause: Clause, texts = false): string {
  const phrases = clause.map((phrase) => `(${phrase.map((word) => `'${word}'`).join(' & ')})`);
  if (texts) phrases.push(`'${ENDLESS_WORD}'`);
  return `(${phrases.join(' | ')})`;
}
