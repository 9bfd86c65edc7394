/** Places that can't be written to or read from: said at once and in words, and nothing is lost or half there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlace, type Place } from './natter.js';

let place: Place;
let database: string;
const at = (name: string): string => join(place.dir, name);

beforeAll(async () => {
  place = makePlace();
  database = join(place.dir, 'data', 'natter.db');
  expect((await place.natter(['user', 'create', 'ann', '--no-password'])).code).toBe(0);
  mkdirSync(at('folder'));
  writeFileSync(at('file'), 'not a folder');
  mkdirSync(at('other'));
  writeFileSync(at('other/natter.db'), 'of somebody else');
  expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0);
});
afterAll(() => place.close());

/** All that lies there, but what SQLite keeps beside a database that was read. */
const files = (): string[] =>
  readdirSync(place.dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/natter\.db-(wal|shm)$/.test(name))
    .sort();

const ON_LINUX = process.platform === 'linux';

describe('natter refuses', () => {
  it.each<[string, () => string[], RegExp, 1 | 2]>([
    ...(ON_LINUX
      ? ([
          [
            'a move below /proc',
            () => ['move', '--to', 'sqlite:/proc/natter/natter.db'],
            /the folder \/proc\/natter can not be made/,
            1,
          ],
          [
            'a move into /proc',
            () => ['move', '--to', 'sqlite:/proc/natter.db'],
            /\/proc\/natter\.lock can not be written/,
            1,
          ],
          [
            'a backup into /proc',
            () => ['backup', '/proc/natter.db'],
            /\/proc\/natter\.db\.partial can not be written/,
            1,
          ],
          [
            'data below /proc',
            () => ['--data-dir', '/proc/natter', 'migrate'],
            /the folder \/proc\/natter can not be made/,
            2,
          ],
          ['keys below /proc', () => ['nats-keys', '/proc/natter'], /the folder \/proc\/natter can not be made/, 1],
          ['a backup over a device', () => ['backup', '/dev/full'], /\/dev\/full is there already/, 1],
          ['a restore of a device', () => ['restore', '/dev/zero', '--replace', '--yes'], /\/dev\/zero is no file/, 1],
        ] as [string, () => string[], RegExp, 1][])
      : []),
    ['a move over a folder', () => ['move', '--to', `sqlite:${at('folder')}`], /folder is no file/, 1],
    ['a move below a file', () => ['move', '--to', `sqlite:${at('file')}/natter.db`], /file is no folder/, 1],
    [
      'a move over what is of somebody else',
      () => ['move', '--to', `sqlite:${at('other/natter.db')}`],
      /natter\.db is no store of Natter/,
      1,
    ],
    ['a move over a pipe', () => ['move', '--to', `sqlite:${at('pipe')}`], /pipe is no file/, 1],
    [
      'a move from nowhere',
      () => ['move', '--from', `sqlite:${at('nothing.db')}`, '--to', 'sqlite:x.db'],
      /there is no .*nothing\.db/,
      1,
    ],
    ['a backup over a folder', () => ['backup', at('folder')], /folder is there already/, 1],
    ['a backup below a file', () => ['backup', at('file/backup.db')], /backup\.db\.partial can not be written/, 1],
    ['a backup into no folder', () => ['backup', at('nowhere/backup.db')], /backup\.db\.partial can not be written/, 1],
    ['a restore of a folder', () => ['restore', at('folder'), '--replace', '--yes'], /folder is no file/, 1],
    ['a restore of a pipe', () => ['restore', at('pipe'), '--replace', '--yes'], /pipe is no file/, 1],
    ['a restore of nothing', () => ['restore', at('nothing'), '--replace', '--yes'], /there is no .*nothing/, 2],
    ['an import of nothing', () => ['import', 'irc', at('nothing')], /there is no .*nothing/, 2],
    ['an import of an empty folder', () => ['import', 'irc', at('folder')], /no logs there/, 2],
  ])('%s', async (_name, args, why, code) => {
    const before = readFileSync(database);
    const there = files();
    const ran = await place.natter(args());
    expect(ran.err).toMatch(why);
    expect(ran.code).toBe(code);
    expect(readFileSync(database).equals(before)).toBe(true);
    expect(files()).toEqual(there);
  });
});

describe('without room for it', () => {
  /** A process may write this many kilobytes to a file: not all of a store. */
  const cramped = (args: string) =>
    spawnSync('sh', ['-c', `ulimit -f 100; exec "$@"`, 'sh', process.execPath, ...natter(args)], {
      cwd: place.dir,
      env: { PATH: process.env.PATH, DATA_DIR: join(place.dir, 'data'), LOG_LEVEL: 'silent' },
      encoding: 'utf8',
      timeout: 20_000,
    });
  const natter = (args: string): string[] => [join(import.meta.dirname, '../../bundle/cli.js'), ...args.split(' ')];

  it('a backup and a move end with a reason, leave nothing that looks whole, and are made once there is', async () => {
    const backup = cramped(`backup ${at('backup.db')}`);
    expect(backup.stderr).toMatch(/backup\.db\.partial can not be written: is there room for it\?/);
    expect(backup.status).toBe(1);
    expect(readdirSync(place.dir).filter((name) => name.startsWith('backup'))).toEqual([]);
    const to = `move --to sqlite:${at('moved/natter.db')}`;
    const move = cramped(to);
    expect(move.stderr).toMatch(/natter\.db\.partial can not be written: is there room for it\?/);
    expect(move.status).toBe(1);
    expect(existsSync(at('moved/natter.db'))).toBe(false);
    const [made, moved] = [await place.natter(['backup', at('backup.db')]), await place.natter(to.split(' '))];
    expect([made.code, moved.code], made.err + moved.err).toEqual([0, 0]);
  });
});
