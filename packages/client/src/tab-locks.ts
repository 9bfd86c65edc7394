/**
 * Names of which one tab at a time holds each. Browsers have locks for this on secure pages; elsewhere tabs ask each other,
 * and where not even that is possible (Node) everybody holds everything.
 */
import { newKey } from './keys.js';

/** Answers what lets go of it. */
export type Release = () => void;

/** Milliseconds that a tab has to say that it holds a name, and between two questions. */
const ANSWER_WITHIN = 300;
const ASK_EVERY = 5_000;
const CHANNEL = 'natter:locks';

/** Null when another tab holds it. */
export function tryLock(name: string): Promise<Release | null> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return claim(name);
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null) => (lock ? new Promise<void>((release) => resolve(release)) : resolve(null));
    locks.request(name, { ifAvailable: true }, hold).catch(reject);
  });
}

/** As soon as no other tab holds it; never, and rejects, when the signal says so before. */
export async function lockWhenFree(name: string, signal: AbortSignal): Promise<Release> {
  const locks = globalThis.navigator?.locks;
  if (locks) {
    return new Promise((resolve, reject) => {
      const hold = () => new Promise<void>((release) => resolve(release));
      locks.request(name, { signal }, hold).catch(reject);
    });
  }
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
    signal.throwIfAborted();
    const release = await claim(name);
    if (release) return release;
  }
}

type Word = { readonly claim: string; readonly id: string } | { readonly held: string; readonly by: string };

/** Asks all other tabs; whose question has the lower id wins where two ask at once. */
async function claim(name: string): Promise<Release | null> {
  if (typeof document === 'undefined') return () => {};
  const channel = new BroadcastChannel(CHANNEL);
  const id = newKey();
  let mine: boolean | null = null;
  let lost = false;
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    if ('held' in data) {
      if (data.held === name && data.by !== id && mine === null) lost = true;
    } else if (data.claim === name) {
      if (mine || (mine === null && !lost && id < data.id)) channel.postMessage({ held: name, by: id });
      else if (mine === null) lost = true;
    }
  };
  channel.postMessage({ claim: name, id });
  await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN));
  if (lost) {
    channel.close();
    return null;
  }
  mine = true;
  return () => channel.close();
}
