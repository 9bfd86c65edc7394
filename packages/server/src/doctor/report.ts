/** What a doctor has found: every difference is counted, and the first ones of each check are kept. */

export interface Finding {
  check: string;
  text: string;
}

/** Kept of each check; beyond it they are only counted. */
const KEPT = 100;

export class Report {
  readonly findings: Finding[] = [];
  readonly #counts = new Map<string, number>();

  add(check: string, text: string): void {
    const count = (this.#counts.get(check) ?? 0) + 1;
    this.#counts.set(check, count);
    if (count <= KEPT) this.findings.push({ check, text });
  }

  get total(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }

  /** How many of each check were found. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
