// The order of test files: the longest first, so that no core waits for one that began last. On a machine where they ran
// before vitest knows how long each took; elsewhere it goes by their size, and some that take long are short to read.
import { BaseSequencer } from 'vitest/node';

const LONG = [
  /web\/test\/axe/,
  /web\/test\/offline/,
  /client\/test\/tabs/,
  /bench\/test\/dialects/,
  /server\/test\/faults\/(faults|kill|power-loss)/,
  /server\/test\/cli\/(cli|workers)/,
  /server\/test\/followers/,
  /server\/test\/transfer/,
  /server\/test\/dialects\/(hostile|003-contract)/,
  /server\/test\/store\/(sqlite|postgres)\.test/,
  /server\/test\/simulation/,
];

const isLong = ({ moduleId }) => LONG.some((name) => name.test(moduleId));

export default class LongFirst extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
