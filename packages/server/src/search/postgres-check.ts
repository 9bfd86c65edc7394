/** Compares the search index on PostgreSQL with the messages that it is made from. Reads only, one moment of the database. */
import { setTimeout as pause } from 'node:timers/promises';
import { PostgresConnection, type PostgresOptions, type Row } from '../postgres/connection.js';
import type { IndexComparison } from './comparison.js';
import { vectorWords } from './postgres-index.js';
import { indexWords, isPlain } from './words.js';

/** A running server writes on: index and log are compared when they stand at the same event, or not at all. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;
const NAMED_MAX = 20;
const PAGE_ROWS = 1_000;

export async function comparePostgresIndex(
  options: PostgresOptions,
  onProgress: (done: number, of: number) => void,
): Promise<IndexComparison> {
  const connection = await PostgresConnection.open(options, 'copier');
  try {
    for (let attempt = 1; ; attempt += 1) {
      await connection.query('begin isolation level repeatable read read only', [], true);
      const behind = await lag(connection);
      if (behind === 0) return { differences: await differences(connection, onProgress) };
      await connection.query('rollback', [], true);
      if (attempt === ATTEMPTS) {
        return {
          differences: [],
          note: `the search index was not compared: it is ${behind} events behind the log, which it follows while a node runs`,
        };
      }
      await pause(PAUSE_MS);
    }
  } finally {
    connection.destroy();
  }
}

/** Events that the index has not taken in. */
async function lag(connection: PostgresConnection): Promise<number> {
  const { rows } = await connection.query(
    `select (select count(*) from (select 1 from events where id > p.value limit 1000000) later)
       + (select count(*) from search_gaps g join events e on e.id between g.first and g.last)
       + (select count(*) from search_forgotten_rooms) as behind
     from (select coalesce((select value from search_meta where key = 'position'), 0) as value) p`,
  );
  return Number(rows[0]?.behind);
}

async function differences(
  connection: PostgresConnection,
  onProgress: (done: number, of: number) => void,
): Promise<string[]> {
  const found: string[] = [];
  const name = (text: string): void => {
    if (found.length < NAMED_MAX) found.push(text);
  };
  const known = new Set((await connection.query('select word from search_words')).rows.map((row) => String(row.word)));
  const [total] = (await connection.query('select count(*) as count from messages')).rows;
  let done = 0;
  let rows: Row[];
  let last = 0;
  do {
    ({ rows } = await connection.query(
      `select m.id, m.room, m.author, m.text, m.at, array_to_json(tsvector_to_array(w.words))::text as words,
         case when m.deleted_at is null and r.deleted_at is null then 1 else 0 end as wanted
       from messages m join rooms r on r.id = m.room left join search_messages w on w.message = m.id
       where m.id > $1 order by m.id limit ${PAGE_ROWS}`,
      [last],
    ));
    for (const row of rows) compare(row, known, name);
    last = Number(rows.at(-1)?.id);
    done += rows.length;
    onProgress(done, Number(total?.count));
  } while (rows.length === PAGE_ROWS);
  const surplus = await connection.query(
    `select message from search_messages w where not exists (select 1 from messages m where m.id = w.message) limit ${NAMED_MAX}`,
  );
  for (const { message } of surplus.rows) name(`message ${message} is in the search index, and should not be`);
  return found;
}

function compare(row: Row, known: ReadonlySet<string>, name: (text: string) => void): void {
  const { id, text, room, author, at, words, wanted } = row;
  if (wanted === 0) {
    if (words !== null) name(`message ${id} is in the search index, and should not be`);
    return;
  }
  if (words === null) {
    name(`message ${id} is not in the search index`);
    return;
  }
  const plain = new Set(indexWords(String(text)));
  const expected = vectorWords(plain, Number(room), Number(author), Number(at)).sort();
  const has = (JSON.parse(String(words)) as string[]).sort();
  if (JSON.stringify(has) !== JSON.stringify(expected))
    name(`message ${id} stands in the search index with other words`);
  for (const word of plain) {
    if (isPlain(word) && !known.has(word)) {
      name(`the word ${JSON.stringify(word)} is not in the vocabulary of the search index`);
    }
  }
}
