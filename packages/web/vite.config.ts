/** How the app is built: hashed files, compressed ahead of time, and a page without anything inline. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { build, defineConfig, type Plugin } from 'vite';
import addresses from './src/addresses.json' with { type: 'json' };

/** Below this a compressed copy saves nothing that is worth a file. */
const SMALL = 512;
const TEXT = /\.(?:js|css|svg|json|webmanifest)$/;

/** What a start needs: all that runs, and the letters of the languages that most texts are in. Other letters come when they are read. */
const SHELL = /^assets\/.*\.(?:js|css)$|^assets\/[^/]*-latin-wght-[^/]*\.woff2$|^[^/.]*\.(?:png|webmanifest)$/;

/** The service worker: it knows by name what it serves, and is another one as soon as any of that is. */
function serviceWorker(): Plugin {
  let out = '';
  return {
    name: 'natter:service-worker',
    apply: 'build',
    configResolved: (config) => {
      out = join(import.meta.dirname, config.build.outDir);
    },
    closeBundle: {
      sequential: true,
      order: 'pre',
      handler: async () => {
        const names = readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();
        const files = names.filter((name) => SHELL.test(name));
        const digest = createHash('sha256');
        for (const name of ['index.html', ...files]) digest.update(name).update(readFileSync(join(out, name)));
        const [entry] = /assets\/index-[^"]+\.js/.exec(readFileSync(join(out, 'index.html'), 'utf8')) ?? [];
        if (!entry) throw new Error('the page names no script');
        const shell = {
          build: digest.digest('hex').slice(0, 16),
          entry,
          files: ['/favicon.ico', ...files.map((name) => `/${name}`)],
          addresses,
        };
        // The server answers the same addresses with the page.
        writeFileSync(join(out, 'addresses.json'), JSON.stringify(addresses));
        await build({
          configFile: false,
          root: import.meta.dirname,
          define: { SHELL: JSON.stringify(shell) },
          logLevel: 'warn',
          build: {
            outDir: out,
            emptyOutDir: false,
            copyPublicDir: false,
            reportCompressedSize: false,
            lib: { entry: 'src/worker/sw.ts', formats: ['iife'], name: 'worker', fileName: () => 'sw.js' },
          },
        });
      },
    },
  };
}

/** Beside each text file stand its compressed copies: the server picks what the browser takes. */
function compress(): Plugin {
  let out = '';
  return {
    name: 'natter:compress',
    apply: 'build',
    configResolved: (config) => {
      out = config.build.outDir;
    },
    closeBundle: {
      sequential: true,
      order: 'post',
      handler: () => {
        const folder = join(import.meta.dirname, out);
        for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
          if (!TEXT.test(name)) continue;
          const file = join(folder, name);
          const bytes = readFileSync(file);
          if (bytes.length < SMALL) continue;
          writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
          const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
          writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
        }
      },
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), serviceWorker(), compress()],
  build: {
    outDir: 'dist',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
  logLevel: 'warn',
});
