/** Which files an import of IRC logs reads, in which order, and what the channel is called. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { dayOf, joinedChannel, type Links, readLinks } from './irc-lines.js';
import { readLines } from './lines.js';

export interface IrcFile {
  path: string;
  /** Name without the folder: part of the keys of its messages, so that a log may be moved between two runs. */
  name: string;
  day: number;
  bytes: number;
}

const LOG = /\.raw\.txt$|\.log$/;

/** What can't be imported: said before anything is written. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** The logs among files and folders, by day. */
export async function findIrcFiles(paths: readonly string[]): Promise<IrcFile[]> {
  const found: string[] = [];
  for (const path of paths.map((one) => resolve(one))) {
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new ImportError(
        error.code === 'ENOENT' ? `there is no ${path}` : `${path} can't be read: ${error.message}`,
      );
    });
    if (!info.isDirectory()) found.push(path);
    else for (const name of await readdir(path)) if (LOG.test(name)) found.push(join(path, name));
  }
  const files = new Map<string, IrcFile>();
  for (const path of found) {
    const name = basename(path);
    const day = dayOf(name);
    if (day === null) throw new ImportError(`the name of ${path} does not begin with a day, such as 2004-12-25`);
    const same = files.get(name);
    if (same && same.path !== path) throw new ImportError(`${same.path} and ${path} have the same name`);
    files.set(name, { path, name, day, bytes: (await stat(path)).size });
  }
  if (files.size === 0) throw new ImportError('no logs there: files that end in .raw.txt or .log, named by their day');
  return [...files.values()].sort((a, b) => a.day - b.day || (a.name < b.name ? -1 : 1));
}

/** The reply links beside a log; null when there are none. */
export async function linksOf(file: IrcFile): Promise<Links | null> {
  const path = file.path.replace(LOG, '.annotation.txt');
  if (path === file.path) return null;
  try {
    return readLinks(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The channel that the first join line names; else the name of the folder. */
export async function channelOf(files: readonly IrcFile[]): Promise<string> {
  for (const file of files) {
    for await (const { lines } of readLines(file.path)) {
      for (const { text } of lines) {
        const channel = joinedChannel(text);
        if (channel) return channel;
      }
    }
  }
  return basename(dirname(files[0]?.path ?? ''));
}
