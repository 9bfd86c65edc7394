/** What a rule answers: drafts to commit, a refusal, or that it is already so. Rules are pure [R1]. */
import type { ErrorCode, ErrorDetail, StreamId } from '@natter/protocol';
import type { Claim, Draft, Entry } from '../store/store.js';

export type Decision =
  | {
      kind: 'commit';
      drafts: readonly Draft[];
      claims?: readonly Claim[];
      releases?: readonly Claim[];
      expectMarkers?: Entry['expectMarkers'];
    }
  | { kind: 'unchanged'; stream: StreamId }
  | { kind: 'refused'; code: ErrorCode; detail?: ErrorDetail };

export function commit(...drafts: Draft[]): Decision {
  return { kind: 'commit', drafts };
}

export function unchanged(stream: StreamId): Decision {
  return { kind: 'unchanged', stream };
}

export function refused(code: ErrorCode, detail?: string): Decision {
  return { kind: 'refused', code, ...(detail === undefined ? {} : { detail: { detail } }) };
}

/** A member of the input that has the right type and a wrong value. */
export function invalid(path: string, message: string): Decision {
  return { kind: 'refused', code: 'invalid', detail: { fields: [{ path, message }] } };
}
