/** The version that is running, as its package names it. */
import { createRequire } from 'node:module';
import { PACKAGE } from './places.js';

const manifest: { version: string } = createRequire(PACKAGE)('./package.json');

export const VERSION = manifest.version;
