/**
 * The word index on PostgreSQL: a table of its own, made from the log and therefore never worth more than the time to make it
 * again. One node's index follows the log for all, from a position that is committed together with the rows.
 */
import type { EventType } from '@natter/protocol';
import { arrayOf } from '../postgres/arrays.js';
import type { Param, PostgresConnection, Row } from '../postgres/connection.js';
import { LOCKS } from '../postgres/locks.js';
import { type Gap, gapsIn, without } from './postgres-gaps.js';
import { TEXT_VERSION } from './text.js';
import { authorWord, indexWords, isPlain, monthOf, monthWord, roomWord } from './words.js';

/** Another one in the database, or another text version: the index is made anew. */
const SCHEMA_VERSION = 1;
/** Most events, and most text, that one transaction takes in; read in parts, which bounds the memory. */
const SLICE_EVENTS = 4_000;
const SLICE_UNITS = 4_000_000;
const PART_EVENTS = 500;
const SEEN_WORDS_MAX = 200_000;
const SCRUB_WORDS = 500;
/** A tsvector takes a megabyte. A message with more different words than that is read for every query. */
const VECTOR_BYTES_MAX = 900_000;

const EVENTS = `select e.id, e.type, e.stream, case when e.type in ('message.edited', 'message.deleted') then e.body end as body,
  m.room, m.author, m.text, m.at, m.deleted_at from events e left join messages m on m.id = e.id`;
const NEXT_EVENTS = `${EVENTS} where e.id > $1 order by e.id limit ${PART_EVENTS}`;
/** Those whose transactions ended after later ones. */
const LATE_EVENTS = `${EVENTS} where e.id = any(array(select l.id from search_gaps g cross join lateral
  (select id from events where id between g.first and g.last) l)) order by e.id limit ${PART_EVENTS}`;
/** `on conflict` would cost each row a second record in the write-ahead log; this connection alone writes here. */
const NEW_WORDS = `insert into search_words (word) select w from unnest($1::text[]) as w
  where not exists (select 1 from search_words known where known.word = w)`;
const PUT_VECTORS =
  'insert into search_messages (message, words) select p.message, p.words::tsvector from unnest($1::bigint[], $2::text[]) as p(message, words)';

export interface Advance {
  /** Events that were taken in. */
  taken: number;
  /** Is there more to do at once? Else the index stands where the log stood when it looked. */
  more: boolean;
}

/** Sorts out what one transaction changes. */
interface Slice {
  put: Map<number, Row>;
  replaced: Set<number>;
  units: number;
}

