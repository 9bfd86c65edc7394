/** A copy of the built server with a bug put in: the tree itself is never touched. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '..');

/** A change of one built file: what is found, which must be there once, and what stands in its place. */
export interface Change {
  file: string;
  find: string | RegExp;
  put: string;
}

/** An event after a gap is taken as the next one. */
export const GAP_NOT_SEEN: Change = {
  file: 'hub/room-feed.js',
  find: 'if (event.seq === this.head + 1 && !this.#prepare([event]))',
  put: `if (event.seq > this.head + 1) {
                this.tell();
                this.ring.clear(event.seq);
                this.head = this.told = event.seq - 1;
            }
            if (!this.#prepare([event]))`,
};

export interface Planted {
  /** Folder with the built server. */
  dist: string;
  remove(): void;
}

/** Throws where a change does not fit any more: a bug that is not there would be found by nobody. */
export function plant(changes: readonly Change[]): Planted {
  const home = mkdtempSync(join(tmpdir(), 'natter-mutant-'));
  const dist = join(home, 'packages/server/dist');
  const remove = (): void => rmSync(home, { recursive: true, force: true });
  try {
    cpSync(join(PACKAGE, 'dist'), dist, { recursive: true, filter: (file) => !/\.(map|d\.ts)$/.test(file) });
    for (const one of ['package.json', 'assets']) {
      symlinkSync(join(PACKAGE, one), join(home, 'packages/server', one));
    }
    symlinkSync(join(PACKAGE, '../../node_modules'), join(home, 'node_modules'));
    for (const { file, find, put } of changes) {
      const path = join(dist, file);
      const code = readFileSync(path, 'utf8');
      const parts = code.split(find);
      if (parts.length !== 2) {
        throw new Error(`${find} is ${parts.length - 1} times in ${file}: the bug can't be put in`);
      }
      writeFileSync(path, parts.join(put));
    }
    return { dist, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
