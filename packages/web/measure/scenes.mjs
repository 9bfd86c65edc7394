// What is measured, each in the page itself: from the event to the paint that follows it.

const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
};

/** From one room that was open before to another, as often as there are rooms, three times over. */
export async function switchRooms(page, rooms) {
  const times = await page.evaluate(async (ids) => {
    const painted = () =>
      new Promise((done) => {
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => done(performance.now());
          port2.postMessage(null);
        });
      });
    const shown = (id) => document.querySelector(`[data-timeline="${id}"] [data-seq]`) !== null;
    const found = [];
    for (let round = 0; round < 4; round += 1) {
      for (const id of ids) {
        const link = document.querySelector(`[data-room="${id}"]`);
        const began = performance.now();
        link.click();
        let end = await painted();
        while (!shown(id)) end = await painted();
        // The first round loads.
        if (round > 0) found.push(end - began);
        await new Promise((done) => setTimeout(done, 30));
      }
    }
    return found;
  }, rooms);
  return {
    'room switch p50, ms': percentile(times, 0.5),
    'room switch p95, ms': percentile(times, 0.95),
  };
}

/** A reload with everything cached, until messages stand in the page. */
export async function warmStart(page, address) {
  const times = [];
  for (let turn = 0; turn < 5; turn += 1) {
    await page.goto(address);
    await page.waitForFunction(() => document.querySelector('[data-seq]') !== null);
    times.push(await page.evaluate(() => performance.now()));
  }
  return { 'warm start to messages p50, ms': percentile(times, 0.5) };
}

/** Frames that are scrolled before memory is looked at again. */
const FRAMES = 500;

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
  for (;;) {
    const arrived = await page.evaluate(scrollFrames, FRAMES);
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

/** In the page: so many frames, or up to the first message; then true. */
async function scrollFrames(max) {
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
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const atBeginning = () => scroller.scrollTop === 0 && scroller.querySelector('h2') !== null;
  let before = inSight();
  let last = performance.now();
  for (let step = 0; step < max && !atBeginning(); step += 1) {
    const from = scroller.scrollTop;
    scroller.scrollBy(0, -Math.round(scroller.clientHeight * 0.8));
    const scrolled = from - scroller.scrollTop;
    await frame();
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

/** Keys in the composer, with as many messages loaded as a timeline keeps. */
export async function keypress(page) {
  await page.locator('[data-composer]').focus();
  await page.evaluate(() => {
    globalThis.keys = [];
    addEventListener(
      'keydown',
      ({ timeStamp }) => {
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => globalThis.keys.push(performance.now() - timeStamp);
          port2.postMessage(null);
        });
      },
      true,
    );
  });
  for (const key of 'the quick brown fox jumps over the lazy dog and again')
    await page.keyboard.press(key === ' ' ? 'Space' : key);
  const times = await page.evaluate(() => globalThis.keys);
  await page.locator('[data-composer]').fill('');
  return { 'keypress to paint p50, ms': percentile(times, 0.5), 'keypress to paint p95, ms': percentile(times, 0.95) };
}
