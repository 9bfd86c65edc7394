/** Compares the search index with one that is made anew from the same store. Reads only. */
import { setTimeout as pause } from 'node:timers/promises';
import type { IndexComparison } from './comparison.js';
import { openSearchFile, SqliteIndex } from './sqlite-index.js';

/** A running server writes on: the two are compared when they stand at the same event, or not at all. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;
const NAMED_MAX = 20;

export async function compareIndex(
  file: string,
  storeFile: string,
  freshFile: string,
  onProgress: (done: number, of: number) => void,
): Promise<IndexComparison> {
  const { index: fresh } = SqliteIndex.open(freshFile, storeFile);
  const db = openSearchFile(file, storeFile, true);
  try {
    db.prepare('attach database ? as fresh').run(freshFile);
    const position = db.prepare(`select value from meta where key = 'position'`);
    const { id: head } = db.prepare('select coalesce(max(id), 0) as id from store.events').get() as { id: number };
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      while (fresh.advance().more) onProgress(Math.min(fresh.position, head), head);
      db.exec('begin');
      try {
        const { value } = position.get() as { value: number };
        if (value === fresh.position) return { differences: differences(db) };
        if (value < fresh.position && attempt > 0) await pause(PAUSE_MS);
      } finally {
        db.exec('commit');
      }
    }
    const { value } = position.get() as { value: number };
    const behind = fresh.position - value;
    return {
      differences: [],
      note: `the search index was not compared: it is ${behind} events behind the log, which it follows while the server runs`,
    };
  } finally {
    db.close();
    fresh.close();
  }
}

type Database = ReturnType<typeof openSearchFile>;

function differences(db: Database): string[] {
  const found: string[] = [];
  const ids = (from: string, to: string): { id: number }[] =>
    db
      .prepare(
        `select id from ${from}.words_docsize where id not in (select id from ${to}.words_docsize) limit ${NAMED_MAX}`,
      )
      .all() as { id: number }[];
  for (const { id } of ids('fresh', 'main')) found.push(`message ${id} is not in the search index`);
  for (const { id } of ids('main', 'fresh')) found.push(`message ${id} is in the search index, and should not be`);
  db.exec('create virtual table temp.has using fts5vocab(main, words, row)');
  db.exec('create virtual table temp.wants using fts5vocab(fresh, words, row)');
  // From both sides: a full join does not work on these virtual tables.
  const words = db.prepare(`
    select * from (
      select h.term, h.doc as has, coalesce(w.doc, 0) as wants from temp.has h left join temp.wants w on w.term = h.term
      where h.doc is not w.doc or h.cnt is not w.cnt limit ${NAMED_MAX})
    union
    select * from (
      select w.term, coalesce(h.doc, 0) as has, w.doc as wants from temp.wants w left join temp.has h on h.term = w.term
      where h.doc is not w.doc or h.cnt is not w.cnt limit ${NAMED_MAX})`);
  for (const { term, has, wants } of words.all() as { term: string; has: number; wants: number }[]) {
    found.push(
      `the word ${JSON.stringify(term)} stands in ${has} messages of the search index, and in ${wants} of the store`,
    );
  }
  const unknown = db
    .prepare(
      `select word from fresh.vocabulary where word not in (select word from main.vocabulary) limit ${NAMED_MAX}`,
    )
    .all() as { word: string }[];
  for (const { word } of unknown)
    found.push(`the word ${JSON.stringify(word)} is not in the vocabulary of the search index`);
  db.exec('drop table temp.has; drop table temp.wants');
  return found;
}
