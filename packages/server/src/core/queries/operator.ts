/** Reads for whoever runs the server, at the command line: accounts and rooms as lists, and never what was said in them. */
import type { RoomId, RoomKind, RoomRole, Timestamp, UserId, UserRole, Visibility } from '@natter/protocol';
import { type Answer, refuse } from '../actor.js';
import { iso, isoOrNull, type QueryContext } from './context.js';

export interface OperatorUser {
  id: UserId;
  name: string;
  fullName: string;
  email: string | null;
  role: UserRole;
  status: 'active' | 'deactivated' | 'deleted';
  placeholder: boolean;
  createdAt: Timestamp;
  lastSeenAt: Timestamp | null;
}

export interface OperatorRoom {
  id: RoomId;
  kind: RoomKind;
  name: string;
  visibility: Visibility;
  archived: boolean;
  members: number;
  messages: number;
  /** Seq of the newest event. */
  head: number;
  createdAt: Timestamp;
  lastEventAt: Timestamp | null;
}

export interface OperatorRoomDetails extends OperatorRoom {
  topic: string;
  history: 'shared' | 'joined';
  dialect: string;
  createdBy: string | null;
  /** The members who stand out, and how many there are beside them. */
  owners: { id: UserId; name: string; role: RoomRole }[];
  others: number;
}

const NAMED_MAX = 50;

export function makeOperator({ store, names }: Pick<QueryContext, 'store' | 'names'>) {
  const rooms = () =>
    store.db
      .selectFrom('rooms')
      .innerJoin('streams', 'streams.id', 'rooms.id')
      .leftJoin('events', (on) => on.onRef('events.stream', '=', 'rooms.id').onRef('events.seq', '=', 'streams.head'))
      .selectAll('rooms')
      .select(['streams.head', 'streams.messages', 'events.at as last_at'])
      .where('rooms.deleted_at', 'is', null);
  type Row = Awaited<ReturnType<ReturnType<typeof rooms>['executeTakeFirstOrThrow']>>;
  const toRoom = (row: Row): OperatorRoom => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    visibility: row.visibility,
    archived: row.archived_at !== null,
    members: row.member_count,
    messages: row.messages,
    head: row.head,
    createdAt: iso(row.created_at),
    lastEventAt: isoOrNull(row.last_at),
  });

  async function userId(name: string): Promise<UserId | null> {
    const row = await store.db
      .selectFrom('users')
      .select('id')
      .where('name_key', '=', names.key(name))
      .where('status', '!=', 'deleted')
      .executeTakeFirst();
    return row?.id ?? null;
  }

  /** By id, or by name where only one has it. */
  async function findRoom(wanted: string): Promise<Answer<Row>> {
    if (/^[1-9]\d{0,15}$/.test(wanted)) {
      const row = await rooms().where('rooms.id', '=', Number(wanted)).executeTakeFirst();
      if (row) return { ok: true, value: row };
    }
    const found = await rooms().where('rooms.name', '=', wanted.replace(/^#/, '')).limit(2).execute();
    const [row] = found;
    if (!row) return refuse('not_found', `there is no room ${wanted}`);
    return found.length === 1
      ? { ok: true, value: row }
      : refuse('invalid', `several rooms are called ${wanted}: give an id`);
  }

  return {
    userId,

    async users({ placeholders }: { placeholders: boolean }): Promise<OperatorUser[]> {
      let query = store.db.selectFrom('users').selectAll().where('status', '!=', 'deleted').orderBy('id');
      if (!placeholders) query = query.where('placeholder', '=', 0);
      const rows = await query.execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        fullName: row.full_name,
        email: row.email,
        role: row.role,
        status: row.status,
        placeholder: row.placeholder === 1,
        createdAt: iso(row.created_at),
        lastSeenAt: isoOrNull(row.last_seen_at),
      }));
    },

    async rooms({ direct }: { direct: boolean }): Promise<OperatorRoom[]> {
      let query = rooms().orderBy('rooms.id');
      if (!direct) query = query.where('rooms.kind', '!=', 'direct');
      return (await query.execute()).map(toRoom);
    },

    async room(wanted: string): Promise<Answer<OperatorRoomDetails>> {
      const found = await findRoom(wanted);
      if (!found.ok) return found;
      const row = found.value;
      const members = await store.db
        .selectFrom('members')
        .innerJoin('users', 'users.id', 'members.user_id')
        .select(['users.id', 'users.name', 'members.role'])
        .where('members.room', '=', row.id)
        .where('members.role', '!=', 'member')
        .orderBy('members.joined_seq')
        .limit(NAMED_MAX)
        .execute();
      const creator = await store.db
        .selectFrom('users')
        .select('name')
        .where('id', '=', row.created_by)
        .executeTakeFirst();
      return {
        ok: true,
        value: {
          ...toRoom(row),
          topic: row.topic,
          history: row.history,
          dialect: row.dialect,
          createdBy: creator?.name ?? null,
          owners: members,
          others: row.member_count - members.length,
        },
      };
    },
  };
}

export type Operator = ReturnType<typeof makeOperator>;
