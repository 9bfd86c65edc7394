/** The bundle, which is what people start: it finds the files that were not bundled, and says where errors come from. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePlace, type Place } from './natter.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.close());

describe('the bundle', () => {
  it('serves the web app, and the documents with what they load', async () => {
    const { url } = await place.serve();
    for (const [path, words] of [
      ['/', '<div id="root"'],
      ['/docs', 'swagger-ui'],
      ['/docs/static/swagger-ui-bundle.js', 'SwaggerUIBundle'],
      ['/redoc/redoc.standalone.js', 'Redoc'],
      ['/openapi.json', '"openapi":"3.1'],
    ] as const) {
      const response = await fetch(url + path, { headers: { accept: 'text/html' } });
      expect([path, response.status]).toEqual([path, 200]);
      expect(await response.text()).toContain(words);
    }
    expect((await fetch(`${url}/docs/static/nothing.js`)).status).toBe(404);
  });

  it('names files and lines of the sources where something fails', async () => {
    // Where the lock of the folder belongs, stands another folder.
    mkdirSync(join(place.dir, 'data/natter.lock'), { recursive: true });
    const { code, err, out } = await place.natter(['serve'], { env: { LOG_LEVEL: 'debug' } });
    expect([code, err]).toEqual([1, expect.stringContaining('can not be written')]);
    const { stack } = JSON.parse(out.trim().split('\n').at(-1) ?? '').err as { stack: string };
    const [, source, line] = /at lockDataDir \(file:\/\/(\S+):(\d+):\d+\)/.exec(stack) ?? [];
    expect(source).toBe(join(ROOT, 'packages/server/src/admin/lock.ts'));
    const lines = readFileSync(source as string, 'utf8').split('\n');
    expect(lines[Number(line) - 1]).toContain('throw new Error(');
  });
});
