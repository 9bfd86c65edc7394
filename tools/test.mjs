// `npm test`: the checks, then the test suites of all workspaces with the services they ask for. The last line counts.
// With arguments (`npm test -- committer`, `npm test -- --project @natter/server`) they go to vitest, and the checks are left out.
import './node-version.mjs';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { check } from './check.mjs';
import { build, ensureInstalled, fail, Trouble } from './ensure.mjs';
import { guardGroup, SERVICES, stopServices, temporaryFolder, useMemory } from './services.mjs';
import { ROOT, suites } from './workspaces.mjs';

const say = (line) => console.log(line);
const filters = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
let vitest;
let stopping = false;

function add(count) {
  for (const key of Object.keys(count)) total[key] += count[key];
}

/** The suites that are asked for. */
function chosen() {
  const named = filters.flatMap((filter, at) => {
    if (filter === '--project') return [filters[at + 1]];
    return filter.startsWith('--project=') ? [filter.slice('--project='.length)] : [];
  });
  return suites().filter(({ name }) => named.length === 0 || named.includes(name));
}

/** Gets the services that suites ask for. A suite whose service cannot be had is left out, and that counts as a failure. */
async function startServices(asking) {
  const env = {};
  const missing = new Map();
  const ready = [];
  for (const suite of asking) {
    const asked = suite.manifest.natter?.services ?? [];
    for (const name of asked) {
      if (missing.has(name) || env[name]) continue;
      try {
        if (!SERVICES[name])
          throw new Trouble(`There is no service "${name}"; there are ${Object.keys(SERVICES).join(', ')}.`);
        env[name] = await SERVICES[name]();
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        missing.set(name, error.message);
        say(`✗ ${error.message}`);
        total.failed += 1;
      }
    }
    const lacking = asked.filter((name) => missing.has(name));
    if (lacking.length === 0) ready.push(suite);
    else say(`✗ The tests of ${suite.name} are left out: they need ${lacking.join(' and ')}.`);
  }
  return { ready, env: Object.assign({}, ...Object.values(env)) };
}

/** Sends a signal to vitest and to whatever of its processes is left. */
function endSuites(signal) {
  if (vitest?.pid === undefined) return;
  try {
    process.kill(-vitest.pid, signal);
  } catch {
    // Nothing is left.
  }
}

/** Runs the suites in one vitest, and adds what they count. */
async function runSuites(ready, serviceEnv) {
  const folder = temporaryFolder('test');
  const countFile = join(folder, 'count.json');
  try {
    // Filters of one's own (--project, a file's name) stand in for the list of all.
    const names = filters.some((filter) => filter.startsWith('--project'))
      ? []
      : ready.flatMap(({ name }) => ['--project', name]);
    const reporters = ['--reporter', 'default', '--reporter', join(ROOT, 'tools', 'vitest-count.mjs')];
    const bin = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    vitest = spawn(process.execPath, [bin, 'run', '--allowOnly=false', ...reporters, ...names, ...filters], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      // In a group of its own, so that its workers and the servers that tests started can be ended with it.
      detached: true,
      env: { ...process.env, ...serviceEnv, NATTER_TEST_COUNT: countFile },
    });
    guardGroup(vitest.pid);
    const code = await new Promise((resolve) => {
      vitest.once('error', () => resolve(127));
      vitest.once('close', (status) => resolve(status ?? 1));
    });
    endSuites('SIGKILL');
    let count;
    try {
      count = JSON.parse(readFileSync(countFile, 'utf8'));
    } catch {
      say(`✗ vitest ended with code ${code} before it could count.`);
      count = { passed: 0, failed: 1, skipped: 0 };
    }
    if (code !== 0 && count.failed === 0) {
      say(`✗ vitest ended with code ${code} although no test failed.`);
      count.failed = 1;
    }
    if (count.passed + count.failed === 0) {
      say('✗ No test ran.');
      count.failed = 1;
    }
    add(count);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    endSuites('SIGTERM');
    await stopServices();
    process.exit(128 + constants.signals[signal]);
  });
}

try {
  await ensureInstalled((line) => console.error(line));
  if (filters.length === 0) {
    add(await check(say));
  } else {
    const { ok, output } = await build();
    if (!ok) throw new Trouble(output.trim());
  }
  useMemory();
  const { ready, env } = await startServices(chosen());
  if (ready.length > 0) await runSuites(ready, env);
  else {
    say('✗ No test suite ran.');
    if (total.failed === 0) total.failed = 1;
  }
} catch (error) {
  await stopServices();
  if (filters.length > 0) fail(error);
  console.error(error instanceof Trouble ? error.message : error);
  total.failed += 1;
}
await stopServices();
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
