// `npm run build`: installs what is missing and builds all workspaces.
import './node-version.mjs';
import { build, ensureInstalled, fail, Trouble } from './ensure.mjs';

try {
  await ensureInstalled((line) => console.error(line));
  const { ok, output } = await build();
  if (!ok) throw new Trouble(output.trim());
} catch (error) {
  fail(error);
}
