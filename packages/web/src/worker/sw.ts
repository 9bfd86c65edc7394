/**
 * The service worker: the app's own files of one build, from this device, so that a start needs no network. Nothing that
 * anybody said goes through it: API, sockets, documents and the dialects' paths are none of its business. Of what a page shows on
 * the device's screen it knows where it leads.
 *
 * A new build waits until it is asked to take over, or until no page of the old one is left: pages and their files are always
 * of one build.
 */

/** Put in by the build. */
declare const SHELL: {
  /** Another one for every other set of files. */
  readonly build: string;
  /** What the page of this build names: an answer without it is another build's. */
  readonly entry: string;
  readonly files: readonly string[];
  /** Those of the app: `/r/*` is all below it. */
  readonly addresses: readonly string[];
};

const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = 'natter-shell-';
/** Named once: the build puts it in wherever it is named. */
const shell = SHELL;
const CACHE = PREFIX + shell.build;
const PAGE = '/';
/** Under these names nothing ever changes. */
const HASHED = '/assets/';
/** Files that are fetched at once. */
const AT_ONCE = 6;

const files = new Set(shell.files);

function isAddress(path: string): boolean {
  return shell.addresses.some((address) =>
    address.endsWith('/*') ? path.startsWith(address.slice(0, -1)) : path === address,
  );
}

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  const due = [PAGE, ...shell.files];
  const next = async (): Promise<void> => {
    for (let path = due.shift(); path !== undefined; path = due.shift()) await cache.put(path, await get(path));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** A file of this build: what an older build had under the same name is the same. */
async function get(path: string): Promise<Response> {
  const kept = path.startsWith(HASHED) ? await caches.match(path) : undefined;
  if (kept) return kept;
  const headers = path === PAGE ? { accept: 'text/html' } : {};
  const answer = await fetch(path, { cache: 'no-cache', credentials: 'omit', headers });
  // Then this build is not installed, and the next look for it tries again.
  if (!answer.ok || answer.redirected) throw new Error(`${path} is not there: ${answer.status}`);
  if (path === PAGE && !(await answer.clone().text()).includes(shell.entry))
    throw new Error('the page is of another build');
  return answer;
}

async function clean(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

/** From this device; from the network what is not here, which is kept when its name says that it never changes. */
async function serve(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (path.startsWith(HASHED) && answer.ok) await cache.put(path, answer.clone());
  return answer;
}

worker.addEventListener('install', (event) => event.waitUntil(fill()));

worker.addEventListener('activate', (event) => event.waitUntil(clean().then(() => worker.clients.claim())));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  if (request.mode === 'navigate') {
    if (isAddress(pathname)) event.respondWith(serve(request, PAGE));
  } else if (files.has(pathname) || pathname.startsWith(HASHED)) {
    event.respondWith(serve(request, pathname));
  }
});

/** In a page of the app that is open, whichever it shows; else in one of its own. */
async function open(path: string): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const own = pages.filter(({ url }) => isAddress(new URL(url).pathname));
  const page = own.find(({ focused }) => focused) ?? own[0];
  if (!page) {
    await worker.clients.openWindow(path);
    return;
  }
  page.postMessage({ open: path });
  await page.focus();
}

worker.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  const path: unknown = notification.data?.path;
  if (typeof path === 'string' && isAddress(path)) event.waitUntil(open(path));
});

worker.addEventListener('message', ({ data }) => {
  if (data === 'take over') void worker.skipWaiting();
});
