/** Input held against a schema as pydantic does it: every field in the order of the schema, each with what is wrong there first. */
import type { TObject } from 'typebox';
import { emailProblem } from '../../auth/names.js';
import { codePoints } from '../../text.js';
import { type Problem, valueError } from './failure.js';

type Loc = Problem['loc'];

/** What schemas of routes are made of. */
interface Schema {
  type?: string;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  default?: unknown;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
}

type Checked = { value: unknown } | Problem[];

const wrong = (type: string, loc: Loc, msg: string, input: unknown, ctx?: Record<string, unknown>): Problem[] => [
  { type, loc, msg, input, ...(ctx ? { ctx } : {}) },
];

/** A whole object: the body, the query or the path. `input` is null where there is no body at all. */
export function validate(schema: TObject, input: unknown, loc: Loc): { value: object } | Problem[] {
  return checkObject(schema as Schema, input, loc) as { value: object } | Problem[];
}

function check(schema: Schema, input: unknown, loc: Loc): Checked {
  if (schema.anyOf) {
    if (input === null && schema.anyOf.some(({ type }) => type === 'null')) return { value: null };
    const [first] = schema.anyOf.filter(({ type }) => type !== 'null');
    return first ? check(first, input, loc) : { value: input };
  }
  switch (schema.type) {
    case 'string':
      return checkString(schema, input, loc);
    case 'integer':
      return checkInteger(schema, input, loc);
    case 'boolean':
      return checkBoolean(input, loc);
    case 'array':
      return checkList(schema, input, loc);
    case 'object':
      return schema.properties ? checkObject(schema, input, loc) : { value: input };
    default:
      return { value: input };
  }
}

function checkObject(schema: Schema, input: unknown, loc: Loc): Checked {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const msg = 'Input should be a valid dictionary or object to extract fields from';
    return wrong('model_attributes_type', loc, msg, input);
  }
  const value: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined;
    if (given === undefined) {
      if (member.default !== undefined) value[name] = member.default;
      else if (schema.required?.includes(name)) {
        // FastAPI holds path and query member by member: what is missing there has no input.
        const within = loc[0] === 'body' ? input : null;
        problems.push(...wrong('missing', [...loc, name], 'Field required', within));
      }
      continue;
    }
    const checked = check(member, given, [...loc, name]);
    if ('value' in checked) value[name] = checked.value;
    else problems.push(...checked);
  }
  return problems.length > 0 ? problems : { value };
}

function checkString({ minLength, maxLength, pattern, format }: Schema, input: unknown, loc: Loc): Checked {
  if (typeof input !== 'string') return wrong('string_type', loc, 'Input should be a valid string', input);
  // No text in Natter holds these; nor could the originals' databases have kept them.
  if (input.includes('\0')) return [valueError(loc, 'must not contain NUL', input)];
  if (!input.isWellFormed()) return [valueError(loc, 'must not contain lone surrogates', input.toWellFormed())];
  const length = codePoints(input);
  const characters = (count: number): string => `${count} character${count === 1 ? '' : 's'}`;
  if (minLength !== undefined && length < minLength) {
    const msg = `String should have at least ${characters(minLength)}`;
    return wrong('string_too_short', loc, msg, input, { min_length: minLength });
  }
  if (maxLength !== undefined && length > maxLength) {
    const msg = `String should have at most ${characters(maxLength)}`;
    return wrong('string_too_long', loc, msg, input, { max_length: maxLength });
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(input)) {
    return wrong('string_pattern_mismatch', loc, `String should match pattern '${pattern}'`, input, { pattern });
  }
  return format === 'email' ? checkEmail(input, loc) : { value: input };
}

/** Ends of names that no mail reaches. */
const NO_MAIL = /(?:^|\.)(?:arpa|invalid|local|localhost|onion|test)$/i;

/** As EmailStr does it: space around an address is left out, and its domain is in small letters. */
function checkEmail(input: string, loc: Loc): Checked {
  const email = input.trim();
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  let reason: string | null = null;
  if (at < 0) reason = 'An email address must have an @-sign.';
  else if (NO_MAIL.test(domain)) {
    reason = 'The part after the @-sign is a special-use or reserved name that cannot be used with email.';
  } else if (!domain.includes('.')) reason = 'The part after the @-sign is not valid. It should have a period.';
  else if (emailProblem(email)) reason = 'The email address is not valid.';
  if (reason === null) return { value: `${email.slice(0, at)}@${domain.toLowerCase()}` };
  return wrong('value_error', loc, `value is not a valid email address: ${reason}`, input, { reason });
}

const INTEGER = /^\s*([+-]?[0-9]+(?:_[0-9]+)*)(?:\.0+)?\s*$/;

function checkInteger({ minimum, maximum }: Schema, input: unknown, loc: Loc): Checked {
  let value: number;
  if (typeof input === 'number') {
    if (!Number.isInteger(input)) {
      const msg = 'Input should be a valid integer, got a number with a fractional part';
      return wrong('int_from_float', loc, msg, input);
    }
    value = input;
  } else if (typeof input === 'boolean') {
    value = Number(input);
  } else if (typeof input === 'string') {
    const digits = INTEGER.exec(input)?.[1];
    if (digits === undefined) {
      const msg = 'Input should be a valid integer, unable to parse string as an integer';
      return wrong('int_parsing', loc, msg, input);
    }
    value = Number(digits.replaceAll('_', ''));
  } else {
    return wrong('int_type', loc, 'Input should be a valid integer', input);
  }
  if (minimum !== undefined && value < minimum) {
    const msg = `Input should be greater than or equal to ${minimum}`;
    return wrong('greater_than_equal', loc, msg, input, { ge: minimum });
  }
  if (maximum !== undefined && value > maximum) {
    return wrong('less_than_equal', loc, `Input should be less than or equal to ${maximum}`, input, { le: maximum });
  }
  // Beyond these there is nothing that could be found.
  return { value: Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) + 0 };
}

function checkBoolean(input: unknown, loc: Loc): Checked {
  if (typeof input === 'boolean') return { value: input };
  const word = typeof input === 'string' ? input.toLowerCase() : input;
  if (word === 1 || ['1', 'true', 't', 'yes', 'y', 'on'].includes(word as string)) return { value: true };
  if (word === 0 || ['0', 'false', 'f', 'no', 'n', 'off'].includes(word as string)) return { value: false };
  if (typeof input === 'string' || Number.isSafeInteger(input)) {
    const msg = 'Input should be a valid boolean, unable to interpret input';
    return wrong('bool_parsing', loc, msg, input);
  }
  return wrong('bool_type', loc, 'Input should be a valid boolean', input);
}

function checkList({ items = {}, minItems = 0 }: Schema, input: unknown, loc: Loc): Checked {
  if (!Array.isArray(input)) return wrong('list_type', loc, 'Input should be a valid list', input);
  if (input.length < minItems) {
    const msg = `List should have at least ${minItems} item${minItems === 1 ? '' : 's'} after validation, not ${input.length}`;
    return wrong('too_short', loc, msg, input, {
      field_type: 'List',
      min_length: minItems,
      actual_length: input.length,
    });
  }
  const value: unknown[] = [];
  const problems: Problem[] = [];
  for (const [index, item] of input.entries()) {
    const checked = check(items, item, [...loc, index]);
    if ('value' in checked) value.push(checked.value);
    else problems.push(...checked);
  }
  return problems.length > 0 ? problems : { value };
}
