/** The first figure of each work point as bars, in an SVG that reads on light and on dark pages. */
import { METRICS, OURS, type Row } from './metrics.js';
import type { Results } from './report.js';
import { WORK_TEXTS } from './works.js';

const WIDTH = 940;
const NAMES = 340;
const BAR = { height: 16, gap: 6, most: 400 };
const TITLE = 40;
const FOOT = 16;
const COLOURS = { ours: '#2f6fdd', beside: '#8fb4f2', peer: '#9a9a9a', text: '#7a7a7a' };

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('`', '');

function colour({ server }: Row): string {
  if (server === OURS) return COLOURS.ours;
  return server.startsWith(`${OURS}-`) ? COLOURS.beside : COLOURS.peer;
}

/** Answers nothing where nothing counts. */
export function plotSvg(results: Results): string {
  const parts: string[] = [];
  let y = 8;
  for (const work of results.works) {
    const metric = METRICS[work][0];
    if (!metric) continue;
    const bars = results.rows.flatMap((row) => {
      const figure = row.figures[metric.key];
      return row.work === work && figure ? [{ row, figure }] : [];
    });
    if (bars.length === 0) continue;
    bars.sort((a, b) => (b.figure.median - a.figure.median) * (metric.better === 'more' ? 1 : -1));
    const most = Math.max(...bars.map(({ figure }) => figure.high));
    const better = metric.better === 'more' ? 'longer is better' : 'shorter is better';
    parts.push(
      `<text x="0" y="${y + 14}" class="title">${escaped(`${work}: ${metric.title}`)}</text>`,
      `<text x="0" y="${y + 30}">${escaped(`${WORK_TEXTS[work]}; ${better}`)}</text>`,
    );
    y += TITLE;
    for (const { row, figure } of bars) {
      const at = (value: number): number => NAMES + Math.round((value / most) * BAR.most);
      const middle = y + BAR.height / 2;
      const figureText = figure.median.toLocaleString('en', { maximumFractionDigits: metric.digits });
      const durable = results.stores[row.server] ? ', durable' : '';
      parts.push(
        `<text x="${NAMES - 8}" y="${middle + 4}" text-anchor="end">${escaped((results.titles[row.server] ?? row.server) + durable)}</text>`,
        `<rect x="${NAMES}" y="${y}" width="${Math.max(1, at(figure.median) - NAMES)}" height="${BAR.height}" fill="${colour(row)}"/>`,
        `<path d="M${at(figure.low)} ${middle}H${at(figure.high)}" class="spread"/>`,
        `<text x="${at(figure.high) + 8}" y="${middle + 4}">${escaped(figureText)}</text>`,
      );
      y += BAR.height + BAR.gap;
    }
    y += FOOT;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Natter and its peers">`,
    `<style>text{font:12px system-ui,sans-serif;fill:${COLOURS.text}}.title{font-weight:600;font-size:14px}.spread{stroke:${COLOURS.text};stroke-width:2}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
