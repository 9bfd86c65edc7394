/** What the one transaction asks of a driver: a generator yields these, so that one program runs on a synchronous and on a pooled database. */

export type Param = string | number | null;
export type Row = Record<string, Param>;

export type Step =
  /** Runs a select once for each row of parameters; the answer is one list of rows for each. `{lock}` in the SQL locks rows where needed. */
  | { kind: 'read'; sql: string; params: readonly (readonly Param[])[] }
  | { kind: 'insert'; table: string; columns: readonly string[]; rows: readonly (readonly Param[])[]; ignore?: true }
  /** Runs a statement once for each row of parameters, in order. */
  | { kind: 'write'; sql: string; params: readonly (readonly Param[])[] }
  /** Ids for events, rising over all that was given before; answered as one row `{first}`. */
  | { kind: 'event_ids'; count: number };

/** The answer to a step: for `read` and `event_ids` one list of rows for each row of parameters; else empty. */
export type Answers = readonly (readonly Row[])[];

export type Program<T> = Generator<Step, T, Answers>;
