import { COMMAND_INPUTS, type Command, type CommandType, isErrorCode } from '@natter/protocol';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everything } from '../store/site.js';
import { House } from './house.js';

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  minimum?: number;
  maxItems?: number;
  maxLength?: number;
  minLength?: number;
}

/** What no integer id, string or list of the wire can be. */
const WRONG = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  '1',
  [],
  {},
  [1],
  { id: 1 },
  1n,
];
const WRONG_IDS = [0, -1, 1.5, 2 ** 53, Number.NaN, '1', null, true, [1], { valueOf: 1 }];

describe('input of commands', () => {
  let house: House;
  let user: number;
  let valid: Record<CommandType, Record<string, unknown>>;

  beforeAll(async () => {
    house = await House.open();
    user = await house.user('ada', 'admin');
    const [other] = (await house.users(1)) as [number];
    const room = await house.channel([user, other], 'lobby');
    const { id: message } = await house.send(user, room);
    const usergroup = (await house.done(user, 'usergroup.create', { name: 'crew' })).stream;
    valid = {
      'room.create': {
        kind: 'group',
        name: 'x',
        topic: '',
        visibility: 'private',
        history: 'shared',
        members: [other],
        usergroups: [usergroup],
      },
      'room.open': { user: other },
      'room.change': { room, name: 'x', topic: 'y', visibility: 'public', history: 'shared' },
      'room.archive': { room },
      'room.unarchive': { room },
      'room.delete': { room },
      'member.join': { room },
      'member.leave': { room },
      'member.add': { room, users: [other], usergroups: [usergroup] },
      'member.remove': { room, user: other },
      'member.change': { room, user: other, role: 'admin' },
      'message.send': { room, text: 'x', replyTo: message },
      'message.edit': { message, text: 'y' },
      'message.delete': { message },
      'reaction.add': { message, emoji: '👍' },
      'reaction.remove': { message, emoji: '👍' },
      'pin.add': { message },
      'pin.remove': { message },
      'read.move': { room, seq: 1 },
      'read.unmark': { room, seq: 1 },
      'user.change': { fullName: 'x', email: 'x@example.com', about: 'y' },
      'user.deactivate': { user: other },
      'user.reactivate': { user: other },
      'user.delete': { user: other },
      'user.set_role': { user: other, role: 'admin' },
      'user.verify': { user: other, verified: true },
      'session.end': { session: 's' },
      'session.end_all': { user: other, keepCurrent: true },
      'usergroup.create': { name: 'x', description: '', members: [other] },
      'usergroup.change': { usergroup, name: 'x', description: '' },
      'usergroup.add_members': { usergroup, users: [other] },
      'usergroup.remove_members': { usergroup, users: [other] },
      'usergroup.delete': { usergroup },
    };
  });
  afterAll(() => house.close());

  const schema = (type: CommandType): Schema => COMMAND_INPUTS[type] as unknown as Schema;
  const types = Object.keys(COMMAND_INPUTS) as CommandType[];

  async function refusedAsInvalid(type: CommandType, input: object): Promise<void> {
    const reply = await house.core.execute(house.actor(user), { type, ...input } as Command);
    const shown = JSON.stringify(input, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
    expect([shown, reply.ok ? 'went through' : reply.code]).toEqual([shown, 'invalid']);
  }

  /** Values that a member of this schema can't have. */
  function wrongFor(member: Schema): unknown[] {
    if (member.anyOf) return [1, true, {}, [], 'x'.repeat(300)];
    if (member.enum) return [...WRONG, 'OWNER', 'group ', '__proto__', 'constructor'];
    if (member.type === 'integer') return WRONG_IDS.filter((value) => value !== 0 || member.minimum === 1);
    if (member.type === 'boolean') return WRONG.filter((value) => typeof value !== 'boolean');
    if (member.type === 'string') {
      const tooLong = member.maxLength === undefined ? [] : ['x'.repeat(member.maxLength + 1)];
      const empty = member.minLength ? [''] : [];
      return [...WRONG.filter((value) => typeof value !== 'string'), ...tooLong, ...empty];
    }
    const many = Array.from({ length: (member.maxItems ?? 0) + 1 }, (_, i) => i + 1);
    return [null, 1, 'x', {}, { length: 1 }, ...WRONG_IDS.map((id) => [id]), [1, 1], many];
  }

  it.each(types)('%s takes no member of a wrong type, size or value', async (type) => {
    const before = await everything(house.store);
    for (const [name, member] of Object.entries(schema(type).properties ?? {})) {
      for (const value of wrongFor(member)) await refusedAsInvalid(type, { ...valid[type], [name]: value });
    }
    expect(await everything(house.store)).toBe(before);
  });

  it.each(types)('%s takes no member that it does not know, and lacks none that it needs', async (type) => {
    const before = await everything(house.store);
    for (const name of ['extra', 'actor', 'role_', 'constructor', 'toString', 'at', 'seq_']) {
      await refusedAsInvalid(type, { ...valid[type], [name]: 1 });
    }
    // As it comes from the wire: an own member of that name.
    await refusedAsInvalid(type, JSON.parse(`{"__proto__":{"admin":true},${JSON.stringify(valid[type]).slice(1)}`));
    for (const name of schema(type).required ?? []) {
      const { [name]: _, ...rest } = valid[type];
      await refusedAsInvalid(type, rest);
    }
    expect(await everything(house.store)).toBe(before);
    expect(({} as { admin?: boolean }).admin).toBe(undefined);
  });

  it('that is well formed is understood: nothing here is refused for its shape alone', async () => {
    for (const type of types) {
      const apart = await house.core.execute({ user: 987_654, role: 'user', session: null }, {
        type,
        ...valid[type],
      } as Command);
      expect([type, apart.ok ? 'ok' : apart.code]).not.toEqual([type, 'invalid']);
    }
  });

  it('refuses text that no store can keep, wherever a string may stand', async () => {
    // Whoever takes back a reaction names one that stands: any other text is none, and nothing is kept of it.
    for (const type of types.filter((one) => one !== 'reaction.remove')) {
      for (const [name, member] of Object.entries(schema(type).properties ?? {})) {
        if (member.type !== 'string' && !member.anyOf) continue;
        for (const bad of ['\0', 'a\0b', '\ud800', 'a\udc00b']) {
          await refusedAsInvalid(type, { ...valid[type], [name]: bad });
        }
      }
    }
  });

  it('of any shape at all gets an answer that is in the table, and never an exception', async () => {
    const people = await house.users(2);
    const room = await house.room(people);
    const { id: message } = await house.send(people[0] as number, room);
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        room,
        message,
        people[0],
        people[1],
        [people[1]],
        [people[0], 987_654],
        987_654,
        ...WRONG,
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({
        unit: fc.integer({ min: 0xd7f0, max: 0xe00f }).map((unit) => String.fromCharCode(unit)),
        maxLength: 5,
      }),
      fc.constantFrom(
        'x'.repeat(70_000),
        '👋'.repeat(10_001),
        "'; drop table users; --",
        '@all @person1 @crew',
        'owner',
        'public',
      ),
      fc.anything(),
    );
    const command = fc.constantFrom(...types).chain((type) =>
      fc.record({
        type: fc.constant(type),
        actor: fc.constantFrom(0, 1),
        key: fc.option(fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('k', 'x'.repeat(129), 'a b', 'é')), {
          nil: undefined,
        }),
        input: fc.record(Object.fromEntries(Object.keys(schema(type).properties ?? {}).map((name) => [name, value])), {
          requiredKeys: [],
        }),
      }),
    );
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(command, async ({ type, actor, key, input }) => {
        const by = { user: people[actor] as number, role: 'user' as const, session: null };
        const reply = await house.core.execute(by, { ...input, type } as unknown as Command, { key });
        if (reply.ok) codes.add('ok');
        else {
          expect(isErrorCode(reply.code)).toBe(true);
          expect(reply.code).not.toBe('internal');
          expect(reply.code).not.toBe('conflict');
          codes.add(reply.code);
        }
      }),
      // Each kind of answer is met, whatever chance brings.
      {
        numRuns: 3_000,
        examples: [
          [{ type: 'room.archive', actor: 1, key: undefined, input: { room } }],
          [{ type: 'message.send', actor: 0, key: undefined, input: { room, text: 'x' } }],
          [{ type: 'message.send', actor: 0, key: undefined, input: { room: 987_654, text: 'x' } }],
          [{ type: 'message.send', actor: 0, key: undefined, input: {} }],
        ],
      },
    );
    for (const code of ['ok', 'invalid', 'not_found', 'forbidden']) expect([...codes]).toContain(code);
  });

  it.each(['', ' ', 'a b', 'é', '\n', 'x'.repeat(129), '\x7f'])('a key of %j is none', async (key) => {
    const room = valid['message.send'].room as number;
    const reply = await house.execute(user, 'message.send', { room, text: 'x' }, { key });
    expect(reply).toMatchObject({ ok: false, code: 'invalid', fields: [{ path: '/key' }] });
  });

  it('a command that is none is said to be none', async () => {
    for (const type of ['', 'message.sent', 'toString', '__proto__', 'constructor', 'MESSAGE.SEND']) {
      const reply = await house.core.execute(house.actor(user), { type } as unknown as Command);
      expect(reply).toMatchObject({ ok: false, code: 'bad_frame' });
    }
  });
});
