/** What the SDK weighs, and what it carries. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bundle } from './bundling.js';

describe('the bundle', () => {
  it('of the whole core is at most 12 kB gzipped', async () => {
    const { code } = await bundle("export * from '@natter/client';");
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(12_000);
  });

  it('carries nothing but the SDK and the constant tables of the protocol: no schema library, nothing of Node', async () => {
    const { code, files } = await bundle("export * from '@natter/client'; export * from '@natter/client/api';");
    const others = files.filter((file) => !/packages\/client\/dist\/[\w-]+\.js$/.test(file) && file !== '<stdin>');
    expect(others.filter((file) => !/packages\/protocol\/dist\/(close|errors)\.js$/.test(file))).toEqual([]);
    expect(code).not.toMatch(/typebox|~kind|additionalProperties|node:/);
  });

  it('with the typed routes is at most 1 kB more', async () => {
    const { code } = await bundle("export * from '@natter/client/api';");
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(1_000);
  });

  it('of the reducer alone is small: nothing of the connection comes with it', async () => {
    const { code, files } = await bundle("export * from '@natter/client/reducer';");
    expect(files.filter((file) => file !== '<stdin>').map((file) => file.split('/').at(-1))).toEqual(['reducer.js']);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(2_000);
  });
});
