/** Something that is done at a press, and how it went. */
import { NatterError } from '@natter/client';
import { useState } from 'react';

export interface Act {
  readonly busy: boolean;
  readonly error: NatterError | null;
  readonly done: boolean;
  /** Answers whether it was done. */
  act(what: () => Promise<unknown>): Promise<boolean>;
}

type State = Omit<Act, 'act'>;

export function useAct(): Act {
  const [state, setState] = useState<State>({ busy: false, error: null, done: false });
  const act = async (what: () => Promise<unknown>) => {
    setState({ busy: true, error: null, done: false });
    try {
      await what();
    } catch (thrown) {
      if (!(thrown instanceof NatterError)) throw thrown;
      setState({ busy: false, error: thrown, done: false });
      return false;
    }
    setState({ busy: false, error: null, done: true });
    return true;
  };
  return { ...state, act };
}
