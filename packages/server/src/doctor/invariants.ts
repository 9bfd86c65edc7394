/** Invariants of a store, each counted in a way of its own and not through the projections. */
import type { DatabaseSync } from '@photostructure/sqlite';
import type { Report } from './report.js';

type Database = InstanceType<typeof DatabaseSync>;
type Row = Record<string, string | number | null>;

interface Invariant {
  /** The rule that it stands for, and what is said of a row that breaks it. */
  rule: string;
  text: string;
  /** Finds the rows that break it; `gone` are the deleted rooms, `purging` those whose content is on its way out. */
  sql: string;
}

const NOT_GONE = 'not in (select id from gone)';

const INVARIANTS: readonly Invariant[] = [
  {
    rule: 'L2',
    text: 'seqs are not 1 to the head without holes',
    sql: `select stream, min(seq) as first, max(seq) as last, count(*) as events from actual.events group by stream
      having min(seq) != 1 or max(seq) != count(*)`,
  },
  {
    rule: 'L2',
    text: 'the head is not the seq of the newest event',
    sql: `select s.id as stream, s.head, e.last from actual.streams s
      left join (select stream, max(seq) as last from actual.events group by stream) e on e.stream = s.id
      where e.last is null or e.last != s.head`,
  },
  {
    rule: 'L2',
    text: 'events stand in a stream that there is not',
    sql: 'select stream, count(*) as events from actual.events where stream not in (select id from actual.streams) group by stream',
  },
  {
    rule: 'L2',
    text: 'the id of an event is not above the one before it',
    sql: `select stream, seq, id, before from (
        select stream, seq, id, lag(id) over (partition by stream order by seq) as before from actual.events
      ) where before >= id`,
  },
  {
    rule: 'L2',
    text: 'the first event does not make the stream, or another one does',
    sql: `select stream, seq, type from actual.events
      where (seq = 1) != (type in ('room.created', 'user.created', 'usergroup.created'))`,
  },
  {
    rule: 'L1',
    text: 'a message has no event of its own',
    sql: `select m.id, m.room, m.seq from actual.messages m left join actual.events e on e.id = m.id
      where e.id is null or e.type != 'message.sent' or e.stream != m.room or e.seq != m.seq or e.actor != m.author or e.at != m.at`,
  },
  {
    rule: 'L1',
    text: 'a sent message has no row',
    sql: `select e.id, e.stream, e.seq from actual.events e
      where e.type = 'message.sent' and e.stream ${NOT_GONE} and e.id not in (select id from actual.messages)`,
  },
  {
    rule: 'M1',
    text: 'nums are not 1 to the number of messages, rising with seq',
    sql: `select room, id, seq, num, place from (
        select room, id, seq, num, row_number() over (partition by room order by seq) as place from actual.messages
        where room ${NOT_GONE}
      ) where num != place`,
  },
  {
    rule: 'M1',
    text: 'the stream counts another number of messages',
    sql: `select s.id as stream, s.messages, count(m.id) as counted from actual.streams s
      left join actual.messages m on m.room = s.id where s.id ${NOT_GONE} group by s.id having s.messages != count(m.id)`,
  },
  {
    rule: 'L3',
    text: 'a key names an event that there is not, or of somebody else',
    sql: `select k.author, k.key, k.event from actual.keys k left join actual.events e on e.id = k.event
      where e.id is null or (e.actor != k.author and k.author != 0)`,
  },
  {
    rule: 'L5',
    text: 'a claim belongs to nobody that there is',
    sql: `select c.space, c.value, c.owner from actual.claims c
      where c.owner not in (select id from actual.streams) or c.owner in (select id from gone)`,
  },
  {
    rule: 'L5',
    text: 'a user does not hold their own name',
    sql: `select u.id, u.name from actual.users u where u.status != 'deleted' and not exists (
        select 1 from actual.claims c where c.space = 'user.name' and c.value = u.name_key and c.owner = u.id)`,
  },
  {
    rule: 'L5',
    text: 'a user does not hold their own address',
    sql: `select u.id from actual.users u where u.email is not null and not exists (
        select 1 from actual.claims c where c.space = 'user.email' and c.owner = u.id)`,
  },
  {
    rule: 'L5',
    text: 'a public channel does not hold its own name',
    sql: `select r.id, r.name from actual.rooms r where r.visibility = 'public' and r.deleted_at is null and not exists (
        select 1 from actual.claims c where c.space = 'room.name:' || r.dialect and c.owner = r.id)`,
  },
  {
    rule: 'L1',
    text: 'the member count is another one than that of the members',
    sql: `select r.id as room, r.member_count, count(m.user_id) as members from actual.rooms r
      left join actual.members m on m.room = r.id group by r.id having r.member_count != count(m.user_id)`,
  },
  {
    rule: 'A1',
    text: 'a member is no user, or of no room',
    sql: `select m.room, m.user_id from actual.members m
      left join actual.users u on u.id = m.user_id left join actual.rooms r on r.id = m.room
      where u.id is null or r.id is null or r.deleted_at is not null`,
  },
  {
    rule: 'A5',
    text: 'a room with members has no owner',
    sql: `select m.room, count(*) as members from actual.members m join actual.rooms r on r.id = m.room
      where r.kind != 'direct' and r.deleted_at is null and r.created_by != 0 group by m.room having sum(m.role = 'owner') = 0`,
  },
  {
    rule: 'M2',
    text: 'a marker stands beyond the head, or before the beginning',
    sql: `select m.room, m.user_id, m.read_seq, s.head from actual.members m join actual.streams s on s.id = m.room
      where m.read_seq > s.head or m.read_seq < 0 or m.unread_from > s.head or m.from_seq > s.head or m.joined_seq > s.head`,
  },
  {
    rule: 'M4',
    text: 'a message calls somebody, and no row of mentions says so',
    sql: `select m.id, m.room, j.value as user from actual.messages m, json_each(m.mentions, '$.users') j
      where m.deleted_at is null and coalesce(json_extract(m.mentions, '$.everyone'), 0) = 0 and not exists (
        select 1 from actual.mentions x where x.user_id = j.value and x.room = m.room and x.seq = m.seq and x.message = m.id)
      union all
      select m.id, m.room, 0 from actual.messages m
      where m.deleted_at is null and json_extract(m.mentions, '$.everyone') = 1 and not exists (
        select 1 from actual.mentions x where x.user_id = 0 and x.room = m.room and x.seq = m.seq and x.message = m.id)`,
  },
  {
    rule: 'M4',
    text: 'a row of mentions stands for no call of a message',
    sql: `select x.user_id, x.room, x.seq, x.message from actual.mentions x left join actual.messages m on m.id = x.message
      where x.room ${NOT_GONE} and (m.id is null or m.deleted_at is not null or m.room != x.room or m.seq != x.seq
        or case x.user_id when 0 then coalesce(json_extract(m.mentions, '$.everyone'), 0) != 1
          else x.user_id not in (select value from json_each(m.mentions, '$.users')) end)`,
  },
  {
    rule: 'L1',
    text: 'a reply answers no message of its room, or one that came later',
    sql: `select m.id, m.room, m.reply_to, m.thread from actual.messages m
      left join actual.messages p on p.id = m.reply_to left join actual.messages t on t.id = m.thread
      where m.room ${NOT_GONE} and ((m.reply_to is null) != (m.thread is null)
        or (m.reply_to is not null and (p.id is null or t.id is null or p.room != m.room or t.room != m.room
          or p.seq >= m.seq or t.seq > p.seq or m.thread != coalesce(p.thread, p.id))))`,
  },
  {
    rule: 'L1',
    text: 'the number of replies is another one than that of the replies',
    sql: `select t.id, t.reply_count, coalesce(c.replies, 0) as replies from actual.messages t
      left join (select thread, count(*) as replies from actual.messages where thread is not null and deleted_at is null group by thread) c
        on c.thread = t.id
      where t.room ${NOT_GONE} and t.reply_count != coalesce(c.replies, 0)`,
  },
  {
    rule: 'L6',
    text: 'a deleted message still has content',
    sql: `select m.id, m.room from actual.messages m where m.deleted_at is not null and (m.text != '' or m.mentions is not null or m.extra is not null
        or exists (select 1 from actual.message_edits x where x.message = m.id)
        or exists (select 1 from actual.reactions x where x.message = m.id)
        or exists (select 1 from actual.pins x where x.message = m.id and x.room = m.room)
        or exists (select 1 from actual.mentions x where x.message = m.id))`,
  },
  {
    rule: 'L6',
    text: 'the event of a deleted message still has content',
    sql: `select e.id, e.stream, e.seq from actual.messages m join actual.events e on e.id = m.id
      where m.deleted_at is not null and (json_extract(e.body, '$.text') != '' or json_extract(e.body, '$.redacted') is not 1
        or json_extract(e.body, '$.mentions') is not null or json_extract(e.body, '$.extra') is not null)
      union all
      select e.id, e.stream, e.seq from actual.events e join actual.messages m on m.id = json_extract(e.body, '$.message')
      where e.type = 'message.edited' and m.deleted_at is not null
        and (json_extract(e.body, '$.text') != '' or json_extract(e.body, '$.redacted') is not 1 or json_extract(e.body, '$.mentions') is not null)`,
  },
  {
    rule: 'L6',
    text: 'a deleted room still has content',
    sql: `select r.id as room, r.name, r.topic from actual.rooms r where r.deleted_at is not null and (r.name != '' or r.topic != ''
        or (r.id not in (select id from purging) and (
          exists (select 1 from actual.messages m where m.room = r.id)
          or exists (select 1 from actual.events e where e.stream = r.id and coalesce(json_extract(e.body, '$.text'), json_extract(e.body, '$.name'), '') != ''))))`,
  },
  {
    rule: 'L1',
    text: 'reactions, pins or former texts of a message that there is not',
    sql: `select 'reactions' as kind, message from actual.reactions where message not in (select id from actual.messages)
      union select 'pins', message from actual.pins where message not in (select id from actual.messages)
      union select 'message_edits', message from actual.message_edits where message not in (select id from actual.messages)`,
  },
  {
    rule: 'S5',
    text: 'a deleted account still has an address, a password, sessions, claims, or memberships',
    sql: `select u.id from actual.users u where u.status = 'deleted' and (u.email is not null or u.about != '' or u.full_name != 'Deleted User'
        or exists (select 1 from actual.credentials x where x.user_id = u.id)
        or exists (select 1 from actual.sessions x where x.user_id = u.id)
        or exists (select 1 from actual.claims x where x.owner = u.id)
        or (exists (select 1 from actual.members x where x.user_id = u.id)
          and not exists (select 1 from actual.jobs j where j.kind = 'forget_user' and j.subject = u.id)))`,
  },
  {
    rule: 'S2',
    text: 'a session follows from no log-in, or was ended',
    sql: `select s.id, s.user_id from actual.sessions s left join actual.users u on u.id = s.user_id
      where u.id is null or u.status != 'active'
        or not exists (select 1 from actual.events e where e.stream = s.user_id and e.type = 'session.started'
          and json_extract(e.body, '$.session') = s.id)
        or exists (select 1 from actual.events e, json_each(e.body, '$.sessions') j where e.stream = s.user_id and e.type = 'session.ended'
          and j.value = s.id)`,
  },
  {
    rule: 'S1',
    text: 'a password belongs to no user',
    sql: 'select user_id from actual.credentials where user_id not in (select id from actual.users)',
  },
];

