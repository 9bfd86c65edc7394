/** Where the files lie that the server is made of: alike for the modules in `dist` and for the bundle that is made of them. */

/** What was built and is running: `dist` or `bundle`. */
export const BUILT = new URL('./', import.meta.url);
/** The package: its manifest, its assets. */
export const PACKAGE = new URL('../', BUILT);
