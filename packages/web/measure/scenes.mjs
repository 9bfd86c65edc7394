// What is measured, each in the page itself: from the event to the paint that follows it.

const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
};

/** Times that every room is opened: once for the first time, then as one that is known. */
const ROUNDS = 9;

/** From room to room: each for the first time, when its messages are still to come, and then again and again. */
export async function switchRooms(page, rooms) {
  const { first, again } = await page.evaluate(
    async ({ ids, rounds }) => {
      const painted = () =>
        new Promise((done) => {
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => done(performance.now());
            port2.postMessage(null);
          });
        });
      const shown = (id) => document.querySelector(`[data-timeline="${id}"] [data-seq]`) !== null;
      const found = { first: [], again: [] };
      for (let round = 0; round < rounds; round += 1) {
        for (const id of ids) {
          const link = document.querySelector(`[data-room="${id}"]`);
          const began = performance.now();
          link.click();
          let end = await painted();
          while (!shown(id)) end = await painted();
          found[round === 0 ? 'first' : 'again'].push(end - began);
          await new Promise((done) => setTimeout(done, 30));
        }
      }
      return found;
    },
    { ids: rooms, rounds: ROUNDS },
  );
  return {
    'room switch, a room for the first time p50, ms': percentile(first, 0.5),
    'room switch, a room for the first time p95, ms': percentile(first, 0.95),
    'room switch p50, ms': percentile(again, 0.5),
    'room switch p95, ms': percentile(again, 0.95),
  };
}

const STARTS = 15;

/** The page is loaded with everything cached: from there to the paint in which messages and the box to write in are. */
export async function warmStart(page, address) {
  // Looked at in the page itself, frame by frame: asking from outside takes time that is not the page's.
  await page.addInitScript(() => {
    const look = () => {
      if (!document.querySelector('[data-seq]') || !document.querySelector('[data-composer]')) {
        requestAnimationFrame(look);
        return;
      }
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        globalThis.usable = performance.now();
      };
      port2.postMessage(null);
    };
    requestAnimationFrame(look);
  });
  const times = [];
  for (let turn = 0; turn < STARTS; turn += 1) {
    await page.goto(address);
    await page.waitForFunction(() => globalThis.usable !== undefined);
    times.push(await page.evaluate(() => globalThis.usable));
    await page.waitForTimeout(300);
  }
  return {
    'warm start to usable p50, ms': percentile(times, 0.5),
    'warm start to usable p95, ms': percentile(times, 0.95),
  };
}

/** Frames that are scrolled before memory is looked at again. */
const FRAMES = 500;
/** Milliseconds without a frame after which a browser draws no more. */
const DRAWS_NO_MORE = 10_000;

/**
 * The browser has given up drawing: scripts and timers of the page run, frames do not come. Seen with Chromium's drawing in
 * software, whose compositor then waits for ever for tiles of the page that nobody draws (`has_pending_tree`, not
 * `pending_tree_is_ready_for_activation`, in a trace of `cc.debug.scheduler.frames`).
 */
export class DrawsNoMore extends Error {}

/**
 * From the newest message to the first one, most of a screen in each frame. What is in sight must move by what was
 * scrolled, all of it together and to the pixel, whatever is loaded, drawn and let go of meanwhile.
 */
export async function scrollToBeginning(page, address, memory) {
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector('[data-seq]') !== null);
  await page.waitForTimeout(500);
  await page.evaluate(() => {
    const found = {
      shift: 0,
      frames: 0,
      jumps: 0,
      some: [],
      shifts: [],
      rows: 0,
      elements: 0,
      longest: 0,
      messages: 0,
      least: Infinity,
    };
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        found.shift += value;
        const moved = sources.map(({ node, previousRect, currentRect }) => {
          return `${node?.textContent?.slice(0, 80)}: ${JSON.stringify([previousRect, currentRect])}`;
        });
        if (found.shifts.length < 5) found.shifts.push({ value, moved });
      }
    }).observe({ type: 'layout-shift', buffered: false });
    globalThis.found = found;
  });
  const began = Date.now();
  const most = { heap: 0, memory: 0 };
  const begun = await memory();
  let least = Infinity;
  for (;;) {
    const arrived = await page.evaluate(scrollFrames, { max: FRAMES, patience: DRAWS_NO_MORE });
    if (arrived === null) throw new DrawsNoMore(`no frame for ${DRAWS_NO_MORE / 1000} s`);
    const reached = await page.evaluate(() => globalThis.found.least);
    if (!arrived && reached === least) throw new Error(`nothing comes above seq ${least}: ${await said(page)}`);
    least = reached;
    const now = await memory();
    most.heap = Math.max(most.heap, now.heap);
    most.memory = Math.max(most.memory, now.memory);
    if (arrived) break;
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  const state = await page.evaluate(() => globalThis.found);
  const ended = await memory(true);
  if (state.jumps > 0) process.stderr.write(`${JSON.stringify(state.some)}\n`);
  if (state.shift > 0) process.stderr.write(`${JSON.stringify(state.shifts, null, 2)}\n`);
  return {
    'messages scrolled over, from the newest to the first': state.messages,
    'seconds that took': seconds,
    'layout shift, sum of all': Math.round(state.shift * 10_000) / 10_000,
    'frames in which what is read jumped': state.jumps,
    'frames in all': state.frames,
    'most rows in the page': state.rows,
    'most elements in the page': state.elements,
    'longest frame, ms': Math.round(state.longest),
    'JavaScript heap at the beginning, MB': begun.heap,
    'most JavaScript heap on the way, MB': most.heap,
    'JavaScript heap at the end, collected, MB': ended.heap,
    'most memory of the renderer on the way, MB': most.memory,
  };
}

