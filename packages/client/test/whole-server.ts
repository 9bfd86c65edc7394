/** The whole server as a process of its own: what it is made of is not the SDK's business. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../server/bundle/main.js', import.meta.url));

export interface WholeServer {
  url: string;
  /** Stops it; what it has stored stays until `close`. */
  stop(): Promise<void>;
  /** Starts it again, where it was. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function openWholeServer(): Promise<WholeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'natter-whole-'));
  const port = await freePort();
  const env = {
    ...process.env,
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    PORT: String(port),
    CORS_ORIGINS: '*',
    LIMITS: 'off',
  };
  let stop = async (): Promise<void> => {};
  const start = async (): Promise<void> => {
    const child = spawn(process.execPath, [MAIN], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer): void => {
        said += chunk;
        if (said.includes('is ready at')) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('close', (code) => reject(new Error(`the server ended with code ${code}:\n${said}`)));
    });
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    stop: () => stop(),
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
