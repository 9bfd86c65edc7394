/** The first example of the README, run as it stands. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWholeServer, type WholeServer } from './whole-server.js';

let server: WholeServer;

beforeAll(async () => {
  server = await openWholeServer();
});

afterAll(async () => {
  await server.close();
});

describe('the README', () => {
  it('shows two people who talk', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const [, example] = /<!-- runs -->\n```js\n([\s\S]*?)```/.exec(readme) ?? [];
    if (!example) throw new Error('the README has no example that runs');
    // Beside the tests, so that it finds the packages.
    const file = fileURLToPath(new URL(`./.readme-${process.pid}.mjs`, import.meta.url));
    writeFileSync(file, example.replace('http://localhost:8000', server.url));
    try {
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect([said, code]).toEqual(['bob hears: hello, bob\n', 0]);
    } finally {
      rmSync(file);
    }
  });
});
