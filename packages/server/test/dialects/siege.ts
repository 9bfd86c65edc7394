/** A server with rooms of two people, and a third one who is in none of them and means no good. */
import { Writable } from 'node:stream';
import type { RoomId, UserId } from '@natter/protocol';
import { DIALECTS, type DialectName } from '@natter/server/config';
import { expect } from 'vitest';
import { fresh, openWorld, type World } from './world.js';

/** In everything that a stranger must not see. */
export const SECRET = 'xyzzy-secret';

/** A room of the two, with words in it that are theirs alone. */
interface Hidden {
  id: RoomId;
  name: string;
  messages: number[];
}

export const actor = (user: UserId) => ({ user, role: 'user' as const, session: null });

/** A stream of log lines, kept. */
export function keep(lines: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
}

/** A token as the log-in of that API gives it. */
export async function tokenOf({ app }: World, user: UserId, dialect: DialectName | ''): Promise<string> {
  const login = await app.parts.accounts.startSession(user, { address: '', agent: '', dialect });
  if (!login.ok) throw new Error(login.code);
  return login.value.accessToken;
}

export class Siege {
  readonly rooms: Hidden[] = [];

  private constructor(
    readonly world: World,
    /** What was logged. */
    readonly lines: readonly string[],
    readonly owner: UserId,
    readonly friend: UserId,
    readonly mallory: UserId,
  ) {}

  static async open(): Promise<Siege> {
    const lines: string[] = [];
    const world = await openWorld({ LOG_LEVEL: 'warn', RESUME_EVENTS_MAX: '100000' }, keep(lines));
    const [owner = 0, friend = 0, mallory = 0] = await Promise.all(
      ['owner', 'friend', 'mallory'].map(async (word) => {
        const name = fresh(word);
        const account = { name, password: 'correct horse', email: `${name}@example.com` };
        const made = await world.app.parts.accounts.create(account, 'user');
        if (!made.ok) throw new Error(made.code);
        return made.value;
      }),
    );
    const siege = new Siege(world, lines, owner, friend, mallory);
    await siege.#hide('', 'direct');
    for (const dialect of ['', ...DIALECTS]) {
      await siege.#hide(dialect, 'group');
      await siege.#hide(dialect, 'channel');
    }
    return siege;
  }

  /** Each asking has its own: some of what is tried ends sessions. */
  token(dialect: DialectName): Promise<string> {
    return tokenOf(this.world, this.mallory, dialect);
  }

  /** Ids of what is there and is others'. */
  get ids(): number[] {
    return [this.owner, this.friend, ...this.rooms.flatMap(({ id, messages }) => [id, messages[0] ?? 0])];
  }

  /** All that was there is there, as it was, and nothing has failed. */
  async expectUnharmed(): Promise<void> {
    const { world, owner, friend, rooms, lines } = this;
    const { queries } = world.app.parts;
    for (const { id, messages } of rooms) {
      const page = await queries.messagePage(actor(owner), { room: id, limit: 200 });
      const members = await queries.roomMembers(actor(owner), { room: id });
      if (!page.ok || !members.ok) throw new Error('the room is gone');
      expect(page.value.messages.map((message) => message.id)).toEqual(expect.arrayContaining(messages));
      expect(page.value.messages.every((message) => message.text.includes(SECRET))).toBe(true);
      expect(members.value.members.map(({ user }) => user.id).sort()).toEqual([owner, friend].sort());
    }
    expect((await world.ask('GET', '/health')).body.ready).toBe(true);
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  }

  close(): Promise<void> {
    return this.world.close();
  }

  async #hide(dialect: string, kind: 'direct' | 'group' | 'channel'): Promise<void> {
    const { core } = this.world.app.parts;
    const by = actor(this.owner);
    const name = fresh(`hidden ${kind} `);
    const made = await core.execute(
      by,
      kind === 'direct'
        ? { type: 'room.open', user: this.friend }
        : { type: 'room.create', kind, name, topic: SECRET, members: [this.friend] },
      { dialect },
    );
    if (!made.ok) throw new Error(made.code);
    const room = made.result.stream;
    const messages: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const done = await core.execute(by, { type: 'message.send', room, text: `${SECRET} ${i}` }, { dialect });
      if (done.ok) messages.push(done.result.id ?? 0);
    }
    this.rooms.push({ id: room, name, messages });
  }
}

/** What nobody expects in a body or a frame. */
export const ODD: unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e\u200b',
  '%_\\"\'',
  'x'.repeat(70_000),
  [],
  [[]],
  {},
  { a: { b: [] } },
  [null],
  { toString: 'x', constructor: 'y' },
];

/** Texts that are no JSON, or JSON that is none to think of. */
export const BODIES = [
  '',
  ' ',
  '{',
  '"',
  'null',
  '[]',
  '7',
  '"text"',
  '{"a":1e999}',
  '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}',
  '\ufeff{}',
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '{"a":1,"a":2}',
  '{"content":"\\ud800"}',
];
