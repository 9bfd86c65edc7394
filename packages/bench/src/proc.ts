/** Readings of the Linux kernel: processor time, memory, busy cores, and who listens on a port. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ticks a second in /proc; fixed at 100 for user space on Linux. */
const TICKS = 100;

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A process or thread may end while it is looked at.
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/** A process and all that it started, directly or not, and that still live. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (let i = 0; i < tree.length; i += 1) {
    for (const thread of list(`/proc/${tree[i]}/task`)) {
      const children = read(`/proc/${tree[i]}/task/${thread}/children`) ?? '';
      for (const child of children.split(' ')) if (child !== '') tree.push(Number(child));
    }
  }
  return tree;
}

/** Seconds of processor (user and system) that a process, its threads and its children have used. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const each of processTree(pid)) {
    const stat = read(`/proc/${each}/stat`);
    if (stat === null) continue;
    // The name stands in brackets and may hold anything; the fields follow the last one. utime, stime, cutime, cstime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const index of [11, 12, 13, 14]) ticks += Number(fields[index]);
  }
  return ticks / TICKS;
}

/** Bytes of memory that a process and its children have in RAM. */
export function residentBytes(pid: number): number {
  let bytes = 0;
  for (const each of processTree(pid)) {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${each}/status`) ?? '');
    if (found) bytes += Number(found[1]) * 1_024;
  }
  return bytes;
}

/** Seconds that one core was busy since the machine started, interrupts and stolen time included. */
export function coreBusySeconds(core: number): number {
  const found = new RegExp(`^cpu${core} (.*)$`, 'm').exec(read('/proc/stat') ?? '');
  if (!found?.[1]) throw new Error(`/proc/stat tells nothing of core ${core}`);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = found[1].split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS;
}

/** The processes among `pids` that listen on a TCP port, and whether anybody else does. */
export function listeners(port: number, pids: readonly number[]): { ours: boolean; others: boolean } {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (read(table) ?? '').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && fields[1]?.endsWith(`:${wanted}`) && fields[9]) inodes.add(fields[9]);
    }
  }
  const all = inodes.size;
  for (const pid of pids) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode) inodes.delete(inode);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
  return { ours: inodes.size < all, others: inodes.size > 0 };
}
