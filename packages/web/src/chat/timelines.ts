/** The timelines of the rooms that were opened last: they stay in memory, so that going back to a room is at once. */
import type { NatterClient, Timeline } from '@natter/client';

import { KEPT_ROOMS } from './device.js';

/** Those that are kept on this device are those that are open. */
const OPEN_MAX = KEPT_ROOMS;

export class Timelines {
  readonly #client: NatterClient;
  /** In the order in which they were opened last. */
  readonly #open = new Map<number, Timeline>();

  constructor(client: NatterClient) {
    this.#client = client;
    for (const timeline of client.timelines) this.#open.set(timeline.room, timeline);
  }

  get(room: number): Timeline {
    const timeline = this.#client.timeline(room);
    this.#open.delete(room);
    this.#open.set(room, timeline);
    if (this.#open.size > OPEN_MAX) {
      const [[oldest, closing]] = this.#open as unknown as [[number, Timeline]];
      this.#open.delete(oldest);
      closing.close();
    }
    return timeline;
  }
}
