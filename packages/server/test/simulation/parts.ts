/** The parts of the server that are simulated: the built ones, or a copy of them with a bug put in. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nameRules } from '@natter/server/auth/names';
import { Core } from '@natter/server/core/execute';
import { makeQueries } from '@natter/server/core/queries';
import { standing } from '@natter/server/core/queries/rooms';
import { nativeEncoding } from '@natter/server/gateway/native';
import { Hub } from '@natter/server/hub/hub';
import { Subscriber } from '@natter/server/hub/subscriber';
import { Log } from '@natter/server/log/log';
import { commitBatch } from '@natter/server/store/commit';
import { openStoreOver } from '@natter/server/store/sqlite';
import { SqliteConnection } from '@natter/server/store/sqlite-connection';
import { answer } from '@natter/server/store/sqlite-requests';
import { StoreError } from '@natter/server/store/store';
import { type Change, plant } from '../mutant.js';

export type { Change };

export interface Parts {
  nameRules: typeof nameRules;
  Core: typeof Core;
  standing: typeof standing;
  makeQueries: typeof makeQueries;
  nativeEncoding: typeof nativeEncoding;
  Hub: typeof Hub;
  Subscriber: typeof Subscriber;
  Log: typeof Log;
  openStoreOver: typeof openStoreOver;
  SqliteConnection: typeof SqliteConnection;
  answer: typeof answer;
  commitBatch: typeof commitBatch;
  StoreError: typeof StoreError;
}

export const PARTS: Parts = {
  nameRules,
  Core,
  standing,
  makeQueries,
  nativeEncoding,
  Hub,
  Subscriber,
  Log,
  openStoreOver,
  SqliteConnection,
  answer,
  commitBatch,
  StoreError,
};

const FILES: Record<keyof Parts, string> = {
  nameRules: 'auth/names',
  Core: 'core/execute',
  standing: 'core/queries/rooms',
  makeQueries: 'core/queries',
  nativeEncoding: 'gateway/native',
  Hub: 'hub/hub',
  Subscriber: 'hub/subscriber',
  Log: 'log/log',
  openStoreOver: 'store/sqlite',
  SqliteConnection: 'store/sqlite-connection',
  answer: 'store/sqlite-requests',
  commitBatch: 'store/commit',
  StoreError: 'store/store',
};

export interface Mutant {
  parts: Parts;
  remove(): void;
}

export async function mutate(changes: readonly Change[]): Promise<Mutant> {
  const { dist, remove } = plant(changes);
  try {
    const parts: Record<string, unknown> = {};
    for (const [name, file] of Object.entries(FILES)) {
      const module = (await import(pathToFileURL(join(dist, `${file}.js`)).href)) as Record<string, unknown>;
      parts[name] = module[name];
    }
    return { parts: parts as unknown as Parts, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
