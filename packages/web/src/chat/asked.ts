/** One answer of the server: on the way, here, or failed. */
import { NatterError } from '@natter/client';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Asked<T> {
  /** Null until the answer is here. */
  readonly answer: T | null;
  readonly error: NatterError | null;
  /** Asks again; what is shown stays until the answer is here. */
  again(): void;
}

/** `key` names what is asked for: another one begins anew. */
export function useAsked<T>(key: string, ask: () => Promise<T>): Asked<T> {
  const [state, setState] = useState<{ answer: T | null; error: NatterError | null }>({ answer: null, error: null });
  /** An answer to what was asked before the last question is none. */
  const turn = useRef(0);
  const asking = useRef(ask);
  asking.current = ask;
  const again = useCallback(async () => {
    turn.current += 1;
    const mine = turn.current;
    try {
      const answer = await asking.current();
      if (mine === turn.current) setState({ answer, error: null });
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      if (mine === turn.current) setState((before) => ({ ...before, error: thrown }));
    }
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key asks anew
  useEffect(() => {
    setState({ answer: null, error: null });
    void again();
    return () => {
      turn.current += 1;
    };
  }, [key, again]);
  return { ...state, again: () => void again() };
}
