/** Where the SDK keeps what must survive a reload: a small port, and adapters for what browsers have. */

/** Texts by key; each method may answer at once or later. `localStorage` behind three names is one. */
export interface Storage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  set(key: string, value: string): unknown;
  remove(key: string): unknown;
  /** All texts whose keys begin so, where that is quicker than one by one. */
  all?(prefix: string): Promise<Map<string, string>>;
}

/** For tests, and for what need not survive. */
export function memoryStorage(map = new Map<string, string>()): Storage {
  return {
    get: (key) => map.get(key),
    set: (key, value) => map.set(key, value),
    remove: (key) => map.delete(key),
  };
}

/** The page's `localStorage` (or `sessionStorage`): written before the call returns. */
export function webStorage(storage: globalThis.Storage = localStorage): Storage {
  return {
    get: (key) => storage.getItem(key),
    set: (key, value) => storage.setItem(key, value),
    remove: (key) => storage.removeItem(key),
  };
}

/** IndexedDB, for workers and for more than `localStorage` holds. `clear` empties all of the database of this name. */
export function indexedDbStorage(name = 'natter'): Required<Storage> & { clear(): Promise<unknown> } {
  let opened: Promise<IDBDatabase> | undefined;
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const use = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    if (!opened) {
      const request = indexedDB.open(name);
      request.onupgradeneeded = () => request.result.createObjectStore('texts');
      opened = done(request);
      // A database that was taken away, or could not be opened, is opened anew the next time.
      const again = () => {
        opened = undefined;
      };
      opened.then((database) => {
        database.onclose = again;
      }, again);
    }
    return done(work((await opened).transaction('texts', mode).objectStore('texts')));
  };
  return {
    get: (key) => use<string | undefined>('readonly', (store) => store.get(key)),
    set: (key, value) => use('readwrite', (store) => store.put(value, key)),
    remove: (key) => use('readwrite', (store) => store.delete(key)),
    clear: () => use('readwrite', (store) => store.clear()),
    async all(prefix) {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      let keys: IDBRequest<IDBValidKey[]> | undefined;
      // Both in one transaction, in this order: with the texts the keys are there too.
      const texts = await use<string[]>('readonly', (store) => {
        keys = store.getAllKeys(range);
        return store.getAll(range);
      });
      return new Map(texts.map((text, at) => [String(keys?.result[at]), text]));
    },
  };
}

/** Runs `work` while no other tab runs under this name. */
export function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? (locks.request(name, work) as Promise<T>) : work();
}
