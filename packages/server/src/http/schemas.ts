/** Pieces of which the schemas of routes are made: ids in paths, pages in queries, inputs of commands, answers. */
import { COMMAND_INPUTS, type CommandType, ERRORS, type ErrorCode, KEY_MAX, Problem } from '@natter/protocol';
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const Instant = Type.String({ format: 'date-time', maxLength: 40 });
export const millisecondsOf = (instant: string | undefined): number | undefined =>
  instant === undefined ? undefined : Date.parse(instant);

/** An object of these and no other members. */
export function exactly<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties, closed);
}

/** A property with a sentence for the documents. */
export function said<T extends TSchema>(schema: T, description: string, example?: unknown): T {
  return { ...schema, description, ...(example === undefined ? {} : { examples: [example] }) };
}

/** A body with an example for the documents. */
export function shown<T extends TSchema>(schema: T, example: Static<T>): T {
  return { ...schema, examples: [example] };
}

const id = (what: string) => said(Id, `Id of the ${what}`, 7);

export const RoomPath = exactly({ room: id('room') });
export const MessagePath = exactly({ message: id('message') });
export const UserPath = exactly({ user: id('user') });
export const UserGroupPath = exactly({ usergroup: id('user group') });

export const limit = said(
  Type.Integer({ minimum: 1, maximum: 1_000 }),
  'Rows in a page; never more than PAGE_MAX of the server',
  50,
);
/** Pages of a list by the id after which they begin. */
export const afterId = said(Id, '`next` of the page before');

type Properties<T extends CommandType> = (typeof COMMAND_INPUTS)[T]['properties'];
type Rest<T extends CommandType, K> = {
  [P in Exclude<keyof Properties<T>, K> & string]: Properties<T>[P] & TSchema;
};

/** The input of a command, without the members that the path gives. */
export function bodyOf<T extends CommandType, K extends keyof Properties<T> & string = never>(
  type: T,
  ...inPath: K[]
): TObject<Rest<T, K>> {
  const left = { ...COMMAND_INPUTS[type].properties } as Record<string, TSchema>;
  for (const name of inPath) delete left[name];
  return exactly(left) as unknown as TObject<Rest<T, K>>;
}

/** Header of whatever may be sent again. Its form is the core's to check. */
export const KeyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    said(
      Type.String(),
      `1 to ${KEY_MAX} printable ASCII characters without blanks. Sent again with the same key, the first answer is given again, with no time limit; the same key with another body is \`key_conflict\``,
      '5b0e3c1e-9d1c-4b7f-8a57-1f6f0a2c7d11',
    ),
  ),
});

export const Nothing = { type: 'null', description: 'Done' } as unknown as TSchema;

/** Codes that every route may answer. */
const ALWAYS: ErrorCode[] = ['rate_limited', 'overloaded', 'shutting_down', 'internal'];

/** The answers of a route, for the documents: what it gives, and the refusals by status with their codes. */
export function answers(given: Record<number, TSchema>, ...codes: ErrorCode[]): Record<number, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes, ...ALWAYS]) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const refusals = Array.from(byStatus, ([status, list]): [number, TSchema] => [
    status,
    { ...Problem, description: list.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('. ') },
  ]);
  const successes = Object.entries(given).map(([status, schema]): [number, TSchema] => [
    Number(status),
    { description: (schema as { title?: string }).title ?? 'Done', ...schema },
  ]);
  return Object.fromEntries([...successes, ...refusals]);
}
