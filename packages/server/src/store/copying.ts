/** The port of a store that is copied whole, table by table: one that is read at one moment, and an empty one that is filled. */
import type { Row } from './steps.js';
import type { Tables } from './tables.js';

export type { Row };

export type TableName = keyof Tables;

/** Every table, by its key: rows are read and written in the order of it. */
const KEYS: Record<TableName, readonly string[]> = {
  meta: ['key'],
  streams: ['id'],
  events: ['id'],
  keys: ['author', 'key'],
  claims: ['space', 'value'],
  users: ['id'],
  credentials: ['user_id'],
  sessions: ['id'],
  rooms: ['id'],
  members: ['room', 'user_id'],
  messages: ['id'],
  message_edits: ['message', 'seq'],
  reactions: ['message', 'emoji', 'user_id'],
  pins: ['room', 'message'],
  mentions: ['user_id', 'room', 'seq'],
  usergroups: ['id'],
  usergroup_members: ['usergroup', 'user_id'],
  audit: ['event'],
  jobs: ['id'],
};

/** Here a target notes how far it is; while it is there, nobody opens what was written so far. */
export const COPY_TABLE = 'copy_under_way';

export const TABLE_KEYS = Object.entries(KEYS) as [TableName, readonly string[]][];

/** How far one table has been copied: the key of the last row; null: nothing of it yet. */
export type Place = readonly (string | number)[] | null;

/** All of a store as it is at one moment, whatever is written meanwhile. */
export interface Source {
  /** Names of the migrations that its schema has. */
  readonly migrations: readonly string[];
  /** How many rows there are; with a key, up to it. */
  count(table: TableName, to?: Place): Promise<number>;
  /** What it takes where it is, the search index left aside. */
  bytes(): Promise<number>;
  /** Id of the newest event. */
  lastEvent(): Promise<number>;
  /** The next rows after a key, in the order of it, with all their columns. */
  read(table: TableName, after: Place, limit: number): Promise<Row[]>;
  /** May be called twice. */
  close(): Promise<void>;
}

/** Says of what a copy is, so that one that was broken off goes on with the same one alone. */
export interface Origin {
  epoch: string;
  lastEvent: number;
  rows: number;
}

/** A store that holds nothing, or a part of the same copy. */
export interface Target {
  /** Where an earlier attempt has come to; null at the beginning. */
  readonly begun: { table: TableName; place: Place } | null;
  /** Rows of one table, and how far it is with them, in one transaction. */
  write(table: TableName, rows: readonly Row[]): Promise<void>;
  /** What was written, to be read. */
  source(): Promise<Source>;
  /** Makes a store of it that can be opened. Nothing can be resumed after it. */
  finish(): Promise<void>;
  /** Takes away what was written: it is worth nothing. */
  discard(): Promise<void>;
  /** What was begun stays, where it can be gone on with. */
  close(): Promise<void>;
}

/** Why a copy can't be made: said before anything is written. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/** What to do about a target that holds something. */
export const HOW_TO_EMPTY = 'natter reset empties it, and natter restore does with --replace';

export const keyOf = (table: TableName, row: Row): (string | number)[] =>
  KEYS[table].map((column) => row[column] as string | number);

/** ` where (a, b) > (?, ?)`, or nothing. */
export function whereKey(table: TableName, sign: '>' | '<=', key: Place, placeholder: (at: number) => string): string {
  if (key === null) return '';
  const columns = KEYS[table];
  return ` where (${columns.join(', ')}) ${sign} (${columns.map((_, at) => placeholder(at)).join(', ')})`;
}

export const orderBy = (table: TableName): string => ` order by ${KEYS[table].join(', ')}`;
