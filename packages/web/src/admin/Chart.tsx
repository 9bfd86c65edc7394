/** A line over time, with what it is now and what it was at most. */
import { useId, useState } from 'react';
import { showTime, t } from '../texts/texts.js';
import styles from './Admin.module.css';

export interface Point {
  readonly at: string;
  /** Null: there was nothing to measure. */
  readonly value: number | null;
}

interface ChartProps {
  label: string;
  points: readonly Point[];
  show: (value: number) => string;
  top: number;
}

const WIDTH = 240;
const HEIGHT = 56;
/** Points that the width is for at least: a line that has just begun grows from the right. */
const LEAST = 48;

export function Chart({ label, points, show, top }: ChartProps) {
  const id = useId();
  const [pointed, setPointed] = useState<number | null>(null);
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  const scale = Math.max(most, top);
  const shown = pointed === null ? undefined : points[Math.min(pointed, points.length - 1)];
  const last = points.at(-1);
  const now = shown ?? last;
  const steps = Math.max(points.length, LEAST) - 1;
  const x = (index: number) => WIDTH - ((points.length - 1 - index) / steps) * WIDTH;
  const y = (value: number) => HEIGHT - (value / scale) * (HEIGHT - 4) - 1;
  return (
    <figure className={styles.chart} aria-labelledby={id}>
      <figcaption id={id}>
        <span>{label}</span>
        <b>{now?.value == null ? '–' : show(now.value)}</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const back = Math.round((1 - (event.clientX - box.left) / box.width) * steps);
          setPointed(Math.max(0, points.length - 1 - back));
        }}
        onPointerLeave={() => setPointed(null)}
      >
        {runs(points).map((run) => {
          const line = run.map(({ index, value }) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
          const [from, to] = [x(run[0]?.index ?? 0), x(run.at(-1)?.index ?? 0)];
          return (
            <g key={run[0]?.index}>
              <polygon className={styles.area} points={`${from},${HEIGHT} ${line} ${to},${HEIGHT}`} />
              <polyline
                className={styles.line}
                points={run.length === 1 ? `${line} ${to - 1},${line.split(',')[1]}` : line}
              />
            </g>
          );
        })}
        {shown && pointed !== null && (
          <line className={styles.pointed} x1={x(pointed)} x2={x(pointed)} y1={0} y2={HEIGHT} />
        )}
      </svg>
      <p className={styles.span}>
        {shown ? (
          showTime(shown.at)
        ) : (
          <>
            <span>{points[0] ? showTime(points[0].at) : ''}</span>
            <span>{values.length > 0 ? t.admin.most(show(most)) : t.admin.nothing}</span>
          </>
        )}
      </p>
    </figure>
  );
}

interface Spot {
  index: number;
  value: number;
}

/** A line ends where there is nothing to measure, and begins anew after it. */
function runs(points: readonly Point[]): Spot[][] {
  const found: Spot[][] = [];
  let open: Spot[] | null = null;
  for (const [index, { value }] of points.entries()) {
    if (value === null) {
      open = null;
      continue;
    }
    if (open === null) {
      open = [];
      found.push(open);
    }
    open.push({ index, value });
  }
  return found;
}
