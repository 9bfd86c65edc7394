/**
 * Power cuts, replayed: every write and sync that SQLite did is recorded, and disks are rebuilt as they could be after a
 * cut at any moment. What was synced is there; what was not may be there, missing, or there in part, in any order.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteConnection } from '@natter/server/store/sqlite-connection';
import { expect } from 'vitest';

const RECORDER = fileURLToPath(new URL('./recorder.c', import.meta.url));
const WRITER = fileURLToPath(new URL('./writer.mjs', import.meta.url));
export const COMMITS = 200;
/** What a disk writes as a whole. */
const SECTOR = 512;

type Operation =
  | { kind: 'write'; file: string; offset: number; bytes: Buffer }
  | { kind: 'truncate'; file: string; size: number }
  | { kind: 'sync'; file: string }
  | { kind: 'unlink'; file: string };

/** A recorder, and a folder for the disks. */
export class PowerCuts {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'natter-power-')));
  readonly #library = join(this.#folder, 'recorder.so');

  constructor() {
    const compiled = spawnSync(
      process.env.CC ?? 'cc',
      ['-shared', '-fPIC', '-O1', '-w', '-o', this.#library, RECORDER, '-ldl', '-lpthread'],
      { encoding: 'utf8' },
    );
    if (compiled.error) throw new Error('a C compiler is needed for this test (Debian: apt-get install gcc libc6-dev)');
    if (compiled.status !== 0) throw new Error(`the recorder can't be compiled:\n${compiled.stderr}`);
  }

  /** What is left after so many cuts of a writer's power. `dist`: the built server whose store it writes to. */
  replay(name: string, dist: string, disks: number, seed: number): Verdict {
    const operations = this.#recorded(name, join(dist, 'store'));
    return cutPower(join(this.#folder, 'disk'), operations, disks, seed);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs the writer under the recorder, on a built store, and reads what it did to its files. */
  #recorded(name: string, store: string): Operation[] {
    const disk = join(this.#folder, name);
    const file = join(this.#folder, `${name}.record`);
    mkdirSync(disk);
    execFileSync(process.execPath, [WRITER, disk, String(COMMITS), store], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { PATH: process.env.PATH, LD_PRELOAD: this.#library, RECORD_FOLDER: disk, RECORD_FILE: file },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const record = readFileSync(file);
    const names = new Map<number, string>();
    const operations: Operation[] = [];
    for (let at = 0; at < record.length; ) {
      const kind = String.fromCharCode(record[at] as number);
      const fd = record.readUInt32LE(at + 1);
      const offset = Number(record.readBigUInt64LE(at + 5));
      const length = record.readUInt32LE(at + 13);
      const bytes = record.subarray(at + 17, at + 17 + length);
      at += 17 + length;
      const path = names.get(fd) ?? '';
      // The index of the write-ahead log is made anew after a crash: nothing rests on it.
      if (kind === 'o') names.set(fd, basename(bytes.toString()));
      else if (kind === 'u') operations.push({ kind: 'unlink', file: basename(bytes.toString()) });
      else if (path.endsWith('-shm')) continue;
      else if (kind === 'w') operations.push({ kind: 'write', file: path, offset, bytes });
      else if (kind === 't') operations.push({ kind: 'truncate', file: path, size: offset });
      else if (kind === 's') operations.push({ kind: 'sync', file: path });
    }
    return operations;
  }
}

/** A seeded source of numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One file of the disk: what surely survives, and what was written since its last sync. */
class DiskFile {
  #synced: Buffer = Buffer.alloc(0);
  #pending: Operation[] = [];

  do(operation: Operation): void {
    if (operation.kind !== 'sync') {
      this.#pending.push(operation);
      return;
    }
    for (const one of this.#pending) this.#synced = apply(this.#synced, one);
    this.#pending = [];
  }

  /** As a cut could leave it. `survives`: how likely a sector that was not synced is on the disk. */
  afterCut(chance: () => number, survives: number): Buffer {
    let bytes: Buffer = Buffer.from(this.#synced);
    for (const one of this.#pending) {
      if (one.kind === 'truncate') {
        if (chance() < survives) bytes = apply(bytes, one);
      } else if (one.kind === 'write') {
        for (let from = 0; from < one.bytes.length; from += SECTOR) {
          if (chance() >= survives) continue;
          bytes = apply(bytes, { ...one, offset: one.offset + from, bytes: one.bytes.subarray(from, from + SECTOR) });
        }
      }
    }
    return bytes;
  }
}

function apply(bytes: Buffer, operation: Operation): Buffer {
  if (operation.kind === 'truncate') {
    const cut = Buffer.alloc(operation.size);
    bytes.copy(cut, 0, 0, Math.min(bytes.length, operation.size));
    return cut;
  }
  if (operation.kind !== 'write') return bytes;
  const end = operation.offset + operation.bytes.length;
  const grown = end > bytes.length ? Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]) : bytes;
  operation.bytes.copy(grown, operation.offset);
  return grown;
}

export interface Verdict {
  lost: number;
  corrupt: number;
  cuts: number;
  acknowledged: number;
}

/** Cuts the power at seeded moments, opens what is left with the store itself, and compares. */
function cutPower(disk: string, operations: readonly Operation[], disks: number, seed: number): Verdict {
  const chance = random(seed);
  const moments = Array.from({ length: disks }, () => Math.floor(chance() * operations.length)).sort((a, b) => a - b);
  const files = new Map<string, DiskFile>();
  /** Removed, but not for sure: file systems keep the order of such changes, so the next sync of any file makes it so. */
  const removed = new Map<string, DiskFile>();
  const acknowledged: { seq: number; id: number }[] = [];
  const verdict: Verdict = { lost: 0, corrupt: 0, cuts: 0, acknowledged: 0 };
  let done = 0;
  for (const moment of moments) {
    for (; done < moment; done += 1) {
      const operation = operations[done] as Operation;
      if (operation.file === 'acknowledged') {
        if (operation.kind !== 'write') continue;
        const [seq, id] = operation.bytes.toString().split(' ').map(Number);
        acknowledged.push({ seq: seq as number, id: id as number });
        continue;
      }
      if (operation.kind === 'sync') removed.clear();
      let file = files.get(operation.file);
      if (operation.kind === 'unlink') {
        if (file) removed.set(operation.file, file);
        files.delete(operation.file);
        continue;
      }
      if (!file) {
        file = new DiskFile();
        files.set(operation.file, file);
      }
      file.do(operation);
    }
    verdict.cuts += 1;
    verdict.acknowledged = acknowledged.length;
    rmSync(disk, { recursive: true, force: true });
    mkdirSync(disk);
    const survives = [0, 0.5, 0.9, 1][Math.floor(chance() * 4)] as number;
    for (const [name, file] of removed) {
      if (chance() < 0.5) writeFileSync(join(disk, name), file.afterCut(chance, survives));
    }
    for (const [name, file] of files) writeFileSync(join(disk, name), file.afterCut(chance, survives));
    judge(disk, acknowledged, verdict);
  }
  return verdict;
}

function judge(disk: string, acknowledged: readonly { seq: number; id: number }[], verdict: Verdict): void {
  let connection: SqliteConnection | null = null;
  try {
    connection = SqliteConnection.openWriter(join(disk, 'natter.db'));
    const [check] = connection.query('pragma integrity_check', []);
    if (check?.integrity_check !== 'ok') throw new Error(String(check?.integrity_check));
    const events = connection.query('select seq, id from events where stream = 2 order by seq', []);
    const ids = new Map(events.map(({ seq, id }) => [Number(seq), Number(id)]));
    // [L2] What is there has no hole, and the head is where the log ends.
    expect([...ids.keys()]).toEqual(events.map((_, index) => index + 1));
    const [head] = connection.query('select head from streams where id = 2', []);
    expect(Number(head?.head ?? 0)).toBe(events.length);
    const missing = acknowledged.filter(({ seq, id }) => ids.get(seq) !== id);
    if (missing.length > 0) verdict.lost += 1;
  } catch (error) {
    if ((error as Error).name === 'AssertionError') throw error;
    verdict.corrupt += 1;
  } finally {
    connection?.close();
  }
}
