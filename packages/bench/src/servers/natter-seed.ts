/**
 * A process of its own that fills a data folder for Natter: accounts with a session each and the rooms of a work point,
 * through the server's own core. Without this, a thousand registrations would cost a thousand password hashes.
 */
import { join } from 'node:path';
import { Accounts } from '@natter/server/auth/accounts';
import { nameRules } from '@natter/server/auth/names';
import { Passwords } from '@natter/server/auth/passwords';
import { Tokens } from '@natter/server/auth/tokens';
import { systemClock } from '@natter/server/clock';
import { Core } from '@natter/server/core/execute';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { Log } from '@natter/server/log/log';
import { RateLimiter } from '@natter/server/rate-limiter';
import { openPostgresStore } from '@natter/server/store/postgres';
import { openSqliteStore } from '@natter/server/store/sqlite';
import { markedText } from '../load/marks.js';
import type { Standing } from '../load/wire.js';
import { membersOf, sendersOf, type Work } from '../works.js';

export interface SeedJob {
  dir: string;
  work: Work;
  secretKey: string;
  tokenSeconds: number;
  /** The API that sessions and rooms are made through; '' is the native one. */
  dialect: string;
  /** Of the messages that are there before anybody comes. */
  nonce: string;
  /** PostgreSQL; absent: SQLite in the folder. */
  database?: string;
}

export interface Seeded {
  rooms: number[];
  tokens: string[];
  /** Where everybody stands who has seen a room being made, and nothing since. */
  standing: Standing;
}

/** Accounts that are being made at one time: they share their commits. */
const AT_A_TIME = 200;
const SESSION_SECONDS = 86_400;

async function seed({ dir, work, secretKey, tokenSeconds, dialect, nonce, database }: SeedJob): Promise<Seeded> {
  const limits = DEFAULT_LIMITS;
  const clock = systemClock;
  const store =
    database === undefined
      ? await openSqliteStore({ file: join(dir, 'natter.db'), readers: 1 })
      : await openPostgresStore({
          url: database,
          connections: limits.DATABASE_CONNECTIONS_MAX,
          connectSeconds: limits.DATABASE_CONNECT_SECONDS,
          statementSeconds: limits.DATABASE_STATEMENT_SECONDS,
        });
  const log = new Log(store, { batchMax: limits.COMMIT_BATCH_MAX, queueMax: limits.COMMIT_QUEUE_MAX });
  const rates = new RateLimiter({ limits, clock, enabled: false });
  const tokens = new Tokens({ secretKey, accessSeconds: tokenSeconds });
  const accounts = new Accounts({
    store,
    log,
    tokens,
    passwords: new Passwords(limits),
    rates,
    names: nameRules,
    clock,
    limits,
    refreshTokenSeconds: SESSION_SECONDS,
    registration: 'open',
    firstUserIsAdmin: false,
  });
  const core = new Core({ store, log, limits, names: nameRules, rates, clock, roomStatesMax: work.rooms });

  const users: number[] = [];
  const made: Seeded = { rooms: [], tokens: [], standing: { epoch: store.epoch, seq: 1 } };
  const account = async (member: number): Promise<void> => {
    const user = await accounts.create({ name: `user${String(member).padStart(5, '0')}`, password: null }, 'user');
    if (!user.ok) throw new Error(`account ${member} was refused: ${user.code}`);
    const login = await accounts.startSession(user.value, { address: '127.0.0.1', agent: 'bench', dialect });
    if (!login.ok) throw new Error(`session ${member} was refused: ${login.code}`);
    users[member] = user.value;
    made.tokens[member] = login.value.accessToken;
  };
  for (let from = 0; from < work.members; from += AT_A_TIME) {
    const count = Math.min(AT_A_TIME, work.members - from);
    await Promise.all(Array.from({ length: count }, (_, i) => account(from + i)));
  }
  for (const [room, members] of membersOf(work).entries()) {
    const [owner, ...others] = members.map((member) => users[member] as number);
    const actor = { user: owner as number, role: 'user' as const, session: null };
    const reply = await core.execute(
      actor,
      {
        type: 'room.create',
        kind: 'channel',
        name: `room ${room}`,
        members: others,
        // Some of the other APIs know no rooms but those that everybody may enter, and call them by their names.
        ...(dialect === '' ? {} : { visibility: 'public' }),
      },
      { dialect },
    );
    if (!reply.ok) throw new Error(`room ${room} was refused: ${reply.code} ${reply.detail ?? ''}`);
    made.rooms.push(reply.result.stream);
  }
  if (work.kind === 'resume') {
    const { behind } = work;
    await Promise.all(
      sendersOf(work).map(async ({ member, room }, sender) => {
        const actor = { user: users[member] as number, role: 'user' as const, session: null };
        for (let number = 0; number < behind; number += 1) {
          const text = markedText(nonce, sender, number);
          const reply = await core.execute(actor, { type: 'message.send', room: made.rooms[room] as number, text });
          if (!reply.ok) throw new Error(`a message was refused: ${reply.code} ${reply.detail ?? ''}`);
        }
      }),
    );
  }
  await log.drain();
  await store.close();
  return made;
}

process.once('message', async (job: SeedJob) => {
  const made = await seed(job);
  process.send?.(made, () => process.disconnect());
});
