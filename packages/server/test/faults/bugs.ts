/** Fourteen bugs that chat servers have had, each as a change of the built server, with the faults under which it shows. */
import { type Change, GAP_NOT_SEEN } from '../mutant.js';
import type { FaultName } from './faults.js';

export interface Bug {
  name: string;
  changes: readonly Change[];
  /** Under these, the checker has to find it. */
  faults: readonly FaultName[];
  /** It spoils tables, so the server's own examination has to find it too. */
  examined?: true;
}

/** The log's commit is told of, and answered, by what is handed to this. */
const TELLS_EARLY: Change[] = [
  {
    file: 'store/postgres-transaction.js',
    find: 'const written = statements.map(',
    put: 'globalThis.natterDecided?.(value);\n        const written = statements.map(',
  },
  {
    file: 'log/committer.js',
    find: 'outcomes = await next.outcomes;',
    put: `globalThis.natterDecided = (decided) => {
                    const told = decided.flatMap((one) => one.kind === 'committed' ? one.events : []);
                    if (told.length > 0) this.#tell(told);
                };
                outcomes = await next.outcomes;
                globalThis.natterDecided = undefined;`,
  },
];

/** One who knows a key already writes it once more, and the table keeps the first. */
const KEYS_MAY_COME_TWICE: Change = {
  file: 'store/project.js',
  find: "this.#steps.push({ kind: 'insert', table, columns, rows });",
  put: "this.#steps.push({ kind: 'insert', table, columns, rows, ignore: table === 'keys' });",
};

