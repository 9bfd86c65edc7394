// Refuses a Node that is too old, before anything that it could not read is loaded. Imported first by every command.
import { readFileSync } from 'node:fs';

const root = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const wanted = root.engines.node.replace('>=', '');
const [major, minor] = wanted.split('.').map(Number);
const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);

if (haveMajor < major || (haveMajor === major && haveMinor < (minor || 0))) {
  console.error(`Natter needs Node ${wanted} or newer; this is Node ${process.versions.node} (${process.execPath}).`);
  process.exit(2);
}