/** What the page says of itself, such as that older messages could not be read. */
function said(page) {
  return page.evaluate(() => {
    const spoken = [...document.querySelectorAll('[role=alert], [role=status]')].map((one) => one.textContent);
    return JSON.stringify(spoken.filter((text) => text !== ''));
  });
}

/** In the page: so many frames, or up to the first message; then true. Null: no frame comes any more. */
async function scrollFrames({ max, patience }) {
  const { found } = globalThis;
  const scroller = document.querySelector('[data-timeline]');
  const inSight = () => {
    const { top, bottom } = scroller.getBoundingClientRect();
    const rows = new Map();
    const all = scroller.querySelectorAll('[data-seq]');
    for (const row of all) {
      const seq = Number(row.dataset.seq);
      if (seq < found.least) found.messages += 1;
      const rect = row.getBoundingClientRect();
      if (rect.bottom > top && rect.top < bottom) rows.set(row.dataset.seq, rect.top);
    }
    // They come in falling order: above the least one all have been counted.
    if (all.length > 0) found.least = Math.min(found.least, Number(all[0].dataset.seq));
    found.rows = Math.max(found.rows, all.length);
    return rows;
  };
  const frame = () =>
    new Promise((done) => {
      const late = setTimeout(() => done(false), patience);
      requestAnimationFrame(() => {
        clearTimeout(late);
        done(true);
      });
    });
  const atBeginning = () => scroller.scrollTop === 0 && scroller.querySelector('h2') !== null;
  let before = inSight();
  let last = performance.now();
  for (let step = 0; step < max && !atBeginning(); step += 1) {
    const from = scroller.scrollTop;
    scroller.scrollBy(0, -Math.round(scroller.clientHeight * 0.8));
    const scrolled = from - scroller.scrollTop;
    if (!(await frame())) return null;
    // At the edge of what is loaded a reader waits, too.
    if (scrolled <= 1) await new Promise((done) => setTimeout(done, 10));
    const now = inSight();
    const moves = [...now].filter(([seq]) => before.has(seq)).map(([seq, at]) => at - before.get(seq));
    const off = moves.map((moved) => Math.abs(moved - scrolled));
    if (moves.length === 0 || Math.max(...off) > 1) {
      found.jumps += 1;
      if (found.some.length < 5) found.some.push({ scrolled, moves: moves.slice(0, 3) });
    }
    before = now;
    found.frames += 1;
    if (found.frames % 100 === 0) found.elements = Math.max(found.elements, document.querySelectorAll('*').length);
    found.longest = Math.max(found.longest, performance.now() - last);
    last = performance.now();
  }
  return atBeginning();
}

/** Times that a sentence is written. */
const TIMES = 4;
/** Milliseconds between two keys, as the quickest write: of keys that come faster than frames, several wait for one. */
const APART = 40;

/**
 * Keys in the composer, with as many messages loaded as a timeline keeps. A key is painted when the page runs again after
 * its frame, whatever for: the browser lets a message wait while keys and frames are at hand, which is no time of the paint's.
 */
export async function keypress(page) {
  await page.locator('[data-composer]').focus();
  await page.evaluate(() => {
    const drawn = [];
    const found = [];
    const { port1, port2 } = new MessageChannel();
    const painted = () => {
      for (const pressedAt of drawn.splice(0)) found.push(performance.now() - pressedAt);
    };
    port1.onmessage = painted;
    addEventListener('keyup', painted, true);
    addEventListener(
      'keydown',
      ({ timeStamp }) => {
        painted();
        requestAnimationFrame(() => {
          painted();
          drawn.push(timeStamp);
          port2.postMessage(null);
        });
      },
      true,
    );
    globalThis.keys = found;
  });
  for (const key of 'the quick brown fox jumps over the lazy dog and again '.repeat(TIMES)) {
    await page.keyboard.press(key === ' ' ? 'Space' : key);
    await page.waitForTimeout(APART);
  }
  const times = await page.evaluate(() => globalThis.keys);
  await page.locator('[data-composer]').fill('');
  return { 'keypress to paint p50, ms': percentile(times, 0.5), 'keypress to paint p95, ms': percentile(times, 0.95) };
}
