// `npm run measure -w @natter/web -- <folder>`: how quick the built app is, on a real server with the logs of that folder
// imported (any IRC logs; the figures of the README are of 147,517 messages of #ubuntu), in the Chromium of this machine.
// Ends by itself, prints the table, and answers 1 where a figure misses what it is held to.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { DrawsNoMore, keypress, scrollToBeginning, switchRooms, warmStart } from './scenes.mjs';

const PASSWORD = 'correct horse battery';
const server = (file) => fileURLToPath(new URL(`../../server/bundle/${file}`, import.meta.url));
const logs = process.argv[2];
if (!logs) {
  console.error('usage: npm run measure -w @natter/web -- <folder of IRC logs>');
  process.exit(2);
}

async function freePort() {
  const listener = createServer();
  await new Promise((done) => listener.listen(0, '127.0.0.1', done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  return port;
}

function run(file, args, env) {
  return spawn(process.execPath, [server(file), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** What each figure is held to. */
const AT_MOST = {
  'first load, kB of JavaScript gzipped': 200,
  'room switch p95, ms': 50,
  'warm start to usable p50, ms': 300,
  'layout shift, sum of all': 0,
  'frames in which what is read jumped': 0,
  'most rows in the page': 500,
  'most JavaScript heap on the way, MB': 200,
  'most memory of the renderer on the way, MB': 1000,
  'keypress to paint p95, ms': 16,
};

/** Times that the scrolling is begun, where the browser gives up drawing on the way. */
const TRIES = 3;

// Whatever hangs, it ends.
const MINUTES_MAX = 30;
setTimeout(() => {
  console.error(`not done within ${MINUTES_MAX} minutes`);
  child?.kill('SIGKILL');
  process.exit(1);
}, MINUTES_MAX * 60_000).unref();

const folder = mkdtempSync(join(tmpdir(), 'natter-measure-'));
const port = await freePort();
const env = { DATA_DIR: folder, HOST: '127.0.0.1', PORT: String(port), LIMITS: 'off', LOG_LEVEL: 'error' };
const url = `http://127.0.0.1:${port}`;
const ended = (child) => new Promise((done) => child.once('close', done));
let child;
let browser;
try {
  console.error('importing …');
  await ended(run('cli.js', ['import', 'irc', resolve(process.env.INIT_CWD ?? '.', logs), '--room', 'ubuntu'], env));
  child = run('main.js', [], env);
  await new Promise((done) => {
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
      if (said.includes('is ready at')) done();
    });
  });

  const ask = async (method, path, token, body) => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(`${url}/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  };
  const { accessToken: token } = await ask('POST', '/users', null, { name: 'reader', password: PASSWORD });
  const { rooms } = await ask('GET', '/search/rooms?q=ubuntu', token);
  const big = rooms.find(({ name }) => name === 'ubuntu').id;
  await ask('PUT', `/rooms/${big}/members/me`, token, undefined);
  const small = [];
  for (let room = 0; room < 20; room += 1) {
    const { id } = await ask('POST', '/rooms', token, {
      kind: 'channel',
      name: `room-${String(room).padStart(2, '0')}`,
    });
    small.push(id);
    for (let say = 0; say < 60; say += 1) {
      await ask('POST', `/rooms/${id}/messages`, token, {
        text: `Message **${say}** of a room, with \`code\` and a link: https://example.org/${say}`,
      });
    }
  }

  const args = ['--no-sandbox', '--disable-gpu', '--disable-frame-rate-limit', '--disable-gpu-vsync'];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  let page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('Name or e-mail address').fill('reader');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.locator('[data-room]').first().waitFor();

  console.error('switching rooms …');
  const switched = await switchRooms(page, small);
  const started = await warmStart(page, `${url}/r/${small[0]}`);
  let scrolled;
  for (let tries = 1; !scrolled; tries += 1) {
    console.error('scrolling …');
    try {
      scrolled = await scrollToBeginning(page, `${url}/r/${big}`, await memoryOf(browser, page));
    } catch (error) {
      if (!(error instanceof DrawsNoMore) || tries === TRIES) throw error;
      console.error(`the browser draws no more (${error.message}): once more, in another page`);
      await page.close();
      page = await context.newPage();
    }
  }
  const figures = {
    'first load, kB of JavaScript gzipped': Math.round(firstLoad() / 100) / 10,
    ...switched,
    ...started,
    ...scrolled,
    ...(await keypress(page)),
  };
  const missed = (name) => figures[name] > (AT_MOST[name] ?? Number.POSITIVE_INFINITY);
  const rows = Object.entries(figures).map(([name, value]) => {
    return `| ${name} | ${AT_MOST[name] ?? ''} | ${missed(name) ? `**${value}**` : value} |`;
  });
  // As it stands in the README.
  const day = new Date().toISOString().slice(0, 10);
  console.log(
    `Found on ${day}: ${machine(browser)}\n\n| figure | at most | found |\n| --- | ---: | ---: |\n${rows.join('\n')}`,
  );
  if (Object.keys(figures).some(missed)) process.exitCode = 1;
} finally {
  await browser?.close();
  if (child) {
    child.kill('SIGTERM');
    await ended(child);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** What the page asks for before it shows anything. */
function firstLoad() {
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  return readdirSync(join(dist, 'assets'))
    .filter((name) => name.endsWith('.js') && html.includes(name))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, 'assets', name)), { level: 9 }).length, 0);
}

function machine(open) {
  return `${cpus()[0]?.model ?? '?'}, ${cpus().length} cores, Node ${process.version}, Chromium ${open.version()}`;
}

/** Reads the memory of a page: its JavaScript heap, and all that its process holds, where the system tells (Linux). */
async function memoryOf(open, page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const whole = await open.newBrowserCDPSession();
  const megabytes = (bytes) => Math.round(bytes / 1e6);
  return async (collect = false) => {
    if (collect) await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    const held = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentOf(id));
    return {
      heap: megabytes(metrics.find(({ name }) => name === 'JSHeapUsedSize').value),
      memory: megabytes(Math.max(0, ...held)),
    };
  };
}

function residentOf(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
