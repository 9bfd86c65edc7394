/** Makes folders. Node's own way never ends where the system lets nobody make any, as below /proc. */
import { mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a folder that only its owner may look into, and those that lead to it; says which one could not be made. */
export function makeFolder(path: string): void {
  const there = look(path);
  if (there?.isDirectory()) return;
  if (there) throw new Error(`${path} is no folder`);
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Somebody else was quicker.
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    throw Object.assign(new Error(`the folder ${path} can not be made (${message})`, { cause: error }), { code });
  }
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Something on the way is no folder: which one, is said of that.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
