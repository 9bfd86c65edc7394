/** What the one transaction asks of a driver: what to read, and, decided on the answers, what to write. It runs alike on a synchronous and on a pooled database. */

export type Param = string | number | null;
export type Row = Record<string, Param>;

export type ReadStep =
  /**
   * Runs a select once for each row of parameters; the answer is one list of rows for each. `{lock}` in the SQL locks rows,
   * where others may write too. For several rows it is `select … from … where …` and nothing behind it, so that a driver may
   * ask for all of them as one statement.
   */
  | { kind: 'read'; sql: string; params: readonly (readonly Param[])[] }
  /** Ids for events, rising over all that was given before, not always without gaps; the answer is one list of rows `{id}`. */
  | { kind: 'event_ids'; count: number };

export type WriteStep =
  | { kind: 'insert'; table: string; columns: readonly string[]; rows: readonly (readonly Param[])[]; ignore?: true }
  /**
   * Runs a statement once for each row of parameters, in order. `apart`: an `update … set … where …`, no two of whose rows
   * of parameters touch the same row, so that a driver may run all of them as one statement.
   */
  | { kind: 'write'; sql: string; params: readonly (readonly Param[])[]; apart?: true };

/** The answer to a reading step. */
export type Answers = readonly (readonly Row[])[];

/** One transaction. `decide` is pure: it may be asked again with other answers, when the first attempt left nothing. */
export interface Program<T> {
  /** Asked first, in this order: what the first ones lock stands still for the others. */
  reads: readonly ReadStep[];
  /** The answers, one for each reading step, give what is written and what came of it. What it throws leaves nothing. */
  decide(answers: readonly Answers[]): { value: T; writes: Iterable<WriteStep> };
}
