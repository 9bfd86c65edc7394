/** Where the SDK keeps what must survive a reload: a small port, and adapters for what browsers have. */

/** Texts by key; each method may answer at once or later. `localStorage` behind three names is one. */
export interface Storage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  set(key: string, value: string): unknown;
  remove(key: string): unknown;
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

/** IndexedDB, for workers and for more than `localStorage` holds. */
export function indexedDbStorage(name = 'natter'): Storage {
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
    }
    return done(work((await opened).transaction('texts', mode).objectStore('texts')));
  };
  return {
    get: (key) => use<string | undefined>('readonly', (store) => store.get(key)),
    set: (key, value) => use('readwrite', (store) => store.put(value, key)),
    remove: (key) => use('readwrite', (store) => store.delete(key)),
  };
}

/**
 * Holds a name among all tabs of this origin until it is released; null when another tab holds it. Where the browser has
 * no locks (plain http pages, Node) it is always granted.
 */
export function tryLock(name: string): Promise<(() => void) | null> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null) => (lock ? new Promise<void>((release) => resolve(release)) : resolve(null));
    locks.request(name, { ifAvailable: true }, hold).catch(reject);
  });
}

/** Runs `work` while no other tab runs under this name. */
export function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? (locks.request(name, work) as Promise<T>) : work();
}
