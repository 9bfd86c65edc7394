/** What machine this is, and what was measured on it: stands beside every figure. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Contestant } from './servers/server.js';

export interface Machine {
  date: string;
  processor: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  commit: string;
}

function osName(): string {
  const found = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'));
  return found?.[1] ?? 'Linux';
}

function commit(): string {
  const git = (...args: string[]): string =>
    spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).stdout ?? '';
  const head = git('rev-parse', '--short', 'HEAD').trim();
  if (head === '') return 'unknown';
  return git('status', '--porcelain', '--', '../../server/src', '../../protocol/src').trim() === ''
    ? head
    : `${head} and changes not committed`;
}

export function machine(): Machine {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${osName()}, Linux ${release()}`,
    node: process.version,
    commit: commit(),
  };
}

export function versions(contestants: readonly Contestant[]): Record<string, string> {
  return Object.fromEntries(contestants.map((each) => [each.name, each.version()]));
}
