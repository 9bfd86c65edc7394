/** The files of deploy/ and the settings that they name are held in step. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingRows } from '@natter/server/config';
import { DEFAULT_LIMITS } from '@natter/server/limits';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../../deploy/${name}`, import.meta.url)), 'utf8');

const SETTINGS = new Set(settingRows().map(({ name }) => name));
/** Of others: Node’s own, those of images, and what a person fills in. */
const OTHERS = new Set(['NODE_ENV', 'SITE', 'POSTGRES_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD', 'NATS_TOKEN']);

/** Names that are given a value: `NAME: value`, `NAME=value`, `${NAME…}`. */
function namesIn(text: string): string[] {
  const code = text.replace(/^\s*#.*$/gm, '');
  return [...code.matchAll(/(?:\$\{|^|[\s"])([A-Z][A-Z_]{3,})(?=\s*[:=])/gm)].map(([, name]) => name as string);
}

const seconds = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

describe('files to deploy with', () => {
  it.each(['Dockerfile', 'compose.yml', 'compose.cluster.yml', 'natter.service'])(
    '%s names settings that there are',
    (file) => {
      const names = namesIn(read(file));
      expect(names.filter((name) => SETTINGS.has(name))).toContain('DATA_DIR');
      expect(names.filter((name) => !SETTINGS.has(name) && !OTHERS.has(name))).toEqual([]);
    },
  );

  it.each([
    ['compose.yml', /stop_grace_period: (\d+)s/],
    ['compose.cluster.yml', /stop_grace_period: (\d+)s/],
    ['natter.service', /TimeoutStopSec=(\d+)/],
  ])('%s gives a stop the time to drain', (file, pattern) => {
    expect(seconds(read(file), pattern)).toBeGreaterThan(DEFAULT_LIMITS.SHUTDOWN_SECONDS);
  });

  it('nginx keeps a silent socket for longer than Natter does', () => {
    expect(seconds(read('nginx.conf'), /proxy_read_timeout (\d+)s/)).toBeGreaterThan(
      2 * DEFAULT_LIMITS.HEARTBEAT_SECONDS,
    );
  });
});
