/** Temporary folders, which do not outlive the bench. */
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

export function makeFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'natter-bench-'));
  folders.add(dir);
  return dir;
}

export async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  folders.delete(dir);
}

/** At the very end, when nothing can be waited for any more. */
export function removeFolders(): void {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
}
