/** The wire contract of Natter, imported by all packages. Imports nothing of ours. */
export * from './close.js';
export * from './commands.js';
export * from './errors.js';
export * from './events.js';
export * from './frames.js';
export * from './ids.js';
export * from './resources.js';
