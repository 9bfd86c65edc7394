/**
 * Finds messages through the word index. The index only proposes: each hit is read from the store, in the same snapshot
 * as the memberships, and compared literally, so that what is found is what a scan of all texts would find [M5][A2][A3].
 */

import type { MessageId, RoomId, Seq, UserId } from '@natter/protocol';
import type { DatabaseSync } from '@photostructure/sqlite';
import { type Term, termsOf, tiersOf } from './query.js';
import type { FoundMessage, Match, SearchRequest } from './search.js';
import { authorWord, LONG_WORD, monthOf, monthWord, openSearchFile, roomWord, WORD_UNITS_MAX } from './sqlite-index.js';
import { fold, occurrences, unfold, wordsAt } from './text.js';
import { type Place, Vocabulary } from './vocabulary.js';

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

export interface FinderLimits {
  /** Most words of the index that a part of a word, or a misspelt one, may stand for. */
  expansions: number;
  /** Most messages read for one page. */
  rows: number;
}

/** As many words of text are read for one page at most, whatever the number of messages. */
const UNITS_MAX = 4_000_000;
const RANGES_MAX = 100;
/** Asking the index for a room costs about as much as reading ten messages. */
const ROOM_COST = 10;
/** With more rooms than this the index is not asked for them: messages of others are told apart by reading. */
const ROOMS_IN_QUERY_MAX = 1_000;

export interface FoundRows {
  hits: FoundMessage[];
  /** Where the next page begins; null at the end. */
  next: { tier: Match; before: MessageId } | null;
}

/** What a term asks of the index (null: nothing), and how a text is compared with it. */
interface Plan {
  queries: string[];
  check: (text: string) => { match: Match; ranges: [number, number][] } | null;
}

/** Id, room, seq, author, time, text, time of deletion. */
type Candidate = [MessageId, RoomId, Seq, UserId, number, string, number | null];

/** What a user may read. */
interface Readable {
  /** By room: the first seq. */
  fromSeq: ReadonlyMap<RoomId, Seq>;
  /** Is the index asked for the rooms? */
  asked: boolean;
}

