/** Processes that a test started. */
import type { ChildProcess } from 'node:child_process';

/** Ends it by a signal, frozen or not, and waits for its end; answers its exit code. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGCONT');
  child.kill(signal);
  return ended;
}
