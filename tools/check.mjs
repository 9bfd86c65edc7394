// `npm run check`: formatting and lint, types, layers, dead code. Each piece says one line, and everything when it fails.
import './node-version.mjs';
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, ensureInstalled, fail } from './ensure.mjs';
import { missingFromLock } from './lock.mjs';
import { runBin, runTsc } from './processes.mjs';
import { filesIn, ROOT, workspaces } from './workspaces.mjs';

/** Type-checks the tests of every workspace that has some, against what is built. */
async function checkTestTypes() {
  const suites = workspaces().filter(({ dir }) => filesIn(join(dir, 'test')).some((file) => /\.tsx?$/.test(file)));
  const results = await Promise.all(
    suites.map(({ dir }) => {
      // Remembers what was checked, so that the next time is quick.
      const memory = join(ROOT, 'node_modules', '.cache', 'natter', `${basename(dir)}-test.tsbuildinfo`);
      return runTsc(['-p', join(dir, 'test'), '--incremental', '--tsBuildInfoFile', memory]);
    }),
  );
  return {
    ok: results.every(({ code }) => code === 0),
    output: results.map(({ output }) => output).join(''),
  };
}

/** Would `npm ci` take the lockfile, here and on other platforms, and does all of it run on the oldest Node that we promise? */
async function checkLock() {
  // Loaded late: this file is read before anything is installed.
  const { default: semver } = await import('semver');
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const oldest = semver.minVersion(lock.packages[''].engines.node);
  const missing = missingFromLock(lock).map(({ path }) => path.replace('node_modules/', ''));
  const tooNew = Object.entries(lock.packages)
    .filter(([, { engines, optional }]) => engines?.node && !optional && !semver.satisfies(oldest, engines.node))
    .map(
      ([path, { version, engines }]) => `${path.replace('node_modules/', '')}@${version} needs Node ${engines.node}.\n`,
    );
  const lacks = `package-lock.json lacks packages of other platforms: ${missing.join(', ')}.\n"npm run lock" adds them.\n`;
  return {
    ok: missing.length === 0 && tooNew.length === 0,
    output: `${missing.length > 0 ? lacks : ''}${tooNew.join('')}`,
  };
}

async function checkBin(file, args) {
  const { code, output } = await runBin(file, args);
  return { ok: code === 0, output };
}

/** The pieces in the order in which they run. Those after the build look at what it made. */
const PIECES = [
  ['lockfile', checkLock],
  ['types of the sources, and build', build],
  ['types of the tests', checkTestTypes],
  ['format and lint', () => checkBin('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.'])],
  [
    'layers',
    () =>
      checkBin('dependency-cruiser/bin/dependency-cruise.mjs', [
        '--config',
        '.dependency-cruiser.mjs',
        ...workspaces()
          .map(({ dir }) => join(dir, 'src'))
          .filter((dir) => filesIn(dir).length > 0)
          .map((dir) => relative(ROOT, dir)),
      ]),
  ],
  ['dead code', () => checkBin('knip/bin/knip.js', ['--no-progress'])],
];

/** Runs all pieces; how many passed and failed. */
export async function check(say) {
  const count = { passed: 0, failed: 0 };
  for (const [name, piece] of PIECES) {
    const started = Date.now();
    const { ok, output } = await piece();
    say(`${ok ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (!ok) say(`${output.trim()}\n`);
    count[ok ? 'passed' : 'failed'] += 1;
  }
  return count;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await ensureInstalled((line) => console.error(line));
    const { failed } = await check((line) => console.log(line));
    process.exit(failed === 0 ? 0 : 1);
  } catch (error) {
    fail(error);
  }
}
