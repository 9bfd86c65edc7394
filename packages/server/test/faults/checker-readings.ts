/** What the nodes and the database themselves answer after a run, against what the log tells. */
import { Api } from '@natter/client/api';
import type { Message, RoomList } from '@natter/protocol';
import type { StoredEvent } from '@natter/server/store/store';
import type { Log } from '../simulation/judge.js';
import { type Model, tablesOf } from '../store/model.js';
import type { Device, Person } from './people.js';
import type { CheckOptions, Verdict } from './verdict.js';

/** [I2] The heads of the tables are those of the log. */
export async function checkHeads({ cluster }: CheckOptions, log: Log, problem: (what: string) => void): Promise<void> {
  for (const row of await cluster.postgres.ask('select id, head from streams')) {
    const length = log.get(Number(row.id))?.length ?? 0;
    if (Number(row.head) !== length) problem(`stream ${row.id} has a head of ${row.head} and ${length} events [I2]`);
  }
}

/** [I16] What the tables hold is what the events tell. */
export async function checkTables(
  { cluster }: CheckOptions,
  model: Model,
  problem: (what: string) => void,
): Promise<void> {
  const rows = new Map<string, Record<string, unknown>[]>();
  const tables = model.tables();
  for (const table of Object.keys(tables)) {
    rows.set(table, await cluster.postgres.ask(`select * from "${table}"`));
  }
  const held = tablesOf((table) => (rows.get(table) ?? []).map(comparable), model);
  for (const [table, told] of Object.entries(tables)) {
    const kept = held[table] ?? [];
    const [ours, theirs] = [new Set(kept), new Set(told)];
    const wrong = [...kept.filter((row) => !theirs.has(row)), ...told.filter((row) => !ours.has(row))];
    if (wrong.length > 0) problem(`${table} is not what the events tell: ${wrong.slice(0, 4).join('; ')} [I16]`);
  }
}

/** As the model has it: of columns that only this store has, and of when somebody was last seen, it knows nothing. */
function comparable({ search: _search, ...row }: Record<string, unknown>): object {
  return 'last_seen_at' in row ? { ...row, last_seen_at: null } : row;
}

/** [I9] What each user has not read, as a node counts it, is what a look at the log counts. */
export async function checkCounts(
  { cluster, people }: CheckOptions,
  model: Model,
  problem: (what: string) => void,
): Promise<void> {
  for (const { id, name, token } of people) {
    const answer = await fetch(`${cluster.anyUrl()}/v1/rooms`, { headers: { authorization: `Bearer ${token}` } });
    const { rooms } = (await answer.json()) as RoomList;
    for (const { id: room, unread, mentions } of rooms) {
      const told = model.unread(room, id);
      if (told.unread === unread && told.mentions === mentions) continue;
      problem(
        `${name} has ${unread}/${mentions} unread in room ${room}, and it is ${told.unread}/${told.mentions} [I9]`,
      );
    }
  }
}

/** [I8] Markers rise, stay within the room, and end where they were last moved to. */
export async function checkMarkers(
  { cluster, devices, people }: CheckOptions,
  events: readonly StoredEvent[],
  problem: (what: string) => void,
): Promise<void> {
  const at = new Map<string, number>();
  for (const event of events) {
    if (event.type !== 'read.moved') continue;
    const { room, seq } = JSON.parse(event.body) as { room: number; seq: number };
    const key = `${event.stream}:${room}`;
    if (seq < (at.get(key) ?? 0)) problem(`the marker of user ${event.stream} in room ${room} fell to ${seq} [I8]`);
    at.set(key, Math.max(seq, at.get(key) ?? 0));
  }
  const members = await cluster.postgres.ask(
    'select m.room, m.user_id, m.read_seq, m.joined_seq, s.head from members m join streams s on s.id = m.room',
  );
  for (const { room, user_id, read_seq, joined_seq, head } of members) {
    if (!people.some(({ id }) => id === Number(user_id))) continue;
    if (Number(read_seq) > Number(head))
      problem(`the marker of user ${user_id} in room ${room} is beyond its head [I8]`);
    const asked = devices
      .filter(({ person }) => person.id === Number(user_id))
      .flatMap(({ acts, sends }) => [
        ...acts
          .filter(({ type, input, refused, answered }) => {
            return type === 'read.move' && input.room === Number(room) && refused === null && answered !== null;
          })
          .map(({ input }) => input.seq as number),
        ...sends.filter((send) => send.room === Number(room) && send.seq !== null).map(({ seq }) => seq as number),
      ]);
    const highest = Math.max(0, ...asked.filter((seq) => seq >= Number(joined_seq)));
    if (Number(read_seq) < highest) {
      problem(`the marker of user ${user_id} in room ${room} is at ${read_seq}, and ${highest} was acknowledged [I8]`);
    }
  }
}

