/** What a browser has to load before the first screen. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const html = readFileSync(`${DIST}index.html`, 'utf8');

describe('the first load', () => {
  it('is under 200 kB of JavaScript, gzipped', () => {
    const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file as string);
    expect(files.length).toBeGreaterThan(0);
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(DIST + file), { level: 9 }).length, 0);
    expect(bytes).toBeLessThan(200_000);
  });

  it('has nothing inline, and nothing from elsewhere', () => {
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=/);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('has each text file compressed beside it', () => {
    const files = readdirSync(`${DIST}assets`);
    for (const file of files.filter((name) => /\.(?:js|css)$/.test(name))) {
      if (readFileSync(`${DIST}assets/${file}`).length < 512) continue;
      expect(files).toContain(`${file}.br`);
      expect(files).toContain(`${file}.gz`);
    }
  });
});
