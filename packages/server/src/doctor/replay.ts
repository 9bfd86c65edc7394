/** Builds every projection anew from the events of a store, with the code of the commit, and compares the tables row by row. */

import type { EventBody, EventType, StreamId } from '@natter/protocol';
import type { DatabaseSync } from '@photostructure/sqlite';
import { Projector } from '../store/project.js';
import type { Param, WriteStep } from '../store/steps.js';
import { changesState, type StoredEvent } from '../store/store.js';
import type { Report } from './report.js';

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database['prepare']>;

/** Tables that follow from the log alone: their keys, the columns that do not, and the column that names the room. */
const TABLES: readonly { name: string; key: readonly string[]; beside?: readonly string[]; room?: string }[] = [
  { name: 'streams', key: ['id'] },
  { name: 'events', key: ['id'], room: 'stream' },
  // When somebody was last seen is no fact of a stream.
  { name: 'users', key: ['id'], beside: ['last_seen_at'] },
  { name: 'rooms', key: ['id'], room: 'id' },
  { name: 'members', key: ['room', 'user_id'], room: 'room' },
  { name: 'messages', key: ['id'], room: 'room' },
  { name: 'message_edits', key: ['message', 'seq'] },
  { name: 'reactions', key: ['message', 'emoji', 'user_id'] },
  { name: 'pins', key: ['room', 'message'], room: 'room' },
  { name: 'mentions', key: ['user_id', 'room', 'seq'], room: 'room' },
  { name: 'usergroups', key: ['id'] },
  { name: 'usergroup_members', key: ['usergroup', 'user_id'] },
  // The audit keeps what its events have lost when somebody was deleted.
  { name: 'audit', key: ['event'], beside: ['body'], room: 'stream' },
];

const STREAM_KINDS: Partial<Record<EventType, string>> = {
  'room.created': 'room',
  'user.created': 'user',
  'usergroup.created': 'usergroup',
};

interface Head {
  kind: string;
  seq: number;
  version: number;
  messages: number;
}

/** `db` is empty but for the tables; the store is attached to it as `actual`, and all of it is read at one moment. */
export function replay(db: Database, report: Report, onProgress: (done: number, of: number) => void): void {
  // What a deleted room's events told is blanked, so it can't be told again; the invariants look at those.
  db.exec(`create temp table gone as select stream as id from actual.events where type = 'room.deleted'`);
  db.exec('create unique index temp.gone_id on gone (id)');
  const gone = new Set((db.prepare('select id from gone').all() as { id: StreamId }[]).map((row) => row.id));
  const statements = new Map<string, Statement>();
  const heads = new Map<StreamId, Head>();
  const total = Number((db.prepare('select count(*) as count from actual.events').get() as { count: number }).count);
  let done = 0;
  const rows = db.prepare('select id, stream, seq, type, actor, at, body from actual.events order by id').iterate();
  for (const row of rows as IterableIterator<StoredEvent>) {
    const event = { ...row };
    let head = heads.get(event.stream);
    if (!head) {
      head = { kind: STREAM_KINDS[event.type] ?? 'none', seq: 0, version: 0, messages: 0 };
      heads.set(event.stream, head);
    }
    head.seq += 1;
    if (event.type === 'message.sent') head.messages += 1;
    if (changesState(event.type)) head.version += 1;
    if (!gone.has(event.stream)) project(db, statements, event, head.messages, report);
    done += 1;
    if (done % 10_000 === 0) onProgress(done, total);
  }
  const insert = db.prepare('insert into streams (id, kind, head, version, messages) values (?, ?, ?, ?, ?)');
  for (const [id, head] of heads) insert.run(id, head.kind, head.seq, head.version, head.messages);
  onProgress(total, total);
  for (const table of TABLES) compare(db, table, report);
}

function project(
  db: Database,
  statements: Map<string, Statement>,
  event: StoredEvent,
  messages: number,
  report: Report,
): void {
  try {
    const projector = new Projector();
    projector.event(event, JSON.parse(event.body) as EventBody<EventType>, messages);
    for (const step of projector.steps()) run(db, statements, step);
  } catch (error) {
    const { id, type, stream, seq } = event;
    report.add(
      'replay',
      `event ${id} (${type}, stream ${stream}, seq ${seq}) can't be replayed: ${(error as Error).message}`,
    );
  }
}

function run(db: Database, statements: Map<string, Statement>, step: WriteStep): void {
  let sql: string;
  let rows: readonly (readonly Param[])[];
  switch (step.kind) {
    case 'insert':
      sql = `insert ${step.ignore ? 'or ignore ' : ''}into ${step.table} (${step.columns.join(', ')}) values (${step.columns.map(() => '?').join(', ')})`;
      rows = step.rows;
      break;
    case 'write':
      sql = step.sql;
      rows = step.params;
      break;
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
  }
  let statement = statements.get(sql);
  if (!statement) {
    statement = db.prepare(sql);
    statements.set(sql, statement);
  }
  for (const row of rows) statement.run(...row);
}

function compare(db: Database, table: (typeof TABLES)[number], report: Report): void {
  const { name, key, beside = [], room } = table;
  const columns = (db.prepare('select name from pragma_table_info(?)').all(name) as { name: string }[])
    .map((row) => row.name)
    .filter((column) => !beside.includes(column));
  const on = key.map((column) => `a.${column} = b.${column}`).join(' and ');
  // `rooms` of a deleted room, and all that was in it, can't be told again. Streams can.
  const without = (alias: string): string => (room ? `and ${alias}.${room} not in (select id from gone)` : '');
  const where = (row: Record<string, unknown>): string =>
    `${name} ${key.map((column) => `${column} ${JSON.stringify(row[column])}`).join(', ')}`;
  const missing = `select a.* from main.${name} a where not exists (select 1 from actual.${name} b where ${on}) ${without('a')}`;
  for (const row of db.prepare(missing).iterate()) report.add('replay', `${where(row)}: is missing`);
  const surplus = `select b.* from actual.${name} b where not exists (select 1 from main.${name} a where ${on}) ${without('b')}`;
  for (const row of db.prepare(surplus).iterate()) report.add('replay', `${where(row)}: follows from no event`);
  const values = columns.filter((column) => !key.includes(column));
  if (values.length === 0) return;
  const differ = values.map((column) => `a.${column} is not b.${column}`).join(' or ');
  const both = columns.map((column) => `a.${column} as a_${column}, b.${column} as b_${column}`).join(', ');
  const changed = `select ${both} from main.${name} a join actual.${name} b on ${on} where (${differ}) ${without('a')}`;
  for (const row of db.prepare(changed).iterate()) {
    const wrong = values.filter((column) => row[`a_${column}`] !== row[`b_${column}`]);
    const said = wrong.map(
      (column) => `${column} is ${short(row[`b_${column}`])}, and ${short(row[`a_${column}`])} by the log`,
    );
    const named = Object.fromEntries(key.map((column) => [column, row[`b_${column}`]]));
    report.add('replay', `${where(named)}: ${said.join('; ')}`);
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
