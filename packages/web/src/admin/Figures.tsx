/** How the server does, as it happens: small charts of what it counts itself. */
import { NatterError } from '@natter/client';
import type { Figure, FigurePage } from '@natter/protocol';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/chat.js';
import { showBytes, showCount, showDecimal, showError, showPercent, showStamp, t } from '../texts/texts.js';
import { Empty, Spinner } from '../ui/Empty.js';
import ui from '../ui/ui.module.css';
import styles from './Admin.module.css';
import { Chart } from './Chart.js';

/** Figures that are shown at once. */
const SHOWN = 240;

interface ChartOf {
  name: keyof typeof t.admin.charts;
  value: (figure: Figure) => number | null;
  show: (value: number) => string;
  /** The least that the top stands for, so that noise near nothing looks like nothing. */
  top: number;
}

const milliseconds = (value: number) => `${showDecimal(value)} ms`;
const CHARTS: readonly ChartOf[] = [
  { name: 'online', value: ({ online }) => online, show: showCount, top: 5 },
  { name: 'events', value: ({ events }) => events, show: showDecimal, top: 5 },
  { name: 'deliveries', value: ({ deliveries }) => deliveries, show: showDecimal, top: 5 },
  { name: 'requests', value: ({ requests }) => requests, show: showDecimal, top: 5 },
  { name: 'commit', value: ({ commitMilliseconds }) => commitMilliseconds, show: milliseconds, top: 5 },
  { name: 'request', value: ({ requestMilliseconds }) => requestMilliseconds, show: milliseconds, top: 5 },
  { name: 'busy', value: ({ busy }) => busy, show: showPercent, top: 1 },
  { name: 'memory', value: ({ memory }) => memory, show: showBytes, top: 128 * 1024 * 1024 },
];

export function Figures() {
  const { page, error } = useFigures();
  if (!page) {
    if (error) return <Empty title={t.app.unloaded} hint={showError(error)} />;
    return (
      <div className={ui.waiting}>
        <Spinner label={t.app.waiting} />
      </div>
    );
  }
  const { figures } = page;
  return (
    <>
      <p role="status" className={styles.lead}>
        {error ? t.admin.stale(showError(error)) : t.admin.running(showStamp(page.startedAt))}
      </p>
      <dl className={styles.totals}>
        {(['users', 'rooms', 'messages'] as const).map((name) => (
          <div key={name}>
            <dt>{t.admin.totals[name]}</dt>
            <dd>{showCount(page[name])}</dd>
          </div>
        ))}
      </dl>
      <ul className={styles.charts} data-old={error ? true : undefined}>
        {CHARTS.map(({ name, value, show, top }) => (
          <li key={name}>
            <Chart
              label={t.admin.charts[name]}
              points={figures.map((figure) => ({ at: figure.at, value: value(figure) }))}
              show={show}
              top={top}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Asks for what is new as often as something is noted, while somebody looks. */
function useFigures(): { page: FigurePage | null; error: NatterError | null } {
  const { api } = useChat();
  const [page, setPage] = useState<FigurePage | null>(null);
  const [error, setError] = useState<NatterError | null>(null);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout>;
    let known: FigurePage | null = null;
    const ask = async () => {
      let pause = known?.seconds ?? 5;
      try {
        if (document.visibilityState === 'visible') {
          const since = known?.figures.at(-1)?.at;
          let next = await api.figures(since ? { since } : {});
          // Another node answered, or it was started anew: what it noted before is of interest too.
          if (known && next.node !== known.node) next = await api.figures();
          else if (known) next = { ...next, figures: [...known.figures, ...next.figures].slice(-SHOWN) };
          known = { ...next, figures: next.figures.slice(-SHOWN) };
          pause = known.seconds;
          if (wanted) setPage(known);
        }
        if (wanted) setError(null);
      } catch (thrown) {
        if (!(thrown instanceof NatterError)) throw thrown;
        if (wanted) setError(thrown);
      }
      if (wanted) timer = setTimeout(ask, pause * 1_000);
    };
    void ask();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [api]);
  return { page, error };
}
