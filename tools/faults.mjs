// `npm run faults -- --seed 5 --seconds 600 --faults node.kill,nats.freeze --report docs/faults/2026-11-21-seed-5.md`: the fault test,
// as long as one likes; the report is a page, or JSON where its name ends so.
// `npm run faults -- --bugs`: puts fourteen bugs into copies of the server, one after the other, and has the test find them;
// `--bugs keys` those with "keys" in their names.
import './node-version.mjs';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './workspaces.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bugs: { type: 'boolean', default: false },
    seed: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    faults: { type: 'string' },
    report: { type: 'string' },
  },
});
const env = {
  ...process.env,
  ...(values.bugs ? { NATTER_FAULTS_BUGS: positionals.join(' ') } : { NATTER_FAULTS_SECONDS: values.seconds }),
  ...(values.seed ? { NATTER_FAULTS_SEED: values.seed } : {}),
  ...(values.faults ? { NATTER_FAULTS: values.faults } : {}),
  ...(values.report ? { NATTER_FAULTS_REPORT: resolve(values.report) } : {}),
};
const test = join(ROOT, 'tools', 'test.mjs');
const child = spawn(
  process.execPath,
  [test, '--project', '@natter/server', values.bugs ? 'test/faults/bugs.test' : 'test/faults/faults.test'],
  {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('close', (code) => process.exit(code ?? 1));
