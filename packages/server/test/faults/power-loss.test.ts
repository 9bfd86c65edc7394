/** What is acknowledged survives the power, and so it is with nothing but the setting that it rests on. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plant } from '../mutant.js';
import { CARELESS } from './bugs.js';
import { COMMITS, PowerCuts } from './power-cuts.js';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const DISKS = Number(process.env.NATTER_DISKS ?? 200);
const SEED = Number(process.env.NATTER_SEED ?? 20_261_120);

let cuts: PowerCuts;
beforeAll(() => {
  cuts = new PowerCuts();
});
afterAll(() => cuts?.remove());

describe('power loss', () => {
  it(`[L1] nothing acknowledged is lost on any of ${DISKS} disks, and every one opens whole (seed ${SEED})`, () => {
    const verdict = cuts.replay('full', DIST, DISKS, SEED);
    expect(verdict).toMatchObject({ lost: 0, corrupt: 0, cuts: DISKS });
    expect(verdict.acknowledged).toBeGreaterThan(COMMITS);
  }, 120_000);

  it(`the same cuts lose acknowledged messages without the setting: the replay can tell (seed ${SEED})`, () => {
    const careless = plant(CARELESS.changes);
    try {
      expect(cuts.replay('normal', careless.dist, Math.min(DISKS, 60), SEED).lost).toBeGreaterThan(0);
    } finally {
      careless.remove();
    }
  }, 120_000);
});
