// Brings the tree into a state that runs: dependencies as in package-lock.json, dist as in src. Does nothing when it is.
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { makeBundle } from './bundle.mjs';
import { runNpm, runTsc, saying } from './processes.mjs';
import { ensureRedoc, redocIsThere } from './redoc.mjs';
import { filesIn, ROOT, workspaces, writtenAt } from './workspaces.mjs';

/** Something that the person at the keyboard has to see to; its text is all they get. */
export class Trouble extends Error {}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Is what package-lock.json asks for installed? Without `dev`, what only building and testing need may be missing. */
function isInstalled({ dev }) {
  const wanted = readJson(join(ROOT, 'package-lock.json'));
  const have = readJson(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted) throw new Trouble('package-lock.json is missing or broken: this is not a whole copy of Natter.');
  if (!have) return false;
  return Object.entries(wanted.packages).every(([path, { version, link, optional, dev: isDev }]) => {
    if (!path.includes('node_modules/')) return true;
    const there = have.packages[path];
    if (!there) return Boolean(optional) || (isDev === true && !dev);
    return link === true ? there.link === true : there.version === version;
  });
}

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/;

const BUSY = join(ROOT, '.busy');

/** One at a time, of all the commands that are started in this tree: two builds at once would each see half of the other's. */
async function alone(work) {
  for (;;) {
    try {
      writeFileSync(BUSY, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isRunning(readBusy())) rmSync(BUSY, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const leave = () => rmSync(BUSY, { force: true });
  process.once('exit', leave);
  try {
    return await work();
  } finally {
    process.off('exit', leave);
    leave();
  }
}

/** Whose turn it is: a process id, or undefined when that one has just left. */
function readBusy() {
  try {
    return Number(readFileSync(BUSY, 'utf8'));
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  // Between making the file and writing into it, it is empty.
  if (pid === 0) return Date.now() - writtenAt(BUSY) < 1_000;
  if (pid === undefined) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function install(say) {
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const { code, output, ms } = await saying(say, 'Installing dependencies (npm ci)', runNpm(args));
  if (code !== 0) {
    const reason = UNREACHABLE.exec(output)?.[1];
    const hint = reason
      ? `The npm registry could not be reached (${reason}). Check the network, or "npm config get registry" and the proxy settings, and start again.`
      : 'npm ci failed; what it said is above.';
    throw new Trouble(`${output.trim()}\n\n${hint}`);
  }
  say(`Dependencies installed in ${(ms / 1000).toFixed(1)} s`);
}

const SHARED = ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json', 'tools/bundle.mjs'];

const isCompiled = ({ dir }) => writtenAt(join(dir, 'tsconfig.json')) > 0 && filesIn(join(dir, 'src')).length > 0;
const stampOf = (dir) => join(dir, 'dist', '.built');

/** What a workspace is built from: its own files and those of the workspaces that it stands on. */
function sourcesOf({ dir, manifest }) {
  const own = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isFile());
  const needed = Object.keys({
    ...manifest.dependencies,
    ...(manifest.scripts?.build ? manifest.devDependencies : {}),
  });
  return [
    ...own.map((entry) => join(dir, entry.name)),
    ...['src', 'public'].flatMap((name) => filesIn(join(dir, name))),
    ...workspaces()
      .filter((other) => needed.includes(other.manifest.name))
      .flatMap((other) => filesIn(join(other.dir, 'src'))),
  ];
}

/** Was a workspace built after its last change? The stamp carries the time at which its build began. */
function isFresh(workspace) {
  const built = writtenAt(stampOf(workspace.dir));
  if ((workspace.manifest.natter?.bundle ?? []).some((file) => writtenAt(join(workspace.dir, 'bundle', file)) === 0))
    return false;
  const shared = SHARED.map((name) => join(ROOT, name));
  return built > 0 && [...sourcesOf(workspace), ...shared].every((file) => writtenAt(file) <= built);
}

function isStale(workspace) {
  return (isCompiled(workspace) || workspace.manifest.scripts?.build) && !isFresh(workspace);
}

/** Takes out of dist what no source stands behind any more, so that nothing can be imported that will not be shipped. */
function prune({ dir }) {
  const dist = join(dir, 'dist');
  const sources = new Set(
    filesIn(join(dir, 'src')).map((file) => relative(join(dir, 'src'), file).replace(/\.[cm]?tsx?$/, '')),
  );
  for (const file of filesIn(dist)) {
    const match = /^(.*)\.(?:js|js\.map|d\.ts|d\.ts\.map)$/.exec(relative(dist, file));
    if (match && !sources.has(match[1])) rmSync(file);
  }
}

function stamp(dir, time) {
  writeFileSync(stampOf(dir), '');
  utimesSync(stampOf(dir), new Date(time), new Date(time));
}

/** Builds all workspaces: those of TypeScript alone together, then those with a build of their own. */
export const build = () => alone(buildAll);

async function buildAll() {
  const began = Date.now();
  const all = workspaces();
  const { code, output } = await runTsc(['-b']);
  if (code !== 0) return { ok: false, output };
  for (const workspace of all) {
    const { dir, manifest } = workspace;
    if (manifest.scripts?.build) {
      if (isFresh(workspace)) continue;
      const own = await runNpm(['run', 'build', '--workspace', manifest.name]);
      if (own.code !== 0) return { ok: false, output: own.output };
    } else if (isCompiled(workspace)) {
      prune(workspace);
      if (manifest.natter?.bundle && !isFresh(workspace)) {
        const bundled = await makeBundle(workspace);
        if (!bundled.ok) return bundled;
      }
    } else continue;
    stamp(dir, began);
  }
  return { ok: true, output };
}

/** Installs, if that is needed. */
export async function ensureInstalled(say, { dev = true } = {}) {
  if (isInstalled({ dev }) && redocIsThere()) return;
  await alone(async () => {
    if (!isInstalled({ dev })) await install(say);
    if (redocIsThere()) return;
    const { ok, output } = await ensureRedoc();
    if (!ok) throw new Trouble(output);
  });
}

/** Installs and builds, if that is needed. */
export async function ensureReady(say) {
  const stale = workspaces().some(isStale);
  await ensureInstalled(say, { dev: stale });
  if (!stale) return;
  const { ok, output } = await saying(say, 'Building', build());
  if (!ok) throw new Trouble(`${output.trim()}\n\nThe build failed; what it said is above.`);
}

/**
 * Makes one signal of two that come at once. At Ctrl-C the terminal tells every process of the group, and npm, which is one
 * of them, passes it on: to a server that ends at once when asked a second time, this would be asking twice.
 */
function mergeSignals() {
  const emit = process.emit;
  const last = { SIGINT: 0, SIGTERM: 0 };
  process.emit = function (event, ...args) {
    if (event in last) {
      const now = Date.now();
      if (now - last[event] < 500) return true;
      last[event] = now;
    }
    return emit.call(this, event, ...args);
  };
}

/** Runs a built file of a workspace in this very process, so that signals, arguments and exit code need no passing on. */
export async function become(file) {
  const path = join(ROOT, ...file.split('/'));
  if (writtenAt(path) === 0) throw new Trouble(`${file.split('/').join(sep)} is missing although the build went well.`);
  process.argv[1] = path;
  mergeSignals();
  await import(new URL(`../${file}`, import.meta.url).href);
}

/** Ends with the text of a trouble and code 1; a bug keeps its stack. */
export function fail(error) {
  console.error(error instanceof Trouble ? `\n${error.message}` : error);
  process.exit(1);
}
