/**
 * What came of a batch, as it goes from the writing thread to the one that asked: only what that one cannot know. Whole
 * outcomes would carry every body back to where it came from, and cost both threads more than the question did.
 */
import type { EventId, Seq } from '@natter/protocol';
import type { Entry, Outcome, StoredEvent } from './store.js';

export interface ShortOutcomes {
  /** Id of the first event that was committed; those of the others follow, one by one. */
  first: EventId;
  /** Of all events that were committed, in order. */
  seqs: Seq[];
  /** Bodies that the commit completed, by place in `seqs`. */
  bodies: [number, string][];
  /** Of entries that were not committed, by place in the batch. */
  others: [number, Outcome][];
}

export function shorten(batch: readonly Entry[], outcomes: readonly Outcome[]): ShortOutcomes {
  const short: ShortOutcomes = { first: 0, seqs: [], bodies: [], others: [] };
  for (let at = 0; at < outcomes.length; at += 1) {
    const outcome = outcomes[at] as Outcome;
    if (outcome.kind !== 'committed') {
      short.others.push([at, outcome]);
      continue;
    }
    const { drafts } = batch[at] as Entry;
    for (let index = 0; index < drafts.length; index += 1) {
      const event = outcome.events[index] as StoredEvent;
      if (short.seqs.length === 0) short.first = event.id;
      if (event.id !== short.first + short.seqs.length) throw new Error('ids of one commit do not follow each other');
      if (drafts[index]?.answers) short.bodies.push([short.seqs.length, event.body]);
      short.seqs.push(event.seq);
    }
  }
  return short;
}

export function lengthen(batch: readonly Entry[], { first, seqs, bodies, others }: ShortOutcomes): Outcome[] {
  const completed = new Map(bodies);
  const notCommitted = new Map(others);
  let next = 0;
  return batch.map(({ actor, at, drafts }, place) => {
    const other = notCommitted.get(place);
    if (other) return other;
    const events = drafts.map(({ stream, type, body }): StoredEvent => {
      const index = next;
      next += 1;
      return {
        id: first + index,
        stream,
        seq: seqs[index] as Seq,
        type,
        actor,
        at,
        body: completed.get(index) ?? JSON.stringify(body),
      };
    });
    return { kind: 'committed', events };
  });
}
