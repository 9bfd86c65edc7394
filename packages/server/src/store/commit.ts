/** The one transaction: decides a batch of entries, and says which events, projections and keys are written. Pure. */
import type { EventId, EventType, MessageId, Seq, StreamId, UserId } from '@natter/protocol';
import { Projector } from './project.js';
import type { Answers, Param, Program, ReadStep, WriteStep } from './steps.js';
import { type Claim, changesState, type Draft, type Entry, type Outcome, type StoredEvent, toEvent } from './store.js';

const SELECT_HEAD = 'select id, kind, head, version, messages from streams where id = ?{lock}';
const SELECT_KEY =
  'select k.hash, e.id, e.stream, e.seq, e.type, e.actor, e.at, e.body from keys k join events e on e.id = k.event where k.author = ? and k.key = ?';
const SELECT_CLAIM = 'select owner from claims where space = ? and value = ?';
const SELECT_MESSAGE = 'select id, version from messages where id = ?';
const SELECT_MARKER = 'select read_seq from members where room = ? and user_id = ?';

interface StreamHead {
  seq: number;
  version: number;
  messages: number;
  exists: boolean;
  touched: boolean;
}

/** The first event of a stream makes it. */
const CREATES: Partial<Record<EventType, 'room' | 'user' | 'usergroup'>> = {
  'room.created': 'room',
  'user.created': 'user',
  'usergroup.created': 'usergroup',
};

function changesMessage(type: EventType): boolean {
  return (
    type === 'message.edited' ||
    type === 'message.deleted' ||
    type === 'reaction.added' ||
    type === 'reaction.removed' ||
    type === 'pin.added' ||
    type === 'pin.removed'
  );
}

const claimKey = (claim: Claim): string => `${claim.space}\n${claim.value}`;
const keyOf = (author: UserId, key: string): string => `${author}\n${key}`;
const markerOf = (room: StreamId, user: UserId): string => `${room}:${user}`;
const ownerOf = (entry: Entry): UserId => entry.key?.author ?? entry.actor;

export function commitBatch(batch: readonly Entry[]): Program<Outcome[]> {
  const heads = readHeads(batch);
  const keys = readKeys(batch);
  const claims = readClaims(batch);
  const versions = readMessages(batch);
  const markers = readMarkers(batch);
  let drafts = 0;
  for (const entry of batch) drafts += entry.drafts.length;
  return {
    reads: [heads.step, keys.step, claims.step, versions.step, markers.step, { kind: 'event_ids', count: drafts }],
    decide: ([ofHeads = [], ofKeys = [], ofClaims = [], ofVersions = [], ofMarkers = [], ids = []]) =>
      decideBatch(
        batch,
        heads.take(ofHeads),
        keys.take(ofKeys),
        claims.take(ofClaims),
        versions.take(ofVersions),
        markers.take(ofMarkers),
        (ids[0] ?? []).map((row) => Number(row.id)),
      ),
  };
}

