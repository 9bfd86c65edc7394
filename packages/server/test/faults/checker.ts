/** The invariants I1 to I16 over a whole history: what was asked for, answered, heard and held, against the log and the tables. */
import { createHash } from 'node:crypto';
import { type StoredEvent, toEvent } from '@natter/server/store/store';
import { judgeHeard, judgeHeld, type Log, logOf, replay, type Stay } from '../simulation/judge.js';
import type { Model } from '../store/model.js';
import {
  checkCounts,
  checkDeleted,
  checkHeads,
  checkMarkers,
  checkPages,
  checkSearch,
  checkTables,
} from './checker-readings.js';
import type { Cluster } from './cluster.js';
import type { Heard } from './history.js';
import type { Device } from './people.js';
import type { CheckOptions, Verdict } from './verdict.js';

/** [I7] From healing to everything being everywhere; and from the answer to everybody while hints are broken, or lost unseen. */
const RECOVERY_MS = 5_000;
const HINTLESS_MS = 2_000;
const UNSEEN_MS = 5_000;

export async function readLog(cluster: Cluster): Promise<StoredEvent[]> {
  const rows = await cluster.postgres.ask('select id, stream, seq, type, actor, at, body from events order by id');
  return rows.map((row) => toEvent(row as never));
}

/** One number for everything that is stored, whichever node asks [I16]. */
export async function stateHash(cluster: Cluster): Promise<string> {
  const tables = await cluster.postgres.ask<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const hash = createHash('sha256');
  for (const { name } of tables) {
    // When somebody was last seen is no fact of the log, and neither is what is known of the index.
    const columns = name === 'users' ? `to_jsonb(t) - 'last_seen_at'` : 'to_jsonb(t)';
    const rows = await cluster.postgres.ask<{ row: string }>(
      `select (${columns})::text as row from "${name}" t order by 1`,
    );
    hash.update(`${name}\n${rows.map(({ row }) => row).join('\n')}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

export async function check(options: CheckOptions): Promise<Verdict> {
  const { cluster, devices } = options;
  const verdict: Verdict = {
    problems: [],
    lost: 0,
    doubled: 0,
    gapped: 0,
    reordered: 0,
    phantom: 0,
    leaked: 0,
    recoveries: [],
    withoutHints: [],
    events: 0,
    sends: 0,
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    deliveries: 0,
  };
  const problem = (what: string): void => void verdict.problems.push(what);
  const events = await readLog(cluster);
  verdict.events = events.length;
  verdict.deliveries = devices.reduce((sum, { heard }) => sum + heard.length, 0);
  const log = logOf(events, (what) => {
    verdict.gapped += 1;
    problem(`${what} [I2]`);
  });
  const { model, stays } = replay(events, 100, problem);
  const checks: (() => Promise<void> | void)[] = [
    () => checkHeads(options, log, problem),
    () => checkTables(options, model, problem),
    () => checkSends(options, events, verdict),
    () => checkOrder(options, verdict),
    ...devices.map((device) => () => checkHeard(device, log, stays, verdict)),
    () => checkHeldInTheEnd(options, model, log, problem),
    () => checkCounts(options, model, problem),
    () => checkDelays(options, log, verdict),
    () => checkMarkers(options, events, problem),
    () => checkDeleted(options, events, problem),
    () => checkPages(options, log, model, problem),
    () => checkSearch(options, model, verdict),
  ];
  for (const one of checks) {
    try {
      await one();
    } catch (error) {
      // A log that makes no sense can't be looked at to the end, and that is found here.
      problem(`a check could not be finished: ${(error as Error).message}`);
    }
  }
  for (const { name, complaints, missteps } of devices) {
    for (const what of complaints) problem(`${name}: ${what} [I3]`);
    for (const { kind, what } of missteps) {
      verdict[kind] += 1;
      problem(`${name} was told out of step: ${what} [I3]`);
    }
  }
  return verdict;
}

/** [I1] Acknowledged: once, there, with these bytes. Unknown: at most once. Refused: never. */
async function checkSends(
  { cluster, devices }: CheckOptions,
  events: readonly StoredEvent[],
  verdict: Verdict,
): Promise<void> {
  const keys = await cluster.postgres.ask<{ author: string; key: string; event: string }>(
    'select author, key, event from keys',
  );
  const byKey = new Map(keys.map(({ author, key, event }) => [`${author}:${key}`, Number(event)]));
  const byId = new Map(events.map((event) => [event.id, event]));
  const texts = new Map<string, StoredEvent[]>();
  for (const event of events) {
    if (event.type !== 'message.sent') continue;
    const { text } = JSON.parse(event.body) as { text: string };
    if (text === '') continue;
    const at = `${event.actor}:${text}`;
    texts.set(at, [...(texts.get(at) ?? []), event]);
  }
  for (const send of devices.flatMap((device) => device.sends)) {
    verdict.sends += 1;
    const name = `${send.key} of user ${send.user}`;
    const kept = byId.get(byKey.get(`${send.user}:${send.key}`) ?? 0);
    const copies = texts.get(`${send.user}:${send.text}`)?.length ?? 0;
    if (copies > 1) {
      verdict.doubled += 1;
      verdict.problems.push(`${name} is ${copies} times in the log [I1]`);
    }
    if (send.refused !== null) {
      verdict.refused += 1;
      if (copies > 0 || kept) {
        verdict.phantom += 1;
        verdict.problems.push(`${name} was refused with ${send.refused}, and is in the log [I1]`);
      }
    } else if (send.seq === null) {
      verdict.unknown += 1;
    } else {
      verdict.acknowledged += 1;
      const event = byId.get(send.id ?? 0);
      if (event?.stream !== send.room || event.seq !== send.seq || event.type !== 'message.sent') {
        verdict.lost += 1;
        verdict.problems.push(
          `${name} was acknowledged as ${send.seq} of ${send.room}, and there is ${JSON.stringify(event)} [I1]`,
        );
        continue;
      }
      const { text, redacted } = JSON.parse(event.body) as { text: string; redacted?: boolean };
      if (!redacted && text !== send.text) verdict.problems.push(`${name} is in the log with another text [I1]`);
      if (kept?.id !== event.id) verdict.problems.push(`${name} is not known by its key [I11]`);
    }
  }
}

/** [I4] What was acknowledged before something else was asked for stands before it. */
function checkOrder({ devices }: CheckOptions, verdict: Verdict): void {
  const sends = devices.flatMap((device) => device.sends).filter(({ seq }) => seq !== null);
  const moments = sends
    .flatMap((send) => [
      { at: send.invoked, send, ends: false },
      { at: send.answered as number, send, ends: true },
    ])
    .sort((a, b) => a.at - b.at);
  const newest = new Map<number, number>();
  const floor = new Map<object, number>();
  for (const { send, ends } of moments) {
    const seq = send.seq as number;
    if (!ends) floor.set(send, newest.get(send.room) ?? 0);
    else {
      if (seq <= (floor.get(send) ?? 0)) {
        verdict.reordered += 1;
        verdict.problems.push(`${send.key} overtook what was acknowledged before it was asked for [I4]`);
      }
      newest.set(send.room, Math.max(newest.get(send.room) ?? 0, seq));
    }
  }
}

/** [I3][I5][I6] Each heard what is in the log, as it is there, in order, once, without a gap, and nothing that was not theirs. */
function checkHeard(
  { person, name, heard }: Device,
  log: Log,
  stays: ReadonlyMap<string, readonly Stay[]>,
  verdict: Verdict,
): void {
  const at = new Map<number, Heard>();
  for (const one of heard) {
    const { stream, seq, id, type, body } = one;
    const where = `${name}: event ${seq} of ${stream}`;
    const event = log.get(stream)?.[seq - 1];
    const redacted = event?.body.includes('"redacted":true') === true;
    const same = type === 'hidden' || (event?.id === id && event?.type === type && (redacted || event.body === body));
    if (!event || !same) {
      verdict.phantom += 1;
      verdict.problems.push(
        `${where} was heard as ${type} ${body.slice(0, 100)}, and the log has ${JSON.stringify(event)} [I5]`,
      );
    }
    const last = at.get(stream);
    at.set(stream, one);
    if (!last) continue;
    if (seq <= last.seq) {
      if (seq === last.seq) verdict.doubled += 1;
      else verdict.reordered += 1;
      verdict.problems.push(`${where} came after ${last.seq} [I3]`);
    } else if (seq !== last.seq + 1) {
      // Between two stays there is what is not theirs.
      const rejoined = stays.get(`${person.id}:${stream}`)?.some(({ from }) => from > last.seq && from <= seq);
      if (rejoined) continue;
      verdict.gapped += 1;
      verdict.problems.push(`${where} came after ${last.seq} [I3]`);
    }
  }
  const own = heard.map(({ stream, seq, type }) => ({ stream, seq, hidden: type === 'hidden' }));
  judgeHeard(person.id, own, log, stays, (what) => {
    verdict.leaked += 1;
    verdict.problems.push(`${name}: ${what} [I6]`);
  });
}

/** A count that an SDK could not read anew is asked for again, at the latest after so long. */
const AGAIN_MS = 6_000;

async function checkHeldInTheEnd(
  options: CheckOptions,
  model: Model,
  log: Log,
  problem: (what: string) => void,
): Promise<void> {
  const until = performance.now() + AGAIN_MS;
  for (;;) {
    const found: string[] = [];
    checkHeldByAll(options, model, log, (what) => found.push(what));
    if (found.length === 0 || performance.now() > until) {
      for (const what of found) problem(what);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** [I3][I9] All end with the same: rooms, counts, markers, and the messages that they show. */
function checkHeldByAll(
  { devices, rooms }: CheckOptions,
  model: Model,
  log: Log,
  problem: (what: string) => void,
): void {
  for (const { person, name, client } of devices) {
    const timelines = new Map(rooms.map((room) => [room, client.timeline(room)]));
    judgeHeld(
      {
        user: person.id,
        name,
        cursor: (stream) => client.position?.cursors[stream],
        live: null,
        rooms: client.rooms,
        timelines,
      },
      model,
      log,
      (what) => problem(`${what} [I3][I9]`),
    );
  }
}

/** [I7] In rooms that everybody stays in: how long it took until all devices had it. */
function checkDelays({ devices, rooms, churning, troubles, slack }: CheckOptions, log: Log, verdict: Verdict): void {
  const stable = rooms.filter((room) => !churning.includes(room));
  /** When each device had each place of each room. */
  const heardAt = devices.map(({ heard }) => new Map(heard.map(({ stream, seq, at }) => [`${stream}:${seq}`, at])));
  const sends = devices
    .flatMap((device) => device.sends)
    .filter(({ seq, room }) => seq !== null && stable.includes(room));
  const reached = (room: number, seq: number): number =>
    Math.max(...heardAt.map((own) => own.get(`${room}:${seq}`) ?? Number.POSITIVE_INFINITY));
  for (const trouble of troubles) {
    const name = trouble.faults.join(' and ');
    let recovery = 0;
    for (const send of sends) {
      // What was asked for before is answered and heard by everybody, whether or not it was answered by then.
      if (send.invoked > trouble.healed || !log.get(send.room)?.[(send.seq as number) - 1]) continue;
      const late = reached(send.room, send.seq as number) - trouble.healed;
      if (late > recovery) recovery = late;
    }
    verdict.recoveries.push(recovery);
    const slackMs = slack(trouble.began, trouble.healed + RECOVERY_MS);
    if (recovery > RECOVERY_MS + slackMs) {
      verdict.problems.push(`after ${name} it took ${Math.round(recovery)} ms until all had everything [I7]`);
    }
    if ([...trouble.harms].some((harm) => harm !== 'nats' && harm !== 'hints')) continue;
    const allowed = trouble.harms.has('hints') ? UNSEEN_MS : HINTLESS_MS;
    for (const send of sends) {
      const answered = send.answered as number;
      if (answered < trouble.began || answered > trouble.healed) continue;
      const took = reached(send.room, send.seq as number) - answered;
      verdict.withoutHints.push(Math.max(0, took));
      if (took > allowed + slackMs) {
        verdict.problems.push(`under ${name}, ${send.key} took ${Math.round(took)} ms to reach everybody [I7]`);
      }
    }
  }
}
