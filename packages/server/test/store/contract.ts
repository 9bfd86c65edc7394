/** What every store driver promises, in one suite: run for each of them. */
import { describe } from 'vitest';
import { describeCommit } from './contract-commit.js';
import { describeDeletion } from './contract-deletion.js';
import { describeKeeping } from './contract-keeping.js';
import { describeProjections } from './contract-projections.js';
import type { MakeSite } from './site.js';

export function describeStore(name: string, make: MakeSite): void {
  describe(`the ${name} store`, () => {
    describe('commits', () => describeCommit(make));
    describe('projections', () => describeProjections(make));
    describe('deletion', () => describeDeletion(make));
    describe('keeping', () => describeKeeping(make));
  });
}
