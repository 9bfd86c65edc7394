/** The page's side of the service worker: it is registered, looks for new builds, and lets them take over when asked. */
import { View } from '@natter/client/emitter';

/** Milliseconds between two looks for a new build, whatever asks for them. */
const LOOK_EVERY = 60_000;
/** A page that stays open all day looks by itself. */
const LOOK_LATEST = 3_600_000;
const SCRIPT = '/sw.js';
/** A lock that every page shares: who holds it alone is alone. */
const PAGE = 'natter:page';

/** A newer build than the one that runs here is on this device, and waits. */
export const update: View<ServiceWorker | null> = new View(() => waiting);
let waiting: ServiceWorker | null = null;
let registration: ServiceWorkerRegistration | null = null;
let looked = 0;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one script that this app ever names by itself. */
function scriptUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const rules = { createScriptURL: () => SCRIPT };
  return trustedTypes?.createPolicy('natter', rules).createScriptURL(SCRIPT) ?? SCRIPT;
}

function offer(worker: ServiceWorker | null): void {
  waiting = worker;
  update.touch();
}

/** Where the browser has service workers: on secure pages, and on this very machine. */
export function startShell(): void {
  const { serviceWorker } = navigator;
  if (!import.meta.env.PROD || !serviceWorker) return;
  // For as long as this page is there.
  void navigator.locks.request(PAGE, { mode: 'shared' }, () => new Promise(() => {}));
  // The first one changes nothing for a page that came over the network; another one brings files of another build.
  let controlled = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (controlled) location.reload();
    controlled = true;
  });
  const register = async () => {
    registration = await serviceWorker.register(scriptUrl(), { updateViaCache: 'none' });
    looked = performance.now();
    // Nothing was begun on this page yet: it may as well begin with the new build.
    const { waiting: newer } = registration;
    const taken = newer && controlled && (await isAlone()) && (await takeOver(newer));
    if (!taken) follow(registration);
  };
  // After what the first screen needs. Where it is refused (a private window), the app works without.
  const begin = () => void register().catch(() => {});
  if (document.readyState === 'complete') begin();
  else addEventListener('load', begin, { once: true });
}

/** Is no other tab open? A page that is just being left still counts for a moment. */
async function isAlone(): Promise<boolean> {
  for (let tries = 0; tries < 5; tries += 1) {
    const { held } = await navigator.locks.query();
    if ((held ?? []).filter(({ name }) => name === PAGE).length <= 1) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function follow(found: ServiceWorkerRegistration): void {
  const look = () => {
    if (found.waiting && navigator.serviceWorker.controller) offer(found.waiting);
  };
  const watch = (worker: ServiceWorker | null) => worker?.addEventListener('statechange', look);
  found.addEventListener('updatefound', () => watch(found.installing));
  watch(found.installing);
  look();
  setInterval(lookForUpdate, LOOK_LATEST);
}

/** Whenever there may be a new build: the server was away, and is back. */
export function lookForUpdate(): void {
  if (!registration || performance.now() - looked < LOOK_EVERY) return;
  looked = performance.now();
  // Away again: the next look finds it.
  registration.update().catch(() => {});
}

/** All tabs go on with the new build. */
export function takeUpdate(): void {
  if (waiting) void takeOver(waiting);
}

/** While the old one is at work, a browser may let the new one wait, and forget it: it is asked until it has the place. */
async function takeOver(worker: ServiceWorker): Promise<boolean> {
  for (let tries = 0; tries < 10; tries += 1) {
    worker.postMessage('take over');
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (worker.state !== 'installed') return true;
  }
  return false;
}
