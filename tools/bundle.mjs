// Makes a bundle of what a workspace runs: a few files instead of a thousand, since loading those is most of what a start takes.
import { chmod, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';

/** With code for the machine, which is found by where its package lies. */
const NATIVE = ['@photostructure/sqlite', '@node-rs/argon2'];

/** CommonJS inside an ES module: its `require` is for what stays outside. */
const BANNER = `import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);`;

/** A package that looks for files of its own is told where it lies, wherever the bundle is by then. */
const ownFolders = (dir) => ({
  name: 'own folders',
  setup({ onLoad }) {
    const require = createRequire(join(dir, 'package.json'));
    onLoad({ filter: /[\\/]node_modules[\\/].*\.c?js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!/^(?!\s*(?:\*|\/\/)).*\b__(?:dirname|filename)\b/m.test(text)) return undefined;
      const [, root, name] = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/.exec(path);
      const manifest = `${name.split(sep).join('/')}/package.json`;
      if (require.resolve(manifest) !== join(root, 'package.json'))
        throw new Error(`${path} would look for its files in another version of ${name}`);
      const inside = relative(root, path).split(sep).join('/');
      const lines = [
        `var __filename = require('node:path').join(require.resolve(${JSON.stringify(manifest)}), '..', ${JSON.stringify(inside)});`,
        `var __dirname = require('node:path').dirname(__filename);`,
      ];
      return { contents: `${lines.join(' ')} ${text.replace(/^#!.*/, '')}`, loader: 'js', resolveDir: dirname(path) };
    });
  },
});

/** From the built files that the manifest names (`natter.bundle`) to as many, under the same names, in `bundle`. */
export async function makeBundle({ dir, manifest }) {
  // Loaded late: this file is read before anything is installed.
  const { build } = await import('esbuild');
  const to = join(dir, 'bundle');
  const fresh = `${to}.new`;
  await rm(fresh, { recursive: true, force: true });
  try {
    await build({
      absWorkingDir: dir,
      entryPoints: manifest.natter.bundle.map((file) => `dist/${file}`),
      outbase: 'dist',
      outdir: fresh,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: `node${/\d+/.exec(manifest.engines.node)[0]}`,
      external: NATIVE,
      banner: { js: BANNER },
      plugins: [ownFolders(dir)],
      // What they say themselves would be half of it.
      sourcemap: true,
      sourcesContent: false,
      legalComments: 'inline',
      logLevel: 'silent',
    });
  } catch (error) {
    return { ok: false, output: `${error.message}\n` };
  }
  await rm(to, { recursive: true, force: true });
  await rename(fresh, to);
  for (const file of Object.values(manifest.bin ?? {})) await chmod(join(dir, file), 0o755);
  return { ok: true, output: '' };
}
