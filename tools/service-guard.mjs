// Outlives the process that started it by a moment: when that one is gone without having cleaned up (its end of the pipe
// closes), ends the servers it left running and removes their folders. Told by lines of JSON: {pid}
// (below zero: a process group), {folder}, {done: true}.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

let pids = [];
let folders = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone meanwhile.
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line);
  if (said.pid) pids.push(said.pid);
  if (said.folder) folders.push(said.folder);
  if (said.done) {
    pids = [];
    folders = [];
  }
}
// SIGINT is PostgreSQL's fast shutdown; NATS takes it too.
kill('SIGINT');
for (let waited = 0; waited < 5_000 && pids.some(alive); waited += 100) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
kill('SIGKILL');
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
