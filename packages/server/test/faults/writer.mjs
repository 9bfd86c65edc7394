// A process that commits and acknowledges, for the recorder to watch: `node writer.mjs FOLDER COMMITS STORE`,
// where STORE is the folder of a built store.
// What is acknowledged is written to the file "acknowledged" there, which is a record among the others.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, commits, store] = process.argv.slice(2);
const { commitBatch } = await import(pathToFileURL(join(store, 'commit.js')).href);
const { SqliteConnection } = await import(pathToFileURL(join(store, 'sqlite-connection.js')).href);

const connection = SqliteConnection.openWriter(join(folder, 'natter.db'));
const acknowledged = openSync(join(folder, 'acknowledged'), 'a');
const commit = (entries) => connection.transaction(commitBatch(entries));
const at = (index) => 1_700_000_000_000 + index;

const user = 1;
const room = 2;
commit([
  {
    actor: user,
    at: at(0),
    drafts: [
      {
        stream: user,
        type: 'user.created',
        body: { name: 'ada', nameKey: 'ada', email: null, fullName: '', role: 'user' },
      },
      {
        stream: room,
        type: 'room.created',
        body: {
          kind: 'group',
          name: 'room',
          topic: '',
          visibility: 'private',
          history: 'shared',
          members: [{ user, role: 'owner' }],
        },
      },
    ],
  },
]);

let last = 0;
for (let index = 1; index <= Number(commits); index += 1) {
  const entries = Array.from({ length: 1 + (index % 4) }, (_, part) => ({
    actor: user,
    at: at(index),
    key: { key: `${index}.${part}`, hash: 'h' },
    drafts: [
      { stream: room, type: 'message.sent', body: { text: `message ${index}.${part} ${'x'.repeat(index % 700)}` } },
    ],
  }));
  // Deleting empties the write-ahead log behind it: the database file itself is written too.
  if (index % 40 === 0 && last > 0) {
    entries.push({
      actor: user,
      at: at(index),
      drafts: [{ stream: room, type: 'message.deleted', body: { message: last.id, messageSeq: last.seq } }],
    });
  }
  const outcomes = commit(entries);
  for (const { events } of outcomes) {
    for (const { id, seq } of events) writeSync(acknowledged, `${seq} ${id}\n`);
    last = events[0];
  }
  if (index % 40 === 0) connection.emptyLog();
}
connection.close();
