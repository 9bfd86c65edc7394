/** The pure parts of the hot path, each so many times: what `instructions` counts. `hot-path.js <part> <times>`. */

import { nameRules } from '@natter/server/auth/names';
import { LocalBus } from '@natter/server/bus/bus';
import { systemClock } from '@natter/server/clock';
import { Core } from '@natter/server/core/execute';
import { nativeEncoding } from '@natter/server/gateway/native';
import { replyFrame } from '@natter/server/gateway/replies';
import { Hub } from '@natter/server/hub/hub';
import { type Outlet, Subscriber } from '@natter/server/hub/subscriber';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { Log } from '@natter/server/log/log';
import { openStoreOver } from '@natter/server/store/sqlite';
import { SqliteConnection } from '@natter/server/store/sqlite-connection';
import { answer, type SqliteRequest } from '@natter/server/store/sqlite-requests';
import type { StoredEvent } from '@natter/server/store/store';
import type { HotPart } from './instructions.js';

const MEMBERS = 1_000;
const TEXT = 'A hundred characters of text, as people write them: neither short nor long, and with nothing odd in it.';
/** Times are part of what is written: the same in all runs. */
const clock = { ...systemClock, now: () => 1_700_000_000_000 };

const eventOf = (seq: number): StoredEvent => ({
  id: seq,
  stream: 1,
  seq,
  type: 'message.sent',
  actor: 2,
  at: clock.now(),
  body: JSON.stringify({ text: TEXT }),
});

/** From a frame to the reply of a committed message, through the core, the rule, the log and SQLite in memory. */
async function command(times: number): Promise<void> {
  const connection = SqliteConnection.openWriter(':memory:');
  const thread = {
    ask: async <T>(request: SqliteRequest): Promise<T> => JSON.parse(JSON.stringify(answer(connection, request))) as T,
    close: async () => connection.close(),
  };
  const store = await openStoreOver(thread, []);
  const log = new Log(store, { batchMax: 1_000, queueMax: 1_000 });
  const rates = { take: () => ({ ok: true as const }) };
  const core = new Core({ store, log, limits: DEFAULT_LIMITS, names: nameRules, rates, clock, roomStatesMax: 10 });
  const user = await store.reserveStreams(1);
  const body = { name: 'ann', nameKey: 'ann', email: null, fullName: '', role: 'user' as const };
  await log.append({ actor: user, at: 1, drafts: [{ stream: user, type: 'user.created', body }] });
  const actor = { user, role: 'user' as const, session: null };
  const made = await core.execute(actor, { type: 'room.create', kind: 'group', name: 'room' });
  if (!made.ok) throw new Error(made.code);
  for (let turn = 0; turn < times; turn += 1) {
    const text = `{"id":${turn},"key":"k${turn}","type":"message.send","room":${made.result.stream},"text":"${TEXT}"}`;
    const { id, key, ...said } = JSON.parse(text);
    const reply = await core.execute(actor, said, { key });
    if (!reply.ok) throw new Error(reply.code);
    replyFrame(id, reply);
  }
  await store.close();
}

/** One committed event, from the log's telling to a write for each of a thousand sockets. */
async function delivery(times: number): Promise<void> {
  let tell: (events: readonly StoredEvent[]) => void = () => undefined;
  let head = 0;
  const hub = new Hub({
    log: {
      epoch: 1,
      onCommit: (listener) => {
        tell = listener;
      },
      onRepeat: () => undefined,
      isUnderWay: () => false,
      events: async () => [],
      heads: async (streams) => new Map(streams.map((stream) => [stream, { seq: 0, version: 0 }])),
      endings: async () => ({ newest: 0, endings: new Map() }),
    },
    bus: new LocalBus(),
    limits: DEFAULT_LIMITS,
    clock,
    memberships: async () => ({ head: 0, fromSeq: 1, joinedSeq: 1 }),
    touchUsers: async () => undefined,
    node: 'a',
    onError: (error) => {
      throw error;
    },
  });
  let writes = 0;
  const outlet: Outlet = {
    waiting: 0,
    blocked: false,
    write: () => {
      writes += 1;
    },
    onDrain: () => undefined,
    ended: () => undefined,
    roleChanged: () => undefined,
    failed: () => undefined,
  };
  for (let member = 0; member < MEMBERS; member += 1) {
    const subscriber = new Subscriber(10 + member, null, nativeEncoding, outlet);
    const inbox = await hub.enter(subscriber);
    hub.start(subscriber, { inbox, rooms: [{ stream: 1, head: 0, fromSeq: 1 }], cursors: new Map(), epoch: undefined });
  }
  await new Promise((live) => setTimeout(live, 50));
  hub.flush();
  writes = 0;
  for (let turn = 0; turn < times; turn += 1) {
    head += 1;
    tell([eventOf(head)]);
    hub.flush();
  }
  if (writes !== times * MEMBERS) throw new Error(`${writes} writes instead of ${times * MEMBERS}`);
  await hub.close();
}

/** One event as a frame of the native protocol. */
async function encoding(times: number): Promise<void> {
  for (let turn = 1; turn <= times; turn += 1) nativeEncoding.event(eventOf(turn));
}

const PARTS: Record<HotPart, (times: number) => Promise<void>> = { command, delivery, encoding };

await PARTS[process.argv[2] as HotPart](Number(process.argv[3]));