/** [I10] What was deleted is in no table, and in nobody's hands. */
export async function checkDeleted(
  { cluster, devices }: CheckOptions,
  events: readonly StoredEvent[],
  problem: (what: string) => void,
): Promise<void> {
  const sends = new Map(
    devices.flatMap((device) => device.sends.flatMap((send) => (send.id === null ? [] : [[send.id, send] as const]))),
  );
  const gone = events.flatMap((event) => {
    if (event.type !== 'message.deleted') return [];
    const { message } = JSON.parse(event.body) as { message: number };
    return sends.get(message) ?? [];
  });
  if (gone.length === 0) return;
  const needles = gone.slice(-200).map(({ text }) => text.split('.')[0] as string);
  const tables = await cluster.postgres.ask<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  for (const { name } of tables) {
    const rows = await cluster.postgres.ask<{ row: string }>(`select to_jsonb(t)::text as row from "${name}" t`);
    const all = rows.map(({ row }) => row).join('\n');
    for (const needle of needles) {
      if (all.includes(`${needle}.`)) problem(`"${needle}" was deleted, and is in ${name} [I10]`);
    }
  }
  for (const { name, client, person } of devices) {
    for (const room of client.rooms.getSnapshot()) {
      const { messages } = client.timeline(room.id).getSnapshot();
      for (const send of gone) {
        if (messages.some(({ id, text }) => id === send.id && text !== '')) {
          problem(`${name} of user ${person.id} still shows "${send.text}" [I10]`);
        }
      }
    }
  }
}

/** [I2] Every room by pages, forwards and backwards, in pieces of several sizes, on every node. */
export async function checkPages(
  { cluster, people, devices, rooms }: CheckOptions,
  log: Log,
  model: Model,
  problem: (what: string) => void,
): Promise<void> {
  const [owner] = people as [Person];
  const device = devices.find(({ person }) => person === owner) as Device;
  const api = new Api(device.client.http);
  for (const [index, room] of rooms.entries()) {
    const told = model.messagesOf(room).map(({ row }) => row.id);
    const sizes = log.get(room)?.length && (log.get(room)?.length ?? 0) < 400 ? [1, 2, 50, 100] : [50, 100];
    const limit = sizes[index % sizes.length] as number;
    const read = async (side: 'before' | 'after'): Promise<number[]> => {
      const found: Message[] = [];
      let from: number | null = side === 'before' ? Number.MAX_SAFE_INTEGER : 0;
      while (from !== null) {
        const page = await api.messages(room, { [side]: from, limit });
        if (side === 'before') found.unshift(...page.messages);
        else found.push(...page.messages);
        from = page[side];
      }
      return found.map(({ id }) => id);
    };
    for (const side of ['before', 'after'] as const) {
      const found = await read(side);
      if (JSON.stringify(found) !== JSON.stringify(told)) {
        problem(
          `room ${room} by pages of ${limit} ${side} has ${found.length} messages, and ${told.length} were sent [I2]`,
        );
      }
    }
  }
  // Every node reads the same.
  for (const node of cluster.nodes) {
    const answer = await fetch(`${node.url}/v1/rooms`, { headers: { authorization: `Bearer ${owner.token}` } });
    const { rooms: rows } = (await answer.json()) as { rooms: { id: number; head: number }[] };
    for (const { id, head } of rows) {
      if (head !== log.get(id)?.length) problem(`${node.name} says that room ${id} stands at ${head} [I2]`);
    }
  }
}

/** [I15] Search finds what a look at all messages finds, for each user. */
export async function checkSearch(
  { people, devices, rooms }: CheckOptions,
  model: Model,
  verdict: Verdict,
): Promise<void> {
  for (const person of people.slice(0, 4)) {
    const device = devices.find((one) => one.person === person) as Device;
    const api = new Api(device.client.http);
    for (const word of [`${device.name}`, 'edited']) {
      const told = rooms
        .filter((room) => model.membersOf(room).some((member) => member.user_id === person.id))
        .flatMap((room) => model.messagesOf(room))
        .filter(({ row }) => row.deleted_at === null && row.text.split(/[\s.]+/).includes(word))
        .map(({ row }) => row.id)
        .sort((a, b) => a - b);
      const until = performance.now() + 15_000;
      for (;;) {
        const found = new Set<number>();
        let next: string | undefined;
        do {
          const page = await api.searchMessages({ q: word, mode: 'words', limit: 100, ...(next ? { next } : {}) });
          for (const { message } of page.hits) found.add(message.id);
          next = page.next ?? undefined;
        } while (next !== undefined);
        const same = JSON.stringify([...found].sort((a, b) => a - b)) === JSON.stringify(told);
        if (same) break;
        // The index may be behind for a moment.
        if (performance.now() > until) {
          verdict.problems.push(
            `${person.name} finds ${found.size} messages with "${word}", and there are ${told.length} [I15]`,
          );
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}