interface Budget {
  rows: number;
  units: number;
}

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
      const budget = { rows: this.#limits.rows, units: UNITS_MAX };
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

  /** Rooms that the user may read now, each with the first seq of it [A2][A3]. */
  #roomsOf(request: SearchRequest): Readable {
    const sql = `select m.room, m.from_seq, s.messages from store.members m join store.rooms r on r.id = m.room
      join store.streams s on s.id = m.room where m.user_id = ? and r.deleted_at is null`;
    const rows = (
      request.room === undefined
        ? this.#statement(sql).all(request.user)
        : this.#statement(`${sql} and m.room = ?`).all(request.user, request.room)
    ) as { room: RoomId; from_seq: Seq; messages: number }[];
    const { last } = this.#statement('select coalesce(max(id), 1) as last from store.events').get() as { last: number };
    // Were the index not asked for the rooms, so many messages of others would have to be read for one page.
    const share = rows.reduce((sum, row) => sum + row.messages, 1) / last;
    const strangers = request.limit / Math.min(1, share) - request.limit;
    return {
      fromSeq: new Map(rows.map((row) => [row.room, row.from_seq])),
      asked: rows.length <= ROOMS_IN_QUERY_MAX && rows.length * ROOM_COST <= Math.max(strangers, ROOM_COST),
    };
  }

  #findIn(tier: Match, request: SearchRequest, before: MessageId, rooms: Readable, budget: Budget): FoundRows {
    const plan = this.#plan(tier, request);
    const filters = plan && this.#filters(request, rooms);
    if (!plan || !filters) return { hits: [], next: null };
    const queries = [...filters, ...plan.queries];
    const hits: FoundMessage[] = [];
    let last = before;
    for (const [id, room, seq, author, at, text, deleted] of this.#candidates(queries, before)) {
      if (budget.rows <= 0 || budget.units <= 0) return { hits, next: { tier, before: last } };
      last = id;
      budget.rows -= 1;
      budget.units -= text.length;
      const fromSeq = rooms.fromSeq.get(room);
      if (fromSeq === undefined || seq < fromSeq || deleted !== null) continue;
      if (request.from !== undefined && author !== request.from) continue;
      if (request.before !== undefined && at >= request.before) continue;
      if (request.after !== undefined && at < request.after) continue;
      const found = plan.check(text);
      if (!found) continue;
      const row = this.#statement('select * from store.messages where id = ?').get(id) as FoundMessage['row'];
      hits.push({ id, row: { ...row }, ...found });
      if (hits.length === request.limit) return { hits, next: { tier, before: last } };
    }
    return { hits, next: null };
  }

  /** Messages that may match, newest first. */
  #candidates(queries: readonly string[], before: MessageId): IterableIterator<Candidate> {
    const columns = 'm.id, m.room, m.seq, m.author, m.at, m.text, m.deleted_at';
    const rows =
      queries.length === 0
        ? this.#statement(`select ${columns} from store.messages m where m.id < ? order by m.id desc`, true).iterate(
            before,
          )
        : this.#statement(
            `select ${columns} from words w cross join store.messages m on m.id = w.rowid where w.words match ? and w.rowid < ? order by w.rowid desc`,
            true,
          ).iterate(queries.join(' AND '), before);
    return rows as IterableIterator<Candidate>;
  }

  /** What room, author and time ask of the index; null when nothing can match. */
  #filters(request: SearchRequest, rooms: Readable): string[] | null {
    const filters: string[] = [];
    if (rooms.asked) filters.push(anyOf(Array.from(rooms.fromSeq.keys(), roomWord)));
    if (request.from !== undefined) filters.push(anyOf([authorWord(request.from)]));
    if (request.before !== undefined || request.after !== undefined) {
      const first = monthOf(request.after ?? 0);
      const past = request.before === undefined ? Number.MAX_SAFE_INTEGER : monthOf(request.before);
      const months = this.#statement('select month, month between ? and ? as inside from months').all(first, past) as {
        month: number;
        inside: number;
      }[];
      const inside = months.filter((row) => row.inside === 1).map((row) => monthWord(row.month));
      if (inside.length === 0) return null;
      if (inside.length < months.length) filters.push(anyOf(inside));
    }
    return filters;
  }

  #plan(tier: Match, request: SearchRequest): Plan | null {
    const terms = termsOf(request.text, request.mode === 'substring');
    const queries: string[] = [];
    const near = new Map<Term, ReadonlySet<string>>();
    if (tier !== 'word') this.#loadVocabulary();
    for (const term of terms) {
      if (term.words.length === 0) continue;
      if (tier === 'substring') {
        const asked = this.#partQueries(term);
        if (!asked) return null;
        queries.push(...asked);
      } else if (tier === 'typo' && mayBeMisspelt(term)) {
        const words = this.#vocabulary.near(term.literal, term.literal.length <= 5 ? 1 : 2, this.#limits.expansions);
        if (words.length === 0) return null;
        near.set(term, new Set(words));
        queries.push(anyOf(words));
      } else {
        queries.push(phrase(term.words.map((word) => word.text)));
      }
    }
    // Nothing differs from the words tier.
    if (tier === 'typo' && near.size === 0 && (request.mode ?? 'auto') === 'auto') return null;
    return { queries, check: (text) => check(text, terms, tier, near) };
  }

  /** What must stand in the index for a term to occur as a part of a text; null when it can't. */
  #partQueries(term: Term): string[] | null {
    const { literal, words } = term;
    const first = words[0];
    const last = words.at(-1);
    if (!first || !last || /^\p{M}/u.test(literal)) return [];
    const open = { left: first.start === 0, right: last.end === literal.length };
    if (words.length === 1) {
      const place: Place | null = open.left ? (open.right ? 'anywhere' : 'end') : open.right ? 'start' : null;
      const found = this.#expand(first.text, place);
      if (found === 'many') return [];
      return found.length === 0 ? null : [anyOf(found)];
    }
    const firsts = this.#expand(first.text, open.left ? 'end' : null);
    const lasts = this.#expand(last.text, open.right ? 'start' : null);
    if (firsts.length === 0 || lasts.length === 0) return null;
    const between = words.slice(1, -1).map((word) => word.text);
    if (firsts !== 'many' && lasts !== 'many' && firsts.length * lasts.length <= this.#limits.expansions) {
      return [`(${firsts.flatMap((one) => lasts.map((other) => phrase([one, ...between, other]))).join(' OR ')})`];
    }
    const asked = between.length > 0 ? [phrase(between)] : [];
    if (firsts !== 'many') asked.push(anyOf(firsts));
    if (lasts !== 'many') asked.push(anyOf(lasts));
    return asked;
  }

  /** Words of the index that a part may belong to: with long words, which are not told apart in it. */
  #expand(part: string, place: Place | null): string[] | 'many' {
    if (place === null) return [part];
    if (part.length > WORD_UNITS_MAX) return [LONG_WORD];
    const found = this.#vocabulary.withPart(part, place, this.#limits.expansions);
    return found ? [...found, LONG_WORD] : 'many';
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

/** Words hold nothing but letters, digits and marks, so nothing in them can end the quotes. */
function phrase(words: readonly string[]): string {
  return `"${words.map((word) => (word.length > WORD_UNITS_MAX ? LONG_WORD : word)).join(' ')}"`;
}

function anyOf(words: readonly string[]): string {
  return words.length === 1 ? phrase(words) : `(${words.map((word) => phrase([word])).join(' OR ')})`;
}

/** Short words and numbers have too many neighbours. */
function mayBeMisspelt(term: Term): boolean {
  return term.bare && term.literal.length >= 3 && term.literal.length <= WORD_UNITS_MAX && /\P{N}/u.test(term.literal);
}

/** Does a text match all terms, which way, and where? */
function check(
  text: string,
  terms: readonly Term[],
  tier: Match,
  near: ReadonlyMap<Term, ReadonlySet<string>>,
): { match: Match; ranges: [number, number][] } | null {
  const folded = fold(text);
  const ranges: [number, number][] = [];
  let match: Match = 'word';
  for (const term of terms) {
    let found = occurrences(folded.text, term.literal, true, RANGES_MAX);
    const whole = found.length > 0;
    if (tier === 'substring') found = occurrences(folded.text, term.literal, false, RANGES_MAX);
    for (const start of found) ranges.push(unfold(folded, start, start + term.literal.length));
    const words = near.get(term);
    const alike = words
      ? wordsAt(folded.text).filter((word) => word.text !== term.literal && words.has(word.text))
      : [];
    for (const word of alike) ranges.push(unfold(folded, word.start, word.end));
    if (found.length + alike.length === 0) return null;
    if (!whole) match = tier;
  }
  return { match, ranges: merged(ranges) };
}

/** Rising, and those that touch made one. */
function merged(ranges: [number, number][]): [number, number][] {
  const sorted = ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const out: [number, number][] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else out.push([range[0], range[1]]);
  }
  return out.slice(0, RANGES_MAX);
}