function decideBatch(
  batch: readonly Entry[],
  heads: Map<StreamId, StreamHead>,
  keys: Map<string, KnownKey>,
  claims: Map<string, StreamId>,
  versions: Map<MessageId, number>,
  markers: Map<string, Seq>,
  ids: readonly EventId[],
): { value: Outcome[]; writes: readonly WriteStep[] } {
  let taken = 0;
  const projector = new Projector();
  const outcomes: Outcome[] = [];
  for (const entry of batch) {
    const known = entry.key && keys.get(keyOf(ownerOf(entry), entry.key.key));
    if (known) {
      outcomes.push(
        known.hash === entry.key?.hash ? { kind: 'replayed', event: known.event } : { kind: 'key_conflict' },
      );
      continue;
    }
    if (isStale(entry, heads, keys, versions, markers)) {
      outcomes.push({ kind: 'stale' });
      continue;
    }
    const lost = entry.claims?.find((claim) => {
      const owner = claims.get(claimKey(claim));
      return owner !== undefined && owner !== claim.owner;
    });
    if (lost) {
      outcomes.push({ kind: 'taken', claim: lost });
      continue;
    }
    for (const claim of entry.releases ?? []) {
      if (claims.get(claimKey(claim)) !== claim.owner) continue;
      claims.delete(claimKey(claim));
      projector.write('delete from claims where space = ? and value = ?', [claim.space, claim.value]);
    }
    for (const claim of entry.claims ?? []) {
      if (claims.get(claimKey(claim)) === claim.owner) continue;
      claims.set(claimKey(claim), claim.owner);
      projector.insert('claims', ['space', 'value', 'owner'], [claim.space, claim.value, claim.owner]);
    }
    const events: StoredEvent[] = [];
    for (const draft of entry.drafts) {
      const head = headOf(heads, draft.stream, draft.type);
      const made = CREATES[draft.type];
      if (made) {
        projector.insert('streams', ['id', 'kind', 'head', 'version', 'messages'], [draft.stream, made, 0, 0, 0]);
      }
      head.seq += 1;
      head.touched = true;
      if (draft.type === 'message.sent') head.messages += 1;
      if (changesState(draft.type)) head.version += 1;
      if (changesMessage(draft.type)) {
        const message = (draft.body as { message: MessageId }).message;
        const version = versions.get(message);
        if (version !== undefined) versions.set(message, version + 1);
      }
      if (draft.type === 'read.moved') {
        const { room, seq } = draft.body as { room: StreamId; seq: Seq };
        passed(markers, room, draft.stream, seq);
      } else if (draft.type === 'message.sent') passed(markers, draft.stream, entry.actor, head.seq);
      const id = ids[taken];
      taken += 1;
      if (id === undefined) throw new Error('there are fewer ids than events');
      const { answers } = draft;
      const body = answers ? answering(draft.body, keys.get(keyOf(answers.author, answers.key))?.event) : draft.body;
      const event: StoredEvent = {
        id,
        stream: draft.stream,
        seq: head.seq,
        type: draft.type,
        actor: entry.actor,
        at: entry.at,
        body: JSON.stringify(body),
      };
      projector.event(event, body, head.messages, draft.secret);
      events.push(event);
    }
    const first = events[0];
    if (entry.key && first) {
      keys.set(keyOf(ownerOf(entry), entry.key.key), { hash: entry.key.hash, event: first });
      projector.insert(
        'keys',
        ['author', 'key', 'hash', 'event'],
        [ownerOf(entry), entry.key.key, entry.key.hash, first.id],
      );
    }
    outcomes.push({ kind: 'committed', events });
  }

  const moved: Param[][] = [];
  for (const [id, head] of heads) if (head.touched) moved.push([head.seq, head.version, head.messages, id]);
  const update: WriteStep = {
    kind: 'write',
    sql: 'update streams set head = ?, version = ?, messages = ? where id = ?',
    params: moved,
    apart: true,
  };
  return { value: outcomes, writes: [...projector.steps(), update] };
}

/** A message with the one that it answers, and the thread of that; one that was never sent is not answered. */
function answering(body: Draft['body'], answered: StoredEvent | undefined): Draft['body'] {
  if (!answered) return body;
  const { thread } = JSON.parse(answered.body) as { thread?: MessageId };
  return { ...body, replyTo: answered.id, thread: thread ?? answered.id };
}

function headOf(heads: Map<StreamId, StreamHead>, stream: StreamId, type: EventType): StreamHead {
  const head = heads.get(stream);
  if (!head) throw new Error(`stream ${stream} was not read`);
  const makes = CREATES[type] !== undefined;
  if (makes === head.exists)
    throw new Error(`${type} in stream ${stream}, which ${head.exists ? 'exists' : 'does not exist'}`);
  head.exists = true;
  return head;
}

function isStale(
  entry: Entry,
  heads: Map<StreamId, StreamHead>,
  keys: Map<string, KnownKey>,
  versions: Map<MessageId, number>,
  markers: Map<string, Seq>,
): boolean {
  if (entry.follows && !keys.has(keyOf(entry.follows.author, entry.follows.key))) return true;
  if (entry.expect) {
    for (const [stream, version] of entry.expect) if (heads.get(stream)?.version !== version) return true;
  }
  if (entry.expectMessages) {
    for (const [message, version] of entry.expectMessages) if (versions.get(message) !== version) return true;
  }
  if (entry.expectMarkers) {
    for (const [room, user, seq] of entry.expectMarkers)
      if ((markers.get(markerOf(room, user)) ?? 0) > seq) return true;
  }
  return false;
}

