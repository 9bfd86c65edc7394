// A vitest reporter that writes how many tests passed, failed and were skipped to the file named by NATTER_TEST_COUNT.
// What breaks outside of a test (a file that cannot be loaded, a hook, an error that nobody caught) counts as failed.
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'skipped') count.skipped += 1;
        else failedInside += 1;
      }
      // A test that never came to an end counts as failed too, as does a file that failed with no test to show for it.
      if (failedInside === 0 && module.state() !== 'passed' && module.state() !== 'skipped') failedInside = 1;
      count.failed += failedInside;
    }
    const file = process.env.NATTER_TEST_COUNT;
    if (file) writeFileSync(file, JSON.stringify(count));
  }
}
