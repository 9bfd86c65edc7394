/** A data folder and what opens on it, without the edges, for tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CoreParts, openCore } from '@natter/server/app';
import { type Config, loadConfig } from '@natter/server/config';
import { makeLogger } from '@natter/server/logger';
import type { IrcProgress, IrcReport } from '@natter/server/transfer/irc';
import { makeDatabaseSettings } from '../databases.js';

export interface Data {
  dir: string;
  config: Config;
  /** Writes a file under the folder and answers its path. */
  file(name: string, content: string | Uint8Array): string;
  open(): Promise<CoreParts>;
  remove(): Promise<void>;
}

export async function makeData(env: Record<string, string> = {}): Promise<Data> {
  const database = await makeDatabaseSettings();
  const dir = mkdtempSync(join(tmpdir(), 'natter-data-'));
  const loaded = loadConfig({ DATA_DIR: join(dir, 'data'), LOG_LEVEL: 'silent', ...database.env, ...env }, dir);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const { config } = loaded;
  return {
    dir,
    config,
    file(name, content) {
      const path = join(dir, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
    open: () => openCore(config, { logger: makeLogger('silent') }),
    async remove() {
      await database.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface ImportInput {
  paths: string[];
  room?: string;
  owner?: string;
  actions?: boolean;
}

/** Imports, and answers the report; refusals are thrown. */
export async function importInto(
  parts: CoreParts,
  input: ImportInput,
  onProgress: (progress: IrcProgress) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<IrcReport> {
  const answer = await parts.operate(
    { operation: 'import.irc', input },
    (progress) => onProgress(progress as IrcProgress),
    signal,
  );
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.detail}`);
  return answer.value as IrcReport;
}

export interface Said {
  name: string;
  text: string;
  at: string;
  /** Text of the message that it answers, and of the first one of the thread. */
  answers: string | null;
  thread: string | null;
}

/** Everything that was said in a room, in the order of the log. */
export async function said({ store }: CoreParts, room: number): Promise<Said[]> {
  const rows = await store.db
    .selectFrom('messages')
    .innerJoin('users', 'users.id', 'messages.author')
    .leftJoin('messages as parent', 'parent.id', 'messages.reply_to')
    .leftJoin('messages as first', 'first.id', 'messages.thread')
    .select(['users.name', 'messages.text', 'messages.at', 'parent.text as answers', 'first.text as thread'])
    .where('messages.room', '=', room)
    .orderBy('messages.seq')
    .execute();
  return rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
}
