// `npm start`: installs and builds what is missing or out of date, then runs the server.
import './node-version.mjs';
import { become, ensureReady, fail } from './ensure.mjs';

try {
  await ensureReady((line) => console.error(line));
  await become('packages/server/bundle/main.js');
} catch (error) {
  fail(error);
}
