/** Copies a whole store, row by row in the order of their keys, and holds the copy against what it was made of. */
import { createHash, type Hash } from 'node:crypto';
import {
  CopyError,
  keyOf,
  type Origin,
  type Place,
  type Row,
  type Source,
  TABLE_KEYS,
  type TableName,
  type Target,
} from '../store/copying.js';

const PAGE_ROWS = 2_000;

/** How many rows of how many are done with. */
export type OnRows = (what: 'copying' | 'verifying', done: number, of: number) => void;

/** What changes on the way; undefined: nothing does. */
export interface Changes {
  /** Another life of the log. */
  epoch?: string;
}

export interface Copied {
  rows: number;
  /** Rows that an earlier attempt had written. */
  resumed: number;
  /** The same for two stores exactly if every row of every table is the same. */
  hash: string;
}

/** What a copy is of. */
export async function originOf(source: Source): Promise<Origin> {
  const [epoch] = (await source.read('meta', null, PAGE_ROWS)).filter((row) => row.key === 'epoch');
  let rows = 0;
  for (const [table] of TABLE_KEYS) rows += await source.count(table);
  return { epoch: String(epoch?.value), lastEvent: await source.lastEvent(), rows };
}

/** Writes everything that the target has not yet, reads it again, and makes a store of it when it is the same. */
export async function copyStore(
  source: Source,
  target: Target,
  origin: Origin,
  changes: Changes,
  onRows: OnRows,
  signal: AbortSignal,
): Promise<Copied> {
  const { begun } = target;
  const settled = begun ? await settledChanges(target, changes) : changes;
  const hash = createHash('sha256');
  const from = begun ? TABLE_KEYS.findIndex(([table]) => table === begun.table) : 0;
  let done = 0;
  let resumed = 0;
  for (const [index, [table]] of TABLE_KEYS.entries()) {
    const after = begun && index === from ? begun.place : null;
    const there = index < from ? await source.count(table) : after ? await source.count(table, after) : 0;
    done += there;
    resumed += there;
    begin(hash, table);
    if (index < from) continue;
    for await (const rows of pagesOf(source, table, after, settled)) {
      signal.throwIfAborted();
      await target.write(table, rows);
      add(hash, rows);
      done += rows.length;
      onRows('copying', done, origin.rows);
    }
  }
  const verifying = (part: number): ((rows: number) => void) => {
    let verified = 0;
    return (rows) => {
      verified += rows;
      onRows('verifying', part * origin.rows + verified, parts * origin.rows);
    };
  };
  // What was written before was read by another process: it is read again here.
  const parts = begun ? 2 : 1;
  const copy = await target.source();
  try {
    const written = await hashStore(copy, {}, signal, verifying(0));
    const wanted = begun ? await hashStore(source, settled, signal, verifying(1)) : hash.digest('hex');
    await copy.close();
    if (written !== wanted) {
      await target.discard();
      throw new CopyError(`the copy was not what it is of (${written} and ${wanted}), and is taken away again`);
    }
    await target.finish();
    return { rows: done, resumed, hash: wanted };
  } finally {
    await copy.close();
  }
}

/** What an earlier attempt has made of it already. */
async function settledChanges(target: Target, changes: Changes): Promise<Changes> {
  const copy = await target.source();
  try {
    const { epoch } = await originOf(copy);
    return changes.epoch === undefined || epoch === 'undefined' ? changes : { epoch };
  } finally {
    await copy.close();
  }
}

/** See Copied. */
export async function hashStore(
  source: Source,
  changes: Changes,
  signal: AbortSignal,
  onRows: (rows: number) => void = () => {},
): Promise<string> {
  const hash = createHash('sha256');
  for (const [table] of TABLE_KEYS) {
    begin(hash, table);
    for await (const rows of pagesOf(source, table, null, changes)) {
      signal.throwIfAborted();
      add(hash, rows);
      onRows(rows.length);
    }
  }
  return hash.digest('hex');
}

async function* pagesOf(source: Source, table: TableName, after: Place, changes: Changes): AsyncGenerator<Row[]> {
  let place = after;
  for (;;) {
    const rows = await source.read(table, place, PAGE_ROWS);
    const last = rows.at(-1);
    if (!last) return;
    place = keyOf(table, last);
    yield table === 'meta' ? rows.map((row) => changed(row, changes)) : rows;
    if (rows.length < PAGE_ROWS) return;
  }
}

const changed = (row: Row, { epoch }: Changes): Row =>
  epoch !== undefined && row.key === 'epoch' ? { ...row, value: epoch } : row;

function begin(hash: Hash, table: TableName): void {
  hash.update(`${table}\n`);
}

function add(hash: Hash, rows: readonly Row[]): void {
  // Whatever the order of the columns is.
  const columns = Object.keys(rows[0] ?? {}).sort();
  for (const row of rows) hash.update(`${JSON.stringify(columns.map((column) => row[column]))}\n`);
}
