/** Finds messages through the word index of the embedded store: proposals of the index, memberships and texts are of one snapshot [A2][A3]. */
import type { MessageId, RoomId, Seq, UserId } from '@natter/protocol';
import type { DatabaseSync } from '@photostructure/sqlite';
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
import { tiersOf } from './query.js';
import type { FoundMessage, Match, SearchRequest } from './search.js';
import { openSearchFile } from './sqlite-index.js';
import { Vocabulary } from './vocabulary.js';

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

/** Id, room, seq, author, time, text, time of deletion. */
type Row = [MessageId, RoomId, Seq, UserId, number, string, number | null];

export class SqliteFinder {
  readonly #db: Database;
  readonly #limits: FinderLimits;
  readonly #vocabulary = new Vocabulary();
  readonly #statements = new Map<string, Statement>();
  #lastWord = 0;
  /** Which edition of the vocabulary is in memory: another one has lost words. */
  #edition = -1;

  constructor(file: string, storeFile: string, limits: FinderLimits) {
    this.#db = openSearchFile(file, storeFile, true);
    this.#limits = limits;
  }

  /** Null: the room that was asked for is not one of the user's. */
  find(request: SearchRequest, cursor: { tier: Match; before: MessageId } | null): FoundRows | null {
    this.#db.exec('begin');
    try {
      const rooms = this.#roomsOf(request);
      if (request.room !== undefined && rooms.fromSeq.size === 0) return null;
      const budget = budgetOf(this.#limits);
      const tiers = cursor ? [cursor.tier] : tiersOf(request.mode ?? 'auto');
      for (const tier of rooms.fromSeq.size === 0 ? [] : tiers) {
        const page = this.#findIn(tier, request, cursor?.before ?? Number.MAX_SAFE_INTEGER, rooms, budget);
        if (page.hits.length > 0 || page.next) return page;
      }
      return { hits: [], next: null };
    } finally {
      this.#db.exec('commit');
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** Rooms that the user may read now, each with the first seq of it. */
  #roomsOf(request: SearchRequest): Readable {
    const sql = `select m.room, m.from_seq, s.messages from store.members m join store.rooms r on r.id = m.room
      join store.streams s on s.id = m.room where m.user_id = ? and r.deleted_at is null`;
    const rows = (
      request.room === undefined
        ? this.#statement(sql).all(request.user)
        : this.#statement(`${sql} and m.room = ?`).all(request.user, request.room)
    ) as { room: RoomId; from_seq: Seq; messages: number }[];
    const { last } = this.#statement('select coalesce(max(id), 1) as last from store.events').get() as { last: number };
    return readable(rows, last, request.limit);
  }

  #findIn(tier: Match, request: SearchRequest, before: MessageId, rooms: Readable, budget: Budget): FoundRows {
    if (tier !== 'word') this.#loadVocabulary();
    const plan = planOf(tier, request, this.#vocabulary, this.#limits);
    const filters = plan && filtersOf(request, rooms, this.#months());
    if (!plan || !filters) return { hits: [], next: null };
    const hits: FoundMessage[] = [];
    let last = before;
    for (const [id, room, seq, author, at, text, deletedAt] of this.#candidates(
      [...filters, ...plan.clauses],
      before,
    )) {
      if (budget.rows <= 0 || budget.units <= 0) return { hits, next: { tier, before: last } };
      last = id;
      budget.rows -= 1;
      budget.units -= text.length;
      if (!passes({ room, seq, author, at, deletedAt }, request, rooms)) continue;
      const found = plan.check(text);
      if (!found) continue;
      const row = this.#statement('select * from store.messages where id = ?').get(id) as FoundMessage['row'];
      hits.push({ id, row: { ...row }, ...found });
      if (hits.length === request.limit) return { hits, next: { tier, before: last } };
    }
    return { hits, next: null };
  }

  /** Messages that may match, newest first. */
  #candidates(clauses: readonly Clause[], before: MessageId): IterableIterator<Row> {
    const columns = 'm.id, m.room, m.seq, m.author, m.at, m.text, m.deleted_at';
    const rows =
      clauses.length === 0
        ? this.#statement(`select ${columns} from store.messages m where m.id < ? order by m.id desc`, true).iterate(
            before,
          )
        : this.#statement(
            `select ${columns} from words w cross join store.messages m on m.id = w.rowid where w.words match ? and w.rowid < ? order by w.rowid desc`,
            true,
          ).iterate(clauses.map(written).join(' AND '), before);
    return rows as IterableIterator<Row>;
  }

  #months(): number[] {
    return (this.#statement('select month from months').all() as { month: number }[]).map((row) => row.month);
  }

  #loadVocabulary(): void {
    const edition = this.#statement(`select value from meta where key = 'vocabulary'`).get() as { value: number };
    if (edition.value !== this.#edition) {
      this.#edition = edition.value;
      this.#vocabulary.clear();
      this.#lastWord = 0;
    }
    const rows = this.#statement('select id, word from vocabulary where id > ? order by id').all(this.#lastWord) as {
      id: number;
      word: string;
    }[];
    this.#vocabulary.add(rows.map((row) => row.word));
    this.#lastWord = rows.at(-1)?.id ?? this.#lastWord;
  }

  /** `arrays`: rows come as lists, which costs half of what objects cost. */
  #statement(sql: string, arrays = false): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      statement.setReturnArrays(arrays);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** In the language of FTS5. Words hold nothing but letters, digits and marks, so nothing in them can end the quotes. */
function written(clause: Clause): string {
  const phrases = clause.map((phrase) => `"${phrase.join(' ')}"`);
  return phrases.length === 1 ? (phrases[0] as string) : `(${phrases.join(' OR ')})`;
}
