/** Carries a program out in one transaction of PostgreSQL, in two round trips: begin and all reads, all writes and commit. */
import type { PostgresConnection } from '../postgres/connection.js';
import { answersOf, type ColumnTypes, readStatement, writeStatements } from './postgres-steps.js';
import type { Answers, Program, ReadStep } from './steps.js';
import { StoreError } from './store.js';

/** When it rejects, nothing was committed, unless it is a StoreError that says that this can't be told. The connection is then of no use. */
export async function transact<T>(
  connection: PostgresConnection,
  program: Program<T>,
  columns: ColumnTypes,
): Promise<T> {
  const read = async (step: ReadStep): Promise<Answers> => {
    const statement = readStatement(step);
    return answersOf(step, statement ? (await connection.query(statement.sql, statement.params)).rows : []);
  };
  const [, ...answers] = await Promise.all([
    connection.query('begin isolation level read committed read write', [], true),
    ...program.reads.map(read),
  ]);
  const { value, writes } = program.decide(answers);
  const statements = Array.from(writes, (step) => writeStatements(step, columns)).flat();
  if (statements.length === 0) {
    await connection.query('rollback', [], true);
    return value;
  }
  try {
    const written = statements.map(({ sql, params }) => connection.query(sql, params));
    const ended = (await Promise.all([...written, connection.query('commit', [], true)])).at(-1);
    if (ended?.command !== 'COMMIT') throw new Error(`a transaction ended with ${ended?.command}`);
    return value;
  } catch (error) {
    // Everything was on its way, the commit with it: it may have come through though its answer did not.
    if (connection.lost) throw new StoreError((error as Error).message, true, { cause: error });
    throw error;
  }
}
