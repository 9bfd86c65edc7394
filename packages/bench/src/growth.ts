/** What users wait for, as a store grows: `npm run bench -- growth`. Flat is as it should be. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCore } from '@natter/server/app';
import { loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import { makeFolder, removeFolder } from './folders.js';
import { seeded } from './load/loops.js';
import { spread } from './metrics.js';
import { startOnce } from './start.js';
import { vocabulary } from './vocabulary.js';

/** One room for so many messages; half of all messages are in the first one. */
const MESSAGES_A_ROOM = 10;
const ROOMS_OF_READER = 20;
/** Appended at one time: they share their commits. */
const AT_A_TIME = 2_000;
const TIMES = 200;

/** What is timed; the first figure is the median, the second one of twenty is slower. */
const ROWS = [
  'history: newest 50',
  'history: 50 in the middle',
  'room list with unread, 20 rooms',
  'one room with unread',
  'resume: 50 events behind',
  'search: a frequent word',
  'search: a rare word',
  'search: part of a word',
] as const;

export interface Grown {
  messages: number;
  rooms: number;
  /** Written in a second, with all indexes of the store; and how long the search was behind then. */
  perSecond: number;
  behindSeconds: number;
  /** Bytes of the store and of the search index, a message. */
  storeBytes: number;
  searchBytes: number;
  /** From `node` to the first answer. */
  startMs: number;
  times: Record<(typeof ROWS)[number], { p50: number; p95: number }>;
}

async function timed(work: (turn: number) => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  const samples: number[] = [];
  // The first ones prepare statements and warm caches.
  for (let turn = -10; turn < TIMES; turn += 1) {
    const began = performance.now();
    await work(turn);
    if (turn >= 0) samples.push(performance.now() - began);
  }
  samples.sort((a, b) => a - b);
  return { p50: spread(samples)?.median ?? 0, p95: samples[Math.floor(TIMES * 0.95)] ?? 0 };
}

