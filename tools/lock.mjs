// `npm run lock`: completes package-lock.json with the packages of other platforms. A registry mirror may lack some of them;
// npm then leaves them out without a word, and afterwards `npm ci` refuses the file, and other platforms lack their program.
// They are added with the version that is asked for; what they are for, their names tell.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './workspaces.mjs';

const FILE = join(ROOT, 'package-lock.json');
const PLATFORM =
  /-(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(gnu|musl|msvc|eabi)\w*)?$/;

/** Is a package that is asked for from a place there: in that place's node_modules or in one above it? */
function isThere(packages, from, name) {
  const parts = from === '' ? [] : from.split('/node_modules/');
  return Array.from({ length: parts.length + 1 }, (_, left) => parts.slice(0, left).join('/node_modules/')).some(
    (at) => packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`] !== undefined,
  );
}

/** The optional packages that are asked for and that the lockfile lacks: [{ path, entry }]. */
export function missingFromLock(lock = JSON.parse(readFileSync(FILE, 'utf8'))) {
  const missing = [];
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isThere(lock.packages, path, name)) continue;
      const match = PLATFORM.exec(name);
      const [, os, cpu, abi] = match ?? [];
      if (!match || !/^\d+\.\d+\.\d+/.test(version)) {
        throw new Error(
          `${path} asks for ${name}@${version}, which the registry lacks and whose platform is not in its name.`,
        );
      }
      const libc = abi === 'gnu' ? { libc: ['glibc'] } : abi === 'musl' ? { libc: ['musl'] } : {};
      const entry = { version, cpu: [cpu], ...(dev ? { dev } : {}), ...libc, optional: true, os: [os] };
      missing.push({ path: `node_modules/${name}`, entry });
    }
  }
  return missing;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lock = JSON.parse(readFileSync(FILE, 'utf8'));
  const missing = missingFromLock(lock);
  for (const { path, entry } of missing) lock.packages[path] = entry;
  // The order that npm itself writes them in.
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.length} packages of other platforms added to package-lock.json`);
}
