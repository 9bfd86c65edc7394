/**
 * The word index of the embedded store: a SQLite file of its own beside the main one, made from it and therefore never
 * worth more than the time to make it again. Follows the log from a position that is committed together with the rows.
 */
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { EventType } from '@natter/protocol';
import { DatabaseSync } from '@photostructure/sqlite';
import { TEXT_VERSION } from './text.js';
import { authorWord, indexWords, isPlain, monthOf, monthWord, roomWord } from './words.js';

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

/** Another one in the file, or another text version: the file is made anew. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
create table meta (key text primary key, value integer not null) without rowid;
create virtual table words using fts5(text, content='', contentless_delete=1, tokenize='ascii');
create table vocabulary (id integer primary key autoincrement, word text not null unique);
create table months (month integer primary key);
create table forgotten_rooms (room integer primary key);
insert into words (words, rank) values ('hashsize', 16777216);
`;

/** Most events, and most text, that one transaction takes in; read in parts, which bounds the memory. */
const SLICE_EVENTS = 4_000;
const SLICE_UNITS = 4_000_000;
const PART_EVENTS = 500;
const SEEN_WORDS_MAX = 200_000;

/** Pages of the index that one step of a scrub writes. */
const MERGE_PAGES = 500;

/** How far writing the index anew has come. */
interface Scrub {
  /** What had been taken out when it began. */
  forgets: number;
  merging: boolean;
  pages?: number;
  /** Last word of the vocabulary that was looked at. */
  word: number;
}

const SELECT_EVENTS = `
select e.id, e.type, e.stream, case when e.type in ('message.edited', 'message.deleted') then e.body end,
  m.room, m.author, m.text, m.at, m.deleted_at
from store.events e left join store.messages m on m.id = e.id
where e.id > ? order by e.id limit ${PART_EVENTS}`;

/** What SELECT_EVENTS gives; rooms are null where an event has no message. */
type EventRow = [
  id: number,
  type: EventType,
  stream: number,
  body: string | null,
  room: number | null,
  author: number,
  text: string | null,
  at: number,
  deletedAt: number | null,
];

export interface Advance {
  /** Events that were taken in. */
  taken: number;
  /** Is there more to do at once? Else the index stands where the log stood when it looked. */
  more: boolean;
}

interface MessageRow {
  room: number;
  author: number;
  text: string;
  at: number;
  deleted_at: number | null;
}

