// `npm run natter -- …`: the command line of the server. Installs and builds in silence, so that its output stays its own.
import './node-version.mjs';
import { become, ensureReady, fail } from './ensure.mjs';

try {
  await ensureReady(() => {});
  await become('packages/server/bundle/cli.js');
} catch (error) {
  fail(error);
}