export class PostgresIndex {
  readonly #connection: PostgresConnection;
  /** Words that are known to stand in the vocabulary: spares most look-ups. */
  readonly #seen = new Set<string>();
  readonly #months = new Set<number>();

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  /** Is it this node's part now to follow the log? It stays so until the connection ends. */
  async lead(): Promise<boolean> {
    const [row] = await this.#rows(
      'select case when pg_try_advisory_lock($1, $2) then 1 else 0 end as got',
      LOCKS.search,
    );
    return row?.got === 1;
  }

  /**
   * Makes the index anew, where it is not of this version or not of this life of the log, and answers why; '' when there was
   * none, null when it is as it should be. One of a newer version is not usable, and left alone.
   */
  async open(): Promise<{ usable: boolean; rebuilt: string | null }> {
    return this.#transaction(async () => {
      const meta = await this.#meta();
      const [at] = await this.#rows(
        `select (select value::bigint from meta where key = 'epoch') as epoch, (select coalesce(max(id), 0) from events) as head`,
      );
      const reason = rebuildReason(meta, Number(at?.epoch), Number(at?.head));
      if (reason === null) return { usable: true, rebuilt: null };
      if (reason === 'newer') return { usable: false, rebuilt: null };
      await this.#run(
        // No truncate: it would wait for searches under way, and they for it.
        `with m as (delete from search_messages), w as (delete from search_words), t as (delete from search_months),
          g as (delete from search_gaps), f as (delete from search_forgotten), r as (delete from search_forgotten_rooms)
          delete from search_meta`,
      );
      const facts = {
        schema: SCHEMA_VERSION,
        text: TEXT_VERSION,
        epoch: Number(at?.epoch),
        position: 0,
        // Rises when words leave the vocabulary, also over an index that was made anew.
        vocabulary: Math.max(Date.now(), (meta.get('vocabulary') ?? 0) + 1),
      };
      await this.#run('insert into search_meta (key, value) select * from unnest($1::text[], $2::bigint[])', [
        arrayOf(Object.keys(facts)),
        arrayOf(Object.values(facts)),
      ]);
      return { usable: true, rebuilt: reason };
    });
  }

  /** Takes in the next slice of the log. */
  advance(): Promise<Advance> {
    return this.#transaction(async () => {
      const [snapshot] = await this.#rows(
        'select pg_snapshot_xmin(s)::text::bigint as xmin, pg_snapshot_xmax(s)::text::bigint as xmax from pg_current_snapshot() s',
      );
      const slice: Slice = { put: new Map(), replaced: new Set(), units: 0 };
      const late = await this.#takeLate(slice, Number(snapshot?.xmin));
      const next = await this.#takeNext(slice, Number(snapshot?.xmax));
      await this.#replace(slice);
      await this.#put([...slice.put.values()]);
      const more = late === PART_EVENTS || next.more || (await this.#forgetRoom());
      return { taken: late + next.taken, more };
    });
  }

  /** Are there words in the vocabulary that may stand in no message any more? */
  async dirty(): Promise<boolean> {
    return (await this.#rows('select 1 from search_forgotten limit 1')).length > 0;
  }

  /** [L6] Takes the next of those words out; false when all are done. */
  scrub(): Promise<boolean> {
    return this.#transaction(async () => {
      const rows = await this.#rows(`select word from search_forgotten order by word limit ${SCRUB_WORDS}`);
      if (rows.length === 0) return false;
      const words = arrayOf(rows.map((row) => row.word as string));
      const { changed } = await this.#connection.query(
        `delete from search_words v where v.word = any($1::text[])
         and not exists (select 1 from search_messages m where m.words @@ ('''' || v.word || '''')::tsquery)`,
        [words],
      );
      if (changed > 0) await this.#run(`update search_meta set value = value + 1 where key = 'vocabulary'`);
      await this.#run('delete from search_forgotten where word = any($1::text[])', [words]);
      this.#seen.clear();
      return true;
    });
  }

  /** Events that came in behind the position; gaps that nothing can come into any more are closed. */
  async #takeLate(slice: Slice, xmin: number): Promise<number> {
    const gaps = (await this.#rows('select first, last, next_xid from search_gaps order by first')).map(toGap);
    if (gaps.length === 0) return 0;
    const rows = await this.#rows(LATE_EVENTS);
    await this.#take(rows, slice);
    // All of them were read, and whoever had an id of the gap when it was seen has ended: what is not there never comes.
    const closed = rows.length < PART_EVENTS ? gaps.filter((gap) => gap.nextXid <= xmin) : [];
    const left = without(
      gaps.filter((gap) => !closed.includes(gap)),
      rows.map((row) => Number(row.id)),
    );
    if (rows.length === 0 && closed.length === 0) return 0;
    await this.#run('delete from search_gaps');
    await this.#addGaps(left);
    return rows.length;
  }

  async #takeNext(slice: Slice, xmax: number): Promise<Advance> {
    const meta = await this.#meta();
    const from = meta.get('position') ?? 0;
    const ids: number[] = [];
    let rows: Row[];
    do {
      rows = await this.#rows(NEXT_EVENTS, [ids.at(-1) ?? from]);
      await this.#take(rows, slice);
      for (const row of rows) ids.push(Number(row.id));
    } while (rows.length === PART_EVENTS && ids.length < SLICE_EVENTS && slice.units < SLICE_UNITS);
    const position = ids.at(-1);
    if (position === undefined) return { taken: 0, more: false };
    await this.#addGaps(gapsIn(from, ids, xmax));
    await this.#run(`update search_meta set value = $1 where key = 'position'`, [position]);
    return { taken: ids.length, more: rows.length === PART_EVENTS };
  }

  async #addGaps(gaps: readonly Gap[]): Promise<void> {
    if (gaps.length === 0) return;
    await this.#run(
      'insert into search_gaps (first, last, next_xid) select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])',
      [
        arrayOf(gaps.map((gap) => gap.first)),
        arrayOf(gaps.map((gap) => gap.last)),
        arrayOf(gaps.map((gap) => gap.nextXid)),
      ],
    );
  }

  async #take(rows: readonly Row[], slice: Slice): Promise<void> {
    const gone: number[] = [];
    for (const row of rows) {
      const type = row.type as EventType;
      if (type === 'message.sent') {
        if (row.room === null) continue;
        slice.units += String(row.text).length;
        if (row.deleted_at === null) slice.put.set(Number(row.id), row);
      } else if (type === 'message.edited' || type === 'message.deleted') {
        // Those of a deleted room are blanked, and have no message any more.
        const { message } = JSON.parse(String(row.body ?? '{}')) as { message?: number };
        if (message !== undefined) slice.replaced.add(message);
      } else if (type === 'room.deleted') gone.push(Number(row.stream));
    }
    if (gone.length === 0) return;
    await this.#run('insert into search_forgotten_rooms (room) select unnest($1::bigint[]) on conflict do nothing', [
      arrayOf(gone),
    ]);
  }

  /** Messages as they stand now; those that are deleted leave the index. */
  async #replace({ put, replaced }: Slice): Promise<void> {
    if (replaced.size === 0) return;
    const ids = arrayOf([...replaced]);
    await this.#forget('message = any($1::bigint[])', ids);
    const rows = await this.#rows(
      'select id, room, author, text, at, deleted_at from messages where id = any($1::bigint[])',
      [ids],
    );
    for (const id of replaced) put.delete(id);
    for (const row of rows) if (row.deleted_at === null) put.set(Number(row.id), row);
  }

  async #put(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const fresh = new Set<string>();
    const months = new Set<number>();
    const vectors: string[] = [];
    for (const { text, room, author, at } of rows) {
      const words = new Set(indexWords(String(text)));
      for (const word of words) if (isPlain(word) && !this.#seen.has(word)) fresh.add(word);
      const month = monthOf(Number(at));
      if (!this.#months.has(month)) months.add(month);
      // Words hold nothing but letters, digits and marks, so nothing in them can end the quotes.
      const all = vectorWords(words, Number(room), Number(author), Number(at));
      vectors.push(all.map((word) => `'${word}'`).join(' '));
    }
    if (fresh.size > 0) {
      await this.#run(NEW_WORDS, [arrayOf([...fresh])]);
      if (this.#seen.size + fresh.size > SEEN_WORDS_MAX) this.#seen.clear();
      for (const word of fresh) this.#seen.add(word);
    }
    if (months.size > 0) {
      await this.#run('insert into search_months (month) select unnest($1::bigint[]) on conflict do nothing', [
        arrayOf([...months]),
      ]);
      for (const month of months) this.#months.add(month);
    }
    const ids = arrayOf(rows.map((row) => Number(row.id)));
    // One that came late may be here already, by an edit that was taken in before it.
    await this.#run('delete from search_messages where message = any($1::bigint[])', [ids]);
    await this.#run(PUT_VECTORS, [ids, arrayOf(vectors)]);
  }

  /** Nobody can read a deleted room; its messages leave the index a slice at a time. True while there are some. */
  async #forgetRoom(): Promise<boolean> {
    const [row] = await this.#rows('select room from search_forgotten_rooms limit 1');
    if (!row) return false;
    const word = `'${roomWord(Number(row.room))}'`;
    const taken = await this.#forget(
      `message in (select message from search_messages where words @@ $1::tsquery limit ${SLICE_EVENTS})`,
      word,
    );
    if (taken < SLICE_EVENTS)
      await this.#run('delete from search_forgotten_rooms where room = $1', [row.room as Param]);
    return true;
  }

  /** Takes messages out, and notes their words: they may stand in no other. Answers how many messages. */
  async #forget(which: string, param: Param): Promise<number> {
    const [row] = await this.#rows(
      `with gone as (delete from search_messages where ${which} returning words),
         noted as (insert into search_forgotten (word) select distinct w from gone, unnest(tsvector_to_array(words)) as w on conflict do nothing)
       select count(*) as count from gone`,
      [param],
    );
    return Number(row?.count ?? 0);
  }

  async #meta(): Promise<Map<string, number>> {
    const rows = await this.#rows('select key, value from search_meta');
    return new Map(rows.map((row) => [String(row.key), Number(row.value)]));
  }

  async #rows(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    return (await this.#connection.query(sql, params)).rows;
  }

  async #run(sql: string, params: readonly Param[] = []): Promise<void> {
    await this.#connection.query(sql, params);
  }

  /** One snapshot for all of it: what is not seen in it is not passed over. */
  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#connection.transaction('begin isolation level repeatable read', work);
    } catch (error) {
      this.#seen.clear();
      this.#months.clear();
      throw error;
    }
  }
}

