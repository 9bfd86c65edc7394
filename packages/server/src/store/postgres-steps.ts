/** Makes statements of PostgreSQL of the steps of a transaction: all rows of parameters in one, wherever that is the same. */
import { arrayOf } from '../postgres/arrays.js';
import type { Answers, Param, ReadStep, Row, WriteStep } from './steps.js';

export interface Statement {
  sql: string;
  params: readonly Param[];
}

/** Types of columns, by table: what an insert of nothing but nulls can't tell. */
export type ColumnTypes = ReadonlyMap<string, ReadonlyMap<string, string>>;

type Rows = readonly (readonly Param[])[];

/** Statements that were made before, by what they were made of. */
const made = new Map<string, string>();

function once(key: string, make: () => string): string {
  let sql = made.get(key);
  if (sql === undefined) {
    sql = make();
    made.set(key, sql);
  }
  return sql;
}

/** `?` by `?`, in order. */
function numbered(sql: string, name: (at: number) => string): string {
  let at = 0;
  return sql.replace(/\?/g, () => name(++at));
}

/** The type of each column of parameters. One of nulls alone is of numbers: no column of texts is set so. */
function typesOf(rows: Rows): string[] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, at) =>
    rows.some((row) => typeof row[at] === 'string') ? 'text' : 'bigint',
  );
}

/** `unnest($1::bigint[], …)`: as many rows as the arrays are long. */
const unnest = (types: readonly string[]): string =>
  `unnest(${types.map((type, at) => `$${at + 1}::${type}[]`).join(', ')})`;
const aliases = (types: readonly string[]): string => types.map((_, at) => `p${at + 1}`).join(', ');

/** Each column of parameters as an array. */
const columnsOf = (rows: Rows, types: readonly string[]): string[] =>
  types.map((_, at) => arrayOf(rows.map((row) => row[at] ?? null)));

/** Where `at_row` says which row of parameters it answers. */
export function readStatement(step: ReadStep): Statement | null {
  switch (step.kind) {
    case 'event_ids':
      // The transaction has its own id before it has any of these: see the search, which waits for transactions.
      if (step.count === 0) return null;
      return {
        sql: `select 1 as at_row, nextval('event_ids') as id from generate_series(1, $1) where pg_current_xact_id() is not null`,
        params: [step.count],
      };
    case 'read': {
      const { sql, params } = step;
      if (params.length === 0) return null;
      const types = typesOf(params);
      return {
        // Row by row in the order of the parameters: that is the order in which rows are locked.
        sql: once(`${sql}\n${types.join()}`, () => {
          const one = numbered(sql, (at) => `p.p${at}`).replace('{lock}', ' for update');
          return `select p.at_row, q.* from ${unnest(types)} with ordinality as p(${aliases(types)}, at_row) cross join lateral (${one}) q`;
        }),
        params: columnsOf(params, types),
      };
    }
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
  }
}

/** The rows of a reading step, by row of parameters. */
export function answersOf(step: ReadStep, rows: readonly Row[]): Answers {
  const count = step.kind === 'event_ids' ? 1 : step.params.length;
  const answers: Row[][] = Array.from({ length: count }, () => []);
  for (const row of rows) answers[Number(row.at_row) - 1]?.push(row);
  return answers;
}

export function writeStatements(step: WriteStep, columns: ColumnTypes): Statement[] {
  switch (step.kind) {
    case 'insert': {
      const { table, rows, ignore } = step;
      if (rows.length === 0) return [];
      const types = step.columns.map((column) => columns.get(table)?.get(column) ?? '');
      const key = `insert ${table} ${step.columns.join()} ${ignore === true}`;
      const sql = once(
        key,
        () =>
          `insert into ${table} (${step.columns.join(', ')}) select * from ${unnest(types)}${ignore ? ' on conflict do nothing' : ''}`,
      );
      return [{ sql, params: columnsOf(rows, types) }];
    }
    case 'write': {
      const { sql, params, apart } = step;
      if (params.length === 0) return [];
      if (apart) {
        const types = typesOf(params);
        return [{ sql: once(`${sql}\n${types.join()}`, () => manyOf(sql, types)), params: columnsOf(params, types) }];
      }
      const one = once(sql, () => numbered(sql, (at) => `$${at}`));
      return params.map((row) => ({ sql: one, params: row }));
    }
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
  }
}

/** `update … set … from (rows of parameters) where …` */
function manyOf(sql: string, types: readonly string[]): string {
  const named = numbered(sql, (at) => `p.p${at}`);
  let depth = 0;
  for (let at = 0; at < named.length; at += 1) {
    if (named[at] === '(') depth += 1;
    else if (named[at] === ')') depth -= 1;
    else if (depth === 0 && named.startsWith(' where ', at)) {
      return `${named.slice(0, at)} from ${unnest(types)} as p(${aliases(types)})${named.slice(at)}`;
    }
  }
  throw new Error(`an update of many rows names none: ${sql}`);
}