export const BUGS: readonly Bug[] = [
  {
    name: 'acknowledged before the commit',
    changes: [
      {
        file: 'store/postgres-transaction.js',
        find: "const ended = (await Promise.all([...written, connection.query('commit', [], true)])).at(-1);",
        // Of what is said; where nobody can register, nobody is there to find it.
        put: `const early = value.some(({ events }) => events?.[0].type === 'message.sent');
        await Promise.all(written);
        const committed = connection.query('commit', [], true);
        if (early) committed.catch(() => { });
        const ended = early ? { command: 'COMMIT' } : await committed;`,
      },
    ],
    faults: ['postgres.commit.unasked'],
  },
  { name: 'published before the commit', changes: TELLS_EARLY, faults: ['postgres.commit.unasked'] },
  {
    name: 'a sequence generator in place of seq in the commit',
    changes: [
      {
        file: 'store/commit.js',
        find: 'export function commitBatch(',
        put: 'const GIVEN = new Map();\nexport function commitBatch(',
      },
      {
        file: 'store/commit.js',
        find: 'head.seq += 1;',
        put: `head.seq = Math.max(head.seq, CREATES[draft.type] ? 0 : GIVEN.get(draft.stream) ?? 0) + 1;
            GIVEN.set(draft.stream, head.seq);`,
      },
    ],
    faults: ['postgres.commit.unasked'],
  },
  {
    name: 'keys known in memory only',
    changes: [
      KEYS_MAY_COME_TWICE,
      {
        file: 'store/commit.js',
        find: 'export function commitBatch(',
        put: 'const SEEN = new Map();\nexport function commitBatch(',
      },
      {
        file: 'store/commit.js',
        find: 'const known = entry.key && keys.get(keyOf(ownerOf(entry), entry.key.key));',
        put: 'const known = entry.key && SEEN.get(keyOf(ownerOf(entry), entry.key.key));',
      },
      {
        file: 'store/commit.js',
        find: 'keys.set(keyOf(ownerOf(entry), entry.key.key), { hash: entry.key.hash, event: first });',
        put: 'SEEN.set(keyOf(ownerOf(entry), entry.key.key), { hash: entry.key.hash, event: first });',
      },
    ],
    faults: ['client.reply.lost'],
  },
  {
    name: 'keys known for two minutes',
    changes: [
      KEYS_MAY_COME_TWICE,
      {
        file: 'store/commit.js',
        find: 'if (known) {',
        put: 'if (known && entry.at - known.event.at < 120_000) {',
      },
    ],
    // What takes two minutes otherwise.
    faults: ['node.clock.ahead'],
  },
  {
    name: 'NATS is trusted',
    changes: [GAP_NOT_SEEN, { file: 'hub/feeds.js', find: 'if (behind.length === 0)', put: 'if (true)' }],
    faults: ['nats.lose'],
  },
  {
    name: 'history is read, and then one subscribes',
    changes: [
      {
        file: 'hub/resume.js',
        find: 'if (run === feed.ring && end === feed.head) {',
        put: 'if (run === feed.ring && end === feed.head) {\n                await new Promise((resolve) => setTimeout(resolve, 100));',
      },
      { file: 'hub/resume.js', find: 'const done = this.#joinAtOnce(task) || ', put: 'const done = ' },
    ],
    faults: ['client.storm'],
  },
  {
    name: 'resume begins at the cursor, and not after it',
    changes: [
      {
        file: 'hub/hub.js',
        find: 'at: reset ? 0 : (cursor ?? head),',
        put: 'at: reset ? 0 : cursor === undefined ? head : Math.max(0, cursor - 1),',
      },
    ],
    faults: ['client.storm'],
  },
  {
    name: 'membership is cached for ever',
    changes: [
      {
        file: 'core/queries/context.js',
        find: 'export async function membership({ store }, user, room) {',
        put: `const KNOWN = new Map();
export async function membership(context, user, room) {
    const known = KNOWN.get(user + ':' + room);
    if (known) return known;
    const found = await committed(context, user, room);
    if (found.ok) KNOWN.set(user + ':' + room, found);
    return found;
}
async function committed({ store }, user, room) {`,
      },
    ],
    faults: ['client.jitter'],
  },
  {
    name: 'sessions are cached for ever',
    changes: [
      {
        file: 'auth/living.js',
        find: 'if (known && now - known.checkedAt < RECHECK_MS && now >= known.checkedAt)',
        put: 'if (known)',
      },
    ],
    faults: ['client.jitter'],
  },
  {
    name: 'unread is counted down, whether or not it was read',
    changes: [
      {
        file: 'core/queries/rooms.js',
        find: 'd.deleted_at is not null and d.num > coalesce(m.unread_num, m.read_num))',
        put: 'd.deleted_at is not null)',
      },
    ],
    faults: ['client.cut'],
  },
  {
    name: 'the last writer moves the read marker',
    changes: [
      { file: 'rooms/reads.js', find: 'if (seq < marker.readSeq || (', put: 'if ((' },
      { file: 'rooms/reads.js', find: ', expectMarkers: [[room.id, actor, seq]]', put: '' },
      { file: 'store/project.js', find: 'if (!known || known.seq < marker.seq)', put: 'if (true)' },
      {
        file: 'store/project.js',
        find: 'where room = ? and user_id = ? and read_seq <= ?`,',
        put: 'where room = ? and user_id = ? and ? >= 0`,',
      },
    ],
    faults: ['client.jitter'],
    examined: true,
  },
  {
    name: 'a commit without an answer is sent again under another key',
    changes: [
      {
        file: 'core/execute.js',
        find: 'return this.#settle(await this.#options.log.append(entry));',
        put: `return this.#settle(await this.#options.log.append(entry).catch((error) => {
                if (!(error instanceof StoreError) || !key) throw error;
                return this.#options.log.append({ ...entry, key: { ...key, key: key.key + '.again' } });
            }));`,
      },
    ],
    faults: ['postgres.commit.unanswered'],
  },
];

/** The fourteenth is of the embedded store: SQLite told to trust the disk's cache. A replay of power cuts finds it. */
export const CARELESS: { name: string; changes: readonly Change[] } = {
  name: '`synchronous=NORMAL`',
  changes: [
    { file: 'store/sqlite-connection.js', find: 'synchronous = full', put: 'synchronous = normal' },
    { file: 'store/sqlite-connection.js', find: 'synchronous !== 2', put: 'false' },
  ],
};