export async function measureGrowth(steps: readonly number[], say: (line: string) => void): Promise<Grown[]> {
  const dir = makeFolder();
  const random = seeded(1);
  const words = vocabulary(random);
  const grown: Grown[] = [];
  let messages = 0;
  const rooms: number[] = [];
  const heads = new Map<number, number>();
  try {
    for (const step of steps) {
      const loaded = loadConfig({ DATA_DIR: dir }, dir);
      if (!loaded.ok) throw new Error(loaded.problems.join('; '));
      const parts = await openCore(loaded.config, { logger: makeLogger('silent') });
      const { accounts, log, queries, search, store } = parts;
      const account = async (name: string): Promise<number> => {
        const known = await store.db.selectFrom('users').select('id').where('name', '=', name).executeTakeFirst();
        if (known) return known.id;
        const made = await accounts.create({ name, password: null }, 'user');
        if (!made.ok) throw new Error(`${name}: ${made.code}`);
        return made.value;
      };
      const [reader, writer] = [await account('reader'), await account('writer')];
      const actor = { user: reader, role: 'user' as const, session: null };

      // Rooms beyond those of the reader have the writer alone: what is asked must not depend on them.
      const wanted = Math.max(ROOMS_OF_READER, Math.floor(step / MESSAGES_A_ROOM));
      while (rooms.length < wanted) {
        const first = rooms.length;
        const count = Math.min(AT_A_TIME, wanted - first);
        const ids = await store.reserveStreams(count);
        await Promise.all(
          Array.from({ length: count }, async (_, i) => {
            const members = [{ user: writer, role: 'owner' as const }];
            if (first + i < ROOMS_OF_READER) members.push({ user: reader, role: 'owner' });
            const body = {
              kind: 'group' as const,
              name: `room ${first + i}`,
              topic: '',
              visibility: 'private' as const,
              history: 'shared' as const,
              members,
            };
            await log.append({
              actor: writer,
              at: Date.now(),
              drafts: [{ stream: ids + i, type: 'room.created', body }],
            });
            rooms.push(ids + i);
            heads.set(ids + i, 1);
          }),
        );
      }
      rooms.sort((a, b) => a - b);

      const began = performance.now();
      const before = messages;
      while (messages < step) {
        const count = Math.min(AT_A_TIME, step - messages);
        await Promise.all(
          Array.from({ length: count }, (_, i) => {
            const room = rooms[i % 2 === 0 ? 0 : Math.floor(random() * rooms.length)] as number;
            heads.set(room, (heads.get(room) ?? 0) + 1);
            // Squared: frequent words come often, as they do.
            const text = Array.from({ length: 12 }, () => words[Math.floor(random() ** 2 * words.length)]).join(' ');
            return log.append({
              actor: writer,
              at: Date.now(),
              drafts: [{ stream: room, type: 'message.sent', body: { text } }],
              key: { key: `${messages + i}`, hash: 'a'.repeat(22), author: writer },
            });
          }),
        );
        messages += count;
      }
      const written = performance.now();
      search.wake();
      await search.settled();
      const settled = performance.now();

      const [big = 0] = rooms;
      const head = heads.get(big) ?? 0;
      const page = (before?: number) => queries.messagePage(actor, { room: big, limit: 50, before });
      const find = (text: string) => search.find({ user: reader, text, limit: 20, mode: 'auto' });
      const times = {
        'history: newest 50': await timed(() => page()),
        'history: 50 in the middle': await timed(() => page(2 + Math.floor(random() * head))),
        'room list with unread, 20 rooms': await timed(() => queries.myRooms(actor)),
        'one room with unread': await timed(() => queries.room(actor, big)),
        'resume: 50 events behind': await timed(() => log.events(big, Math.max(0, head - 50), 1_000)),
        'search: a frequent word': await timed((turn) => find(words[Math.abs(turn) % 50] as string)),
        'search: a rare word': await timed((turn) => find(words[words.length - 1 - (Math.abs(turn) % 50)] as string)),
        'search: part of a word': await timed((turn) => find((words[Math.abs(turn) % 50] as string).slice(1, 4))),
      };
      await parts.close();
      const size = (file: string): number => statSync(join(dir, file)).size / messages;
      const row: Grown = {
        messages,
        rooms: rooms.length,
        perSecond: ((messages - before) / (written - began)) * 1_000,
        behindSeconds: (settled - written) / 1_000,
        storeBytes: size('natter.db'),
        searchBytes: size('search.db'),
        startMs: (await startOnce(dir)).ms,
        times,
      };
      grown.push(row);
      say(`${messages.toLocaleString('en')} messages: ${JSON.stringify(row)}`);
    }
  } finally {
    await removeFolder(dir);
  }
  return grown;
}

export function growthTable(grown: readonly Grown[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const count = (value: number): string => Math.round(value).toLocaleString('en');
  const lines = [
    row(['', ...grown.map(({ messages, rooms }) => `${count(messages)} messages, ${count(rooms)} rooms`)]),
    row(['---', ...grown.map(() => '---')]),
    ...ROWS.map((name) =>
      row([name, ...grown.map(({ times }) => `${times[name].p50.toFixed(2)} / ${times[name].p95.toFixed(2)} ms`)]),
    ),
    row(['start, to the first answer', ...grown.map(({ startMs }) => `${count(startMs)} ms`)]),
    row(['written in a second, with keys', ...grown.map(({ perSecond }) => count(perSecond))]),
    row(['search behind, then', ...grown.map(({ behindSeconds }) => `${behindSeconds.toFixed(1)} s`)]),
    row(['store, bytes a message', ...grown.map(({ storeBytes }) => count(storeBytes))]),
    row(['search index, bytes a message', ...grown.map(({ searchBytes }) => count(searchBytes))]),
  ];
  return `${lines.join('\n')}\n`;
}

/** `growth [most]`: 1,000 messages, ten times as many with each step. */
export async function growth(most: number, file: string | null, say: (line: string) => void): Promise<void> {
  const steps: number[] = [];
  for (let step = 1_000; step <= most; step *= 10) steps.push(step);
  const table = growthTable(await measureGrowth(steps, say));
  say(`\np50 / p95\n${table}`);
  if (file === null) return;
  writeFileSync(
    file,
    `# As a store grows\n\nSQLite, in the process; p50 / p95 of ${TIMES} each. Made by \`npm run bench -- growth\`.\n\n${table}`,
  );
  say(`written: ${file}`);
}
