/** What the command line can do to a server: one table. It runs in the server's process, or, when none runs, in the command line's own. */
import { SYSTEM_ACTOR, type UserId } from '@natter/protocol';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';
import type { Accounts } from '../auth/accounts.js';
import { type Actor, type Answer, type Refusal, refuse } from '../core/actor.js';
import type { Core } from '../core/execute.js';
import type { Operator } from '../core/queries/operator.js';
import type { OperationRequest } from './socket.js';

export interface OperationParts {
  core: Core;
  accounts: Accounts;
  operator: Operator;
  importIrc: (
    request: IrcInput,
    onProgress: (progress: unknown) => void,
    signal: AbortSignal,
  ) => Promise<Answer<unknown>>;
}

const closed = { additionalProperties: false };
const Name = Type.String({ minLength: 1, maxLength: 1_000 });

const INPUTS = {
  'user.create': Type.Object(
    {
      name: Name,
      /** Null: nobody can log in. */
      password: Type.Union([Type.String(), Type.Null()]),
      email: Type.Optional(Type.String()),
      fullName: Type.Optional(Type.String()),
      role: Type.Optional(Type.Enum(['user', 'admin'])),
    },
    closed,
  ),
  'user.role': Type.Object({ name: Name, role: Type.Enum(['user', 'admin']) }, closed),
  'user.deactivate': Type.Object({ name: Name }, closed),
  'user.reactivate': Type.Object({ name: Name }, closed),
  'user.list': Type.Object({ placeholders: Type.Boolean() }, closed),
  'room.list': Type.Object({ direct: Type.Boolean() }, closed),
  'room.show': Type.Object({ room: Name }, closed),
  'import.irc': Type.Object(
    {
      paths: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
      room: Type.Optional(Name),
      actions: Type.Optional(Type.Boolean()),
      owner: Type.Optional(Name),
    },
    closed,
  ),
} as const satisfies Record<string, TSchema>;

export type OperationName = keyof typeof INPUTS;
export type OperationInput<T extends OperationName> = Static<(typeof INPUTS)[T]>;
export type IrcInput = Omit<OperationInput<'import.irc'>, 'owner'> & { owner?: UserId };

const VALIDATORS = new Map<string, Validator>(Object.entries(INPUTS).map(([name, schema]) => [name, Compile(schema)]));

/** The command line acts as the system: it owns the data, so no role stands above it. */
const SYSTEM: Actor = { user: SYSTEM_ACTOR, role: 'system', session: null };

export async function runOperation(
  parts: OperationParts,
  request: OperationRequest,
  onProgress: (progress: unknown) => void,
  signal: AbortSignal,
): Promise<Answer<unknown>> {
  const validator = VALIDATORS.get(request.operation);
  if (!validator) return refuse('bad_frame', `there is no operation ${JSON.stringify(request.operation)}`);
  if (!validator.Check(request.input)) {
    const [, errors] = validator.Errors(request.input);
    const fields = errors.map((error) => ({ path: error.instancePath, message: error.message }));
    return refuse('invalid', { fields });
  }
  // Validated above: the name tells the input.
  const asked = { operation: request.operation, input: request.input } as {
    [T in OperationName]: { operation: T; input: OperationInput<T> };
  }[OperationName];
  const { core, operator } = parts;
  switch (asked.operation) {
    case 'user.create':
      return createUser(parts, asked.input);
    case 'user.role':
      return withUser(parts, asked.input.name, async (user) =>
        core.execute(SYSTEM, { type: 'user.set_role', user, role: asked.input.role }),
      );
    case 'user.deactivate':
      return withUser(parts, asked.input.name, async (user) => core.execute(SYSTEM, { type: 'user.deactivate', user }));
    case 'user.reactivate':
      return withUser(parts, asked.input.name, async (user) => core.execute(SYSTEM, { type: 'user.reactivate', user }));
    case 'user.list':
      return { ok: true, value: await operator.users(asked.input) };
    case 'room.list':
      return { ok: true, value: await operator.rooms(asked.input) };
    case 'room.show':
      return operator.room(asked.input.room);
    case 'import.irc': {
      const { owner, ...input } = asked.input;
      if (owner === undefined) return parts.importIrc(input, onProgress, signal);
      const user = await operator.userId(owner);
      if (user === null) return refuse('not_found', `there is no user ${owner}`);
      return parts.importIrc({ ...input, owner: user }, onProgress, signal);
    }
    default:
      throw new Error(`unknown operation ${JSON.stringify(asked satisfies never)}`);
  }
}

async function createUser(
  { accounts }: OperationParts,
  input: OperationInput<'user.create'>,
): Promise<Answer<unknown>> {
  const { role = 'user', ...account } = input;
  const made = await accounts.create(account, role);
  if (!made.ok) return made;
  return { ok: true, value: { id: made.value, name: input.name } };
}

/** Does something to the user of a name, and says whether anything had to change. */
async function withUser(
  { operator }: OperationParts,
  name: string,
  work: (user: UserId) => Promise<{ ok: true; result: { unchanged?: true } } | Refusal>,
): Promise<Answer<unknown>> {
  const user = await operator.userId(name);
  if (user === null) return refuse('not_found', `there is no user ${name}`);
  const reply = await work(user);
  return reply.ok ? { ok: true, value: { id: user, name, changed: reply.result.unchanged !== true } } : reply;
}
