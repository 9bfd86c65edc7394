/** Answers to commands, and refusals, as frames of the native protocol. */
import { ERRORS, type ReplyFrame, type WireError } from '@natter/protocol';
import { type Refusal, type Reply, refuse } from '../core/actor.js';
import { jsonFrame } from '../websocket/wire.js';

export function replyFrame(id: number, reply: Reply): Buffer {
  if (!reply.ok) return refusalFrame(id, reply);
  return jsonFrame({ type: 'reply', id, result: reply.result } satisfies ReplyFrame);
}

/** `id` is null for a frame that has none, or that could not be read. */
export function refusalFrame(id: number | null, refusal: Refusal): Buffer {
  return jsonFrame({ type: 'reply', id, error: wireError(refusal) } satisfies ReplyFrame);
}

export function badFrame(id: number | null, detail: string): Buffer {
  return refusalFrame(id, refuse('bad_frame', detail));
}

function wireError({ code, detail, fields, retryAfter }: Refusal): WireError {
  const { title, retryable } = ERRORS[code];
  return {
    code,
    message: title,
    retryable,
    ...(detail === undefined ? {} : { detail }),
    ...(fields === undefined ? {} : { fields }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
