/** The rule of imports, held against a small house of the same layout: what a dialect may stand on, and what it may not. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SERVER = 'packages/server/src';
const DIALECT = `${SERVER}/dialects/001-one/one.ts`;

/** What exists in the house. */
const FILES = [
  'dialects/dialect.ts',
  'dialects/fastapi/api.ts',
  'dialects/002-other/other.ts',
  'core/execute.ts',
  'hub/hub.ts',
  'auth/accounts.ts',
  'websocket/wire.ts',
  'limits.ts',
  'log/log.ts',
  'store/store.ts',
  'store/sqlite.ts',
  'bus/bus.ts',
  'http/http.ts',
  'gateway/gateway.ts',
  'search/search.ts',
  'app.ts',
] as const;

const ALLOWED = new Set<string>(FILES.slice(0, 2).concat(FILES.slice(3, 8)));

interface Found {
  summary: { violations: { from: string; to: string; rule: { name: string } }[]; totalCruised: number };
}

it('lets a dialect import its port, core, hub, auth and what sockets share; no other dialect, no log, store, bus, and no other edge', async () => {
  const house = mkdtempSync(join(tmpdir(), 'natter-layers-'));
  try {
    for (const file of FILES) {
      const path = join(house, SERVER, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'export const thing = 1;\n');
    }
    mkdirSync(dirname(join(house, DIALECT)), { recursive: true });
    const lines = FILES.map((file, at) => `import { thing as t${at} } from '../../${file.replace(/\.ts$/, '.js')}';`);
    writeFileSync(
      join(house, DIALECT),
      `${lines.join('\n')}\nexport const all = [${FILES.map((_, at) => `t${at}`)}];\n`,
    );
    for (const file of ['.dependency-cruiser.mjs', 'tsconfig.base.json', 'package.json']) {
      cpSync(join(ROOT, file), join(house, file));
    }
    const cruise = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [cruise, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', SERVER];
    const said = await promisify(execFile)(process.execPath, args, { cwd: house }).catch(
      // Whoever finds something says so by its exit code too.
      (error: Error & { stdout: string }) => error,
    );
    const { violations, totalCruised } = (JSON.parse(said.stdout) as Found).summary;
    expect(totalCruised).toBeGreaterThanOrEqual(FILES.length + 1);
    const forbidden = violations.filter(({ from }) => from === DIALECT).map(({ to }) => to);
    expect(new Set(forbidden)).toEqual(
      new Set(FILES.filter((file) => !ALLOWED.has(file)).map((file) => `${SERVER}/${file}`)),
    );
    const other = violations.find(({ to }) => to === `${SERVER}/dialects/002-other/other.ts`);
    expect(other?.rule.name).toBe('dialects-apart');
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
});