/** The store is attached as `actual`; the temporary table `gone` names the deleted rooms. */
export function checkInvariants(db: Database, report: Report, onCheck: (done: number, of: number) => void): void {
  db.exec(`create temp table purging as select subject as id from actual.jobs where kind = 'purge_room'`);
  const of = INVARIANTS.length + 1;
  INVARIANTS.forEach(({ rule, text, sql }, index) => {
    for (const row of db.prepare(sql).iterate() as IterableIterator<Row>) {
      const where = Object.entries(row).map(([column, value]) => `${column} ${JSON.stringify(value)}`);
      report.add(rule, `${text}: ${where.join(', ')}`);
    }
    onCheck(index + 1, of);
  });
  countUnread(db, report);
  onCheck(of, of);
}

/** [M1][M3] What the stored markers give as unread, against a count of the messages themselves. */
function countUnread(db: Database, report: Report): void {
  const rooms = db.prepare(
    `select distinct m.room, s.messages from actual.members m join actual.streams s on s.id = m.room where m.room ${NOT_GONE}`,
  );
  const messages = db.prepare(
    'select seq, deleted_at is not null as deleted from actual.messages where room = ? order by seq',
  );
  const members = db.prepare(
    'select user_id, read_seq, read_num, unread_from, unread_num from actual.members where room = ?',
  );
  for (const { room, messages: total } of rooms.all() as { room: number; messages: number }[]) {
    const seqs: number[] = [];
    /** How many of the first n messages are deleted. */
    const deleted: number[] = [0];
    for (const row of messages.iterate(room) as IterableIterator<{ seq: number; deleted: number }>) {
      seqs.push(row.seq);
      deleted.push((deleted.at(-1) as number) + row.deleted);
    }
    const below = (seq: number): number => {
      let [low, high] = [0, seqs.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((seqs[middle] as number) < seq) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    for (const row of members.all(room) as Row[]) {
      const readSeq = Number(row.read_seq);
      const from = row.unread_from === null ? readSeq + 1 : Number(row.unread_from);
      const num = Number(row.unread_from === null ? row.read_num : row.unread_num);
      const first = below(from);
      const counted = seqs.length - first - ((deleted.at(-1) as number) - (deleted[first] as number));
      const told = total - num - ((deleted.at(-1) as number) - (deleted[Math.min(num, seqs.length)] as number));
      if (counted !== told || below(readSeq + 1) !== row.read_num) {
        report.add(
          'M1',
          `unread messages of user ${row.user_id} in room ${room}: ${told} by the marker, ${counted} by counting`,
        );
      }
    }
  }
}