/** Of markers that are asked for in this batch. */
function passed(markers: Map<string, Seq>, room: StreamId, user: UserId, seq: Seq): void {
  const marker = markerOf(room, user);
  const before = markers.get(marker);
  if (before !== undefined && before < seq) markers.set(marker, seq);
}

/** A reading step, and what its answer means. */
interface Question<T> {
  step: ReadStep;
  take(answers: Answers): T;
}

/** Reads, and on a database with several writers locks, the heads of all streams of a batch in id order: nodes can't deadlock. */
function readHeads(batch: readonly Entry[]): Question<Map<StreamId, StreamHead>> {
  const wanted = new Set<StreamId>();
  for (const entry of batch) {
    for (const draft of entry.drafts) wanted.add(draft.stream);
    if (entry.expect) for (const [stream] of entry.expect) wanted.add(stream);
  }
  const ids = [...wanted].sort((a, b) => a - b);
  return {
    step: { kind: 'read', sql: SELECT_HEAD, params: ids.map((id) => [id]) },
    take: (answers) =>
      new Map(
        ids.map((id, index) => {
          const row = answers[index]?.[0];
          const head = {
            seq: Number(row?.head ?? 0),
            version: Number(row?.version ?? 0),
            messages: Number(row?.messages ?? 0),
            exists: row !== undefined,
            touched: false,
          };
          return [id, head];
        }),
      ),
  };
}

interface KnownKey {
  hash: string;
  event: StoredEvent;
}

function readKeys(batch: readonly Entry[]): Question<Map<string, KnownKey>> {
  // Each once: what follows or answers one of this batch names a key that was asked for.
  const asked = new Set<string>();
  const params: Param[][] = [];
  const ask = (author: UserId, key: string): void => {
    const name = keyOf(author, key);
    if (asked.has(name)) return;
    asked.add(name);
    params.push([author, key]);
  };
  for (const entry of batch) {
    if (entry.key) ask(ownerOf(entry), entry.key.key);
    if (entry.follows) ask(entry.follows.author, entry.follows.key);
    for (const { answers } of entry.drafts) if (answers) ask(answers.author, answers.key);
  }
  return {
    step: { kind: 'read', sql: SELECT_KEY, params },
    take(answers) {
      const keys = new Map<string, KnownKey>();
      let index = 0;
      for (const key of asked) {
        const row = answers[index]?.[0];
        index += 1;
        if (row) keys.set(key, { hash: String(row.hash), event: toEvent(row) });
      }
      return keys;
    },
  };
}

function readClaims(batch: readonly Entry[]): Question<Map<string, StreamId>> {
  const wanted = batch.flatMap((entry) => [...(entry.claims ?? []), ...(entry.releases ?? [])]);
  return {
    step: { kind: 'read', sql: SELECT_CLAIM, params: wanted.map((claim) => [claim.space, claim.value]) },
    take(answers) {
      const owners = new Map<string, StreamId>();
      wanted.forEach((claim, index) => {
        const row = answers[index]?.[0];
        if (row) owners.set(claimKey(claim), Number(row.owner));
      });
      return owners;
    },
  };
}

function readMessages(batch: readonly Entry[]): Question<Map<MessageId, number>> {
  const wanted = [...new Set(batch.flatMap((entry) => (entry.expectMessages ?? []).map(([message]) => message)))];
  return {
    step: { kind: 'read', sql: SELECT_MESSAGE, params: wanted.map((id) => [id]) },
    take(answers) {
      const versions = new Map<MessageId, number>();
      for (const rows of answers) for (const row of rows) versions.set(Number(row.id), Number(row.version));
      return versions;
    },
  };
}

/** Behind the heads: whoever else moves a marker writes to the same inbox, and has it or waits. */
function readMarkers(batch: readonly Entry[]): Question<Map<string, Seq>> {
  const wanted = new Map<string, readonly [StreamId, UserId]>();
  for (const { expectMarkers } of batch) {
    if (expectMarkers) for (const [room, user] of expectMarkers) wanted.set(markerOf(room, user), [room, user]);
  }
  const asked = [...wanted];
  return {
    step: { kind: 'read', sql: SELECT_MARKER, params: asked.map(([, pair]) => pair) },
    take(answers) {
      const markers = new Map<string, Seq>();
      asked.forEach(([marker], index) => {
        const row = answers[index]?.[0];
        if (row) markers.set(marker, Number(row.read_seq));
      });
      return markers;
    },
  };
}
