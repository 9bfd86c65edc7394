/** What the server answers page by page: on the way, here, or failed. */
import { NatterError } from '@natter/client';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Pages<Row> {
  /** Null until the first answer is here. */
  readonly rows: readonly Row[] | null;
  readonly busy: boolean;
  readonly error: NatterError | null;
  /** Asks for the page that follows; null at the end. */
  readonly more: (() => void) | null;
  /** Asks from the beginning; what is shown stays until the answer is here. */
  again(): void;
}

interface State<Row, Next> {
  rows: readonly Row[] | null;
  next: Next | null;
  busy: boolean;
  error: NatterError | null;
}

export interface Page<Row, Next> {
  rows: readonly Row[];
  next: Next | null;
}

/** `key` names what is asked for: another one begins anew, after `pause` milliseconds. Null asks nothing. */
export function usePages<Row, Next>(
  key: string | null,
  ask: (next: Next | undefined) => Promise<Page<Row, Next>>,
  pause = 0,
): Pages<Row> {
  const [state, setState] = useState<State<Row, Next>>({ rows: null, next: null, busy: key !== null, error: null });
  /** An answer to what was asked before the last question is none. */
  const turn = useRef(0);
  const asking = useRef(ask);
  asking.current = ask;

  const run = useCallback(async (next: Next | null) => {
    turn.current += 1;
    const mine = turn.current;
    setState((before) => ({ ...before, busy: true, error: null }));
    try {
      const page = await asking.current(next ?? undefined);
      if (mine !== turn.current) return;
      setState(({ rows }) => ({
        rows: next === null ? page.rows : [...(rows ?? []), ...page.rows],
        next: page.next,
        busy: false,
        error: null,
      }));
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      if (mine === turn.current) setState((before) => ({ ...before, busy: false, error: thrown }));
    }
  }, []);

  useEffect(() => {
    if (key === null) setState({ rows: null, next: null, busy: false, error: null });
    else setState((before) => ({ ...before, busy: true }));
    const timer = key === null ? undefined : setTimeout(() => void run(null), pause);
    return () => {
      clearTimeout(timer);
      turn.current += 1;
    };
  }, [key, pause, run]);

  const { rows, next, busy, error } = state;
  return { rows, busy, error, more: next === null ? null : () => void run(next), again: () => void run(null) };
}

/** The same of what comes in one piece. */
export function useList<Row>(
  key: string | null,
  ask: () => Promise<readonly Row[]>,
  pause = 0,
): Pick<Pages<Row>, 'rows' | 'error' | 'again'> {
  return usePages<Row, never>(key, async () => ({ rows: await ask(), next: null }), pause);
}
