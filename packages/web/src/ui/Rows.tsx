/** Rows that come page by page: on the way, none, failed, and more. */
import type { ReactNode } from 'react';
import type { Pages } from '../chat/pages.js';
import { showError, t } from '../texts/texts.js';
import { Button } from './Button.js';
import { Empty, Spinner } from './Empty.js';
import ui from './ui.module.css';

interface RowsProps<Row> {
  pages: Pages<Row>;
  label: string;
  /** Where there is none. */
  none?: ReactNode;
  children: (row: Row) => ReactNode;
}

export function Rows<Row>({ pages, label, none, children }: RowsProps<Row>) {
  const { rows, busy, error, more, again } = pages;
  return (
    <>
      {error && (
        <Empty title={t.app.unloaded} hint={showError(error)}>
          <Button onClick={again}>{t.timeline.retry}</Button>
        </Empty>
      )}
      {busy && rows === null && (
        <div className={ui.waiting}>
          <Spinner label={t.app.waiting} />
        </div>
      )}
      {rows?.length === 0 && !busy && none}
      {rows && rows.length > 0 && (
        <ul aria-label={label} aria-busy={busy}>
          {rows.map(children)}
        </ul>
      )}
      {more && !error && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
    </>
  );
}
