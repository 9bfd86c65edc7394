/** Time, passed in: the system's, or one that a test moves by hand. */

export interface Timer {
  close(): void;
}

export interface Clock {
  /** Milliseconds since 1970; may jump when somebody sets the clock. */
  now(): number;
  /** Milliseconds since some moment; never jumps, so what lasts is measured by it. */
  ticks(): number;
  after(milliseconds: number, call: () => void): Timer;
  every(milliseconds: number, call: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return { close: () => clearTimeout(timer) };
  },
  every(milliseconds, call) {
    const timer = setInterval(call, milliseconds);
    return { close: () => clearInterval(timer) };
  },
};
