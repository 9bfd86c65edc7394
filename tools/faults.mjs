// `npm run faults -- --seed 5 --seconds 600 --faults node.kill,nats.freeze --report faults.json`: the fault test, as long as one likes.
import './node-version.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './workspaces.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    faults: { type: 'string' },
    report: { type: 'string' },
  },
});
const env = {
  ...process.env,
  NATTER_FAULTS_SECONDS: values.seconds,
  ...(values.seed ? { NATTER_FAULTS_SEED: values.seed } : {}),
  ...(values.faults ? { NATTER_FAULTS: values.faults } : {}),
  ...(values.report ? { NATTER_FAULTS_REPORT: values.report } : {}),
};
const test = join(ROOT, 'tools', 'test.mjs');
const child = spawn(process.execPath, [test, '--project', '@natter/server', 'test/faults/faults.test'], {
  cwd: ROOT,
  env,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('close', (code) => process.exit(code ?? 1));
