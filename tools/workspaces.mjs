// What the repository consists of: its root, its workspaces and their files.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** The workspaces that have a package.json, in the order of their names. */
export function workspaces() {
  const home = join(ROOT, 'packages');
  return readdirSync(home)
    .sort()
    .map((dir) => join(home, dir))
    .filter((dir) => existsSync(join(dir, 'package.json')))
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }));
}

/** All files below a folder; nothing when there is no such folder. */
export function filesIn(dir) {
  if (!existsSync(dir)) return [];
  const found = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) found.push(...filesIn(path));
    else found.push(path);
  }
  return found;
}

/**
 * The test suites: one for each workspace that has tests, and one for each of its variants, which runs some of its tests
 * again with other variables in the environment.
 */
export function suites() {
  return workspaces()
    .filter(({ dir }) => filesIn(join(dir, 'test')).some((file) => file.endsWith('.test.ts')))
    .flatMap(({ dir, manifest }) => [
      { dir, manifest, name: manifest.name, tests: ['test/**/*.test.ts'], env: {} },
      ...(manifest.natter?.variants ?? []).map(({ name, tests, env }) => {
        return { dir, manifest, name: `${manifest.name} ${name}`, tests, env };
      }),
    ]);
}

/** When the file was last written, in milliseconds; 0 when there is none. */
export function writtenAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
