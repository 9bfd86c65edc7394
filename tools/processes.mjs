// Starts other programs, and waits for them.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './workspaces.mjs';

/** Runs a program to its end and gathers what it says. Never throws: a program that is not there has code 127. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const started = Date.now();
    let output = '';
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const done = (code) => resolve({ code, output, ms: Date.now() - started });
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => {
      output += `${error.message}\n`;
      done(127);
    });
    child.on('close', (code, signal) => done(code ?? (signal ? 1 : 0)));
  });
}

/** Runs the program of an installed package, by its file: no shell and no npx between. */
export function runBin(file, args, options) {
  return run(process.execPath, [join(ROOT, 'node_modules', file), ...args], options);
}

export const runTsc = (args) => runBin('typescript/bin/tsc', args);

/** Runs npm: the one that started us, if one did. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('npm-cli.js')) return run(process.execPath, [npm, ...args], options);
  const windows = process.platform === 'win32';
  return run(windows ? 'npm.cmd' : 'npm', args, { shell: windows, ...options });
}

/** Where a program is: its path, or undefined. */
export function which(...names) {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  for (const name of names) {
    for (const dir of dirs) if (dir !== '' && existsSync(join(dir, name))) return join(dir, name);
  }
  return undefined;
}

/** Says something, and again every 20 s, while a promise is under way. */
export async function saying(say, what, promise) {
  say(`${what} …`);
  const started = Date.now();
  const timer = setInterval(() => say(`… still at it after ${Math.round((Date.now() - started) / 1000)} s`), 20_000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
