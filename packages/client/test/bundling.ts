/** The SDK as a browser gets it. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles what a module of these lines imports, minified; `files` are the modules that went in. */
export async function bundle(source: string): Promise<{ code: string; files: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return { code: outputFiles[0]?.text ?? '', files: Object.keys(metafile.inputs) };
}
