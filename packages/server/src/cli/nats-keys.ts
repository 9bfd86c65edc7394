/** `natter nats-keys`: writes what a NATS server in operator mode, the nodes, and whoever signs for followers need. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '../folders.js';
import type { Session } from './commands.js';
import { safe } from './print.js';
import { CliError } from './reach.js';

export async function makeNatsKeys({ config, printer }: Session, folder: string): Promise<number> {
  const { makeOperatorFiles } = await import('../followers/operator.js');
  const place = resolve(folder);
  makeFolder(place);
  if (readdirSync(place).length > 0) throw new CliError(`${place} is not empty: keys that are in use would be lost`);
  const { files, account } = makeOperatorFiles(config.nats?.prefix ?? 'natter', Math.floor(Date.now() / 1_000));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content, { mode: 0o600 });
  printer.line(`Made in ${safe(place)}: ${Object.keys(files).join(', ')}`);
  printer.line('Start NATS with nats.conf, and set on every node:');
  printer.line(`NATS_CREDENTIALS_FILE=${safe(join(place, 'nodes.creds'))}`);
  printer.line(`NATS_SIGNING_SEED_FILE=${safe(join(place, 'signing.seed'))}`);
  printer.line(`NATS_ACCOUNT=${account}`);
  printer.line('The other seeds are not needed to run: keep them somewhere else.');
  return 0;
}
