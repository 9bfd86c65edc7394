// Gets ReDoc's standalone file, which the server serves. The package itself is not installed: it would bring some hundred
// others (React, MobX, core-js …) that this one file already holds. npm fetches the archive; its hash is pinned here.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runNpm } from './processes.mjs';
import { ROOT } from './workspaces.mjs';

const VERSION = '2.5.4';
const INTEGRITY = 'sha512-M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==';
const HOME = join(ROOT, 'packages', 'server', 'assets', 'redoc');
const FILES = ['redoc.standalone.js', 'redoc.standalone.js.LICENSE.txt'];
/** Written last: says which version the files are, and that they are whole. */
const STAMP = join(HOME, '.version');

export const redocIsThere = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === VERSION;

/** The files of a tar archive, by path: headers of 512 bytes, contents padded to 512. */
function untar(bytes) {
  const files = new Map();
  const text = (from, length) => bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    files.set(text(at, 100), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

export async function ensureRedoc() {
  const folder = mkdtempSync(join(tmpdir(), 'natter-redoc-'));
  try {
    const { code, output } = await runNpm(['pack', `redoc@${VERSION}`, '--silent', '--pack-destination', folder], {
      cwd: folder,
    });
    if (code !== 0)
      return { ok: false, output: `${output}\nredoc@${VERSION} could not be fetched from the npm registry.` };
    const archive = readFileSync(join(folder, `redoc-${VERSION}.tgz`));
    const hash = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    if (hash !== INTEGRITY) return { ok: false, output: `redoc@${VERSION} has the hash ${hash}, not ${INTEGRITY}.` };
    const files = untar(gunzipSync(archive));
    mkdirSync(HOME, { recursive: true });
    for (const name of FILES) writeFileSync(join(HOME, name), files.get(`package/bundles/${name}`));
    writeFileSync(STAMP, VERSION);
    return { ok: true, output: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
