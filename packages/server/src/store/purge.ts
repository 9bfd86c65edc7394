/** [L6] For a whole deleted room: the text of every message, and every name, leave tables and log, a slice at a time. */
import type { StreamId } from '@natter/protocol';
import type { Param, Program, WriteStep } from './steps.js';

/** Locked, so that slices of two nodes come one after the other. */
const SELECT_ROOM = 'select id from streams where id = ?{lock}';
const SELECT_MESSAGES = 'select id, seq from messages where room = ? order by seq limit ?';
const SELECT_NAMING = `select id, body from events where stream = ? and type in ('room.created', 'room.changed')`;
const SELECT_AUDIT = 'select event as id, body from audit where stream = ?';

/** The next messages of the room; true when none are left. */
export function purgeMessages(room: StreamId, limit: number): Program<boolean> {
  return {
    reads: [
      { kind: 'read', sql: SELECT_ROOM, params: [[room]] },
      { kind: 'read', sql: SELECT_MESSAGES, params: [[room, limit]] },
    ],
    decide([, answers]) {
      const rows = answers?.[0] ?? [];
      const ids = rows.map((row) => [row.id as Param]);
      const edited = rows.map(({ id, seq }) => [
        JSON.stringify({ message: id, messageSeq: seq, text: '', redacted: true }),
        room,
        id as Param,
      ]);
      const writes: WriteStep[] = [
        {
          kind: 'write',
          sql: 'update events set body = ? where stream = ? and seq in (select seq from message_edits where message = ?)',
          params: edited,
        },
        {
          kind: 'write',
          sql: `update events set body = '{"text":"","redacted":true}' where id = ?`,
          params: ids,
          apart: true,
        },
        {
          kind: 'write',
          sql: 'delete from pins where room = ? and message = ?',
          params: rows.map(({ id }) => [room, id as Param]),
        },
        ...['message_edits', 'reactions', 'mentions'].map((table) => ({
          kind: 'write' as const,
          sql: `delete from ${table} where message = ?`,
          params: ids,
        })),
        { kind: 'write', sql: 'delete from messages where id = ?', params: ids },
      ];
      return { value: rows.length < limit, writes };
    },
  };
}

/** What the room was called, in the log and in the audit. Its bodies stay ones of their types. */
export function purgeNames(room: StreamId): Program<null> {
  return {
    reads: [
      { kind: 'read', sql: SELECT_ROOM, params: [[room]] },
      { kind: 'read', sql: SELECT_NAMING, params: [[room]] },
      { kind: 'read', sql: SELECT_AUDIT, params: [[room]] },
    ],
    decide([, events, audit]) {
      const blanked = (answers: typeof events): Param[][] =>
        (answers?.[0] ?? []).map(({ id, body }) => [blank(String(body)), id as Param]);
      return {
        value: null,
        writes: [
          { kind: 'write', sql: 'update events set body = ? where id = ?', params: blanked(events), apart: true },
          { kind: 'write', sql: 'update audit set body = ? where event = ?', params: blanked(audit), apart: true },
        ],
      };
    },
  };
}

function blank(body: string): string {
  const told = JSON.parse(body) as Record<string, unknown>;
  for (const member of ['name', 'topic']) if (Object.hasOwn(told, member)) told[member] = '';
  return JSON.stringify(told);
}