/** Words of messages that hold more of them than a vector takes: see postgres-finder. */
export const ENDLESS_WORD = '\ue000endless';

/** The words of a message with those of ours; without its own, where there are too many for a vector. */
export function vectorWords(words: ReadonlySet<string>, room: number, author: number, at: number): string[] {
  const ours = [roomWord(room), authorWord(author), monthWord(monthOf(at))];
  let bytes = 0;
  for (const word of words) bytes += Buffer.byteLength(word);
  return bytes > VECTOR_BYTES_MAX ? [...ours, ENDLESS_WORD] : [...ours, ...words];
}

const toGap = (row: Row): Gap => ({ first: Number(row.first), last: Number(row.last), nextXid: Number(row.next_xid) });

function rebuildReason(meta: ReadonlyMap<string, number>, epoch: number, head: number): string | null {
  const text = meta.get('text');
  const schema = meta.get('schema');
  if (text === undefined || schema === undefined) return '';
  if (text > TEXT_VERSION || schema > SCHEMA_VERSION) return 'newer';
  if (text !== TEXT_VERSION || schema !== SCHEMA_VERSION) return 'made by another version';
  if (meta.get('epoch') !== epoch) return 'made from another life of the log';
  return (meta.get('position') ?? 0) > head ? 'ahead of the log' : null;
}