/** Opens the index and, read-only, the store that it is made from, as `store`. */
export function openSearchFile(file: string, storeFile: string, readOnly: boolean): Database {
  const db = new DatabaseSync(file, { readOnly });
  try {
    if (!readOnly) db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on');
    db.exec('pragma busy_timeout = 10000; pragma temp_store = memory; pragma cache_size = -32768');
    // Read-only: a transaction here would otherwise lock the store too, and every commit would wait for it.
    db.prepare('attach database ? as store').run(`${pathToFileURL(storeFile).href}?mode=ro`);
    db.exec('pragma store.cache_size = -32768');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export class SqliteIndex {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();
  /** Words that are known to stand in the vocabulary: spares most look-ups. */
  readonly #seen = new Set<string>();
  #lastMonth = -1;
  #position: number;
  #scrub: Scrub | null = null;

  private constructor(db: Database) {
    this.#db = db;
    this.#position = this.#meta('position');
  }

  /** Opens the index, or makes a new one when there is none that belongs to this store, this life of it and this version. */
  static open(file: string, storeFile: string): { index: SqliteIndex; rebuilt: string | null } {
    const opened = SqliteIndex.#openExisting(file, storeFile);
    if (opened instanceof SqliteIndex) return { index: opened, rebuilt: null };
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    const db = openSearchFile(file, storeFile, false);
    db.exec('begin immediate');
    db.exec(SCHEMA);
    const insert = db.prepare('insert into meta (key, value) values (?, ?)');
    insert.run('schema', SCHEMA_VERSION);
    insert.run('text', TEXT_VERSION);
    insert.run('epoch', epochOf(db));
    insert.run('position', 0);
    // How much was taken out of the index that may still stand in its file.
    insert.run('forgets', 0);
    // Rises when words leave the vocabulary.
    insert.run('vocabulary', 0);
    db.exec('commit');
    return { index: new SqliteIndex(db), rebuilt: opened };
  }

  /** The index, or why it can't be used; '' when there is none. */
  static #openExisting(file: string, storeFile: string): SqliteIndex | string {
    let db: Database | null = null;
    try {
      db = openSearchFile(file, storeFile, false);
      const tables = db.prepare(`select count(*) as count from sqlite_schema where name = 'meta'`).get() as {
        count: number;
      };
      if (tables.count === 0) return close(db, '');
      const index = new SqliteIndex(db);
      if (index.#meta('schema') !== SCHEMA_VERSION || index.#meta('text') !== TEXT_VERSION)
        return close(db, 'made by another version');
      if (index.#meta('epoch') !== epochOf(db)) return close(db, 'made from another life of the log');
      if (index.#position > index.#headOfStore()) return close(db, 'ahead of the log');
      return index;
    } catch (error) {
      return close(db, (error as Error).message);
    }
  }

  get position(): number {
    return this.#position;
  }

  /** Takes in the next slice of the log. */
  advance(): Advance {
    return this.#transact(() => {
      const taken = this.#takeEvents();
      const more = taken >= SLICE_EVENTS || this.#forgetRooms();
      return { taken, more };
    });
  }

  #transact<T>(work: () => T): T {
    this.#db.exec('begin immediate');
    try {
      const value = work();
      this.#db.exec('commit');
      return value;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      this.#seen.clear();
      this.#lastMonth = -1;
      this.#scrub = null;
      this.#position = this.#meta('position');
      throw error;
    }
  }

  /** Answers how many events it took; a full slice where it stopped before the end of the log. */
  #takeEvents(): number {
    let units = 0;
    let taken = 0;
    let position = this.#position;
    let rows: EventRow[];
    do {
      rows = this.#statement(SELECT_EVENTS, true).all(position) as EventRow[];
      for (const row of rows) units += this.#take(row);
      taken += rows.length;
      position = rows.at(-1)?.[0] ?? position;
    } while (rows.length === PART_EVENTS && taken < SLICE_EVENTS && units < SLICE_UNITS);
    if (taken === 0) return 0;
    this.#run(`update meta set value = ? where key = 'position'`, position);
    this.#position = position;
    return rows.length === PART_EVENTS ? SLICE_EVENTS : taken;
  }

  /** Takes in one event, and answers how much text it was. */
  #take([id, type, stream, body, room, author, text, at, deletedAt]: EventRow): number {
    if (type === 'message.sent') {
      if (room === null || text === null) return 0;
      if (deletedAt === null) this.#put(id, { room, author, text, at, deleted_at: null });
      return text.length;
    }
    if (type === 'message.edited' || type === 'message.deleted') {
      // Those of a deleted room are blanked, and have no message any more.
      const { message } = JSON.parse(body ?? '{}') as { message?: number };
      if (message !== undefined) this.#replace(message);
    } else if (type === 'room.deleted') {
      this.#run('insert or ignore into forgotten_rooms (room) values (?)', stream);
    }
    return 0;
  }

  /** A message as it stands now; one that is deleted leaves the index. */
  #replace(message: number): void {
    const removed = this.#run('delete from words where rowid = ?', message);
    const row = this.#statement('select room, author, text, at, deleted_at from store.messages where id = ?').get(
      message,
    ) as MessageRow | undefined;
    if (row && row.deleted_at === null) this.#put(message, row);
    if (removed > 0) this.#run(`update meta set value = value + 1 where key = 'forgets'`);
  }

  #put(id: number, row: MessageRow): void {
    const words = indexWords(row.text);
    for (const word of words) if (isPlain(word)) this.#learn(word);
    const month = monthOf(row.at);
    if (month !== this.#lastMonth) {
      this.#run('insert or ignore into months (month) values (?)', month);
      this.#lastMonth = month;
    }
    const text = `${roomWord(row.room)} ${authorWord(row.author)} ${monthWord(month)} ${words.join(' ')}`;
    this.#run('insert into words (rowid, text) values (?, ?)', id, text);
  }

  #learn(word: string): void {
    if (this.#seen.has(word)) return;
    if (this.#seen.size >= SEEN_WORDS_MAX) this.#seen.clear();
    this.#seen.add(word);
    this.#run('insert or ignore into vocabulary (word) values (?)', word);
  }

  /** Nobody can read a deleted room; its messages leave the index a slice at a time. */
  #forgetRooms(): boolean {
    const rooms = this.#statement('select room from forgotten_rooms limit 1').all() as { room: number }[];
    const room = rooms[0]?.room;
    if (room === undefined) return false;
    const rows = this.#statement('select rowid as id from words where words match ? limit ?').all(
      `"${roomWord(room)}"`,
      SLICE_EVENTS,
    ) as {
      id: number;
    }[];
    for (const { id } of rows) this.#run('delete from words where rowid = ?', id);
    if (rows.length > 0) this.#run(`update meta set value = value + ? where key = 'forgets'`, rows.length);
    if (rows.length < SLICE_EVENTS) this.#run('delete from forgotten_rooms where room = ?', room);
    return true;
  }

  /** Does its file hold what was deleted? A row that is taken out is only marked until what holds it is written anew. */
  get dirty(): boolean {
    return this.#meta('forgets') > 0;
  }

  /** [L6] Writes the next part of the index anew, without what was deleted; false when it is done. */
  scrub(): boolean {
    return this.#transact(() => {
      this.#scrub ??= { forgets: this.#meta('forgets'), merging: true, word: 0 };
      if (this.#scrub.merging) return this.#merge(this.#scrub);
      return this.#pruneVocabulary(this.#scrub) || this.#endScrub(this.#scrub);
    });
  }

  #merge(scrub: Scrub): boolean {
    // Negative: begin with all parts of the index. Less than two changes mean that nothing was left to merge.
    const pages = scrub.pages === undefined ? -MERGE_PAGES : MERGE_PAGES;
    scrub.pages = pages;
    const before = this.#totalChanges();
    this.#run(`insert into words (words, rank) values ('merge', ?)`, pages);
    scrub.merging = pages < 0 || this.#totalChanges() - before >= 2;
    return true;
  }

  #pruneVocabulary(scrub: Scrub): boolean {
    const rows = this.#statement('select id, word from vocabulary where id > ? order by id limit ?').all(
      scrub.word,
      SLICE_EVENTS,
    ) as { id: number; word: string }[];
    const stands = this.#statement('select 1 from words where words match ? limit 1');
    for (const { id, word } of rows) {
      if (!stands.get(`"${word}"`)) this.#run('delete from vocabulary where id = ?', id);
    }
    scrub.word = rows.at(-1)?.id ?? scrub.word;
    return rows.length > 0;
  }

  #endScrub(scrub: Scrub): false {
    this.#run(`update meta set value = value - ? where key = 'forgets'`, scrub.forgets);
    this.#run(`update meta set value = value + 1 where key = 'vocabulary'`);
    this.#seen.clear();
    this.#scrub = null;
    return false;
  }

  #totalChanges(): number {
    return (this.#statement('select total_changes() as count').get() as { count: number }).count;
  }

  /** Empties the write-ahead log into the file, as far as readers let it. */
  checkpoint(): void {
    this.#db.exec('pragma main.wal_checkpoint(truncate)');
  }

  /** How many messages and words it holds. */
  count(): { messages: number; words: number } {
    return this.#statement(
      'select (select count(*) from words_docsize) as messages, (select count(*) from vocabulary) as words',
    ).get() as { messages: number; words: number };
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #meta(key: string): number {
    const row = this.#statement('select value from meta where key = ?').get(key) as { value: number } | undefined;
    return row?.value ?? -1;
  }

  #headOfStore(): number {
    return (this.#statement('select coalesce(max(id), 0) as id from store.events').get() as { id: number }).id;
  }

  #run(sql: string, ...params: (string | number)[]): number {
    return Number(this.#statement(sql).run(...params).changes);
  }

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

function close(db: Database | null, reason: string): string {
  db?.close();
  return reason;
}

function epochOf(db: Database): number {
  const row = db.prepare(`select value from store.meta where key = 'epoch'`).get() as { value: string };
  return Number(row.value);
}
