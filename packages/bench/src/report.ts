/** The tables: the same rows for the terminal and for Markdown. */
import type { Machine } from './machine.js';
import { METRICS, type Metric, OURS, type Row, type Run, type Spread } from './metrics.js';
import { holdTargets } from './targets.js';
import { WORK_TEXTS, type WorkName } from './works.js';

export interface Results {
  machine: Machine;
  versions: Record<string, string>;
  titles: Record<string, string>;
  stores: Record<string, boolean>;
  skipped: { server: string; why: string }[];
  quick: boolean;
  rounds: number;
  /** Why it ended before its plan did, or null. */
  cutShort: string | null;
  works: WorkName[];
  rows: Row[];
  runs: Run[];
}

function number(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function cell(figure: Spread | null | undefined, digits: number): string {
  if (!figure) return '–';
  const median = number(figure.median, digits);
  return figure.count < 2 ? median : `${median} (${number(figure.low, digits)} … ${number(figure.high, digits)})`;
}

function ratio(figure: Spread | null | undefined): string {
  if (!figure) return '–';
  const digits = figure.median >= 10 ? 1 : 2;
  return `${cell(figure, digits)} ×`;
}

type Table = { title: string; head: string[]; lines: string[][] };

/** Ratios are shown for the first metric and the processor's. */
function ratioMetrics(work: WorkName): Metric[] {
  return METRICS[work].filter((metric, i) => i === 0 || metric.key.startsWith('cpu'));
}

function tables(results: Results): Table[] {
  return results.works.map((work) => {
    const rows = results.rows.filter((row) => row.work === work);
    const metrics = METRICS[work].filter((metric) => rows.some((row) => row.figures[metric.key]));
    const compared = rows.some((row) => Object.values(row.ratios).some((each) => each !== null))
      ? ratioMetrics(work)
      : [];
    return {
      title: `${work}: ${WORK_TEXTS[work]}`,
      head: [
        'server',
        'durable',
        'runs',
        ...metrics.map((metric) => metric.title),
        ...compared.map((metric) => `Natter ÷ it, ${metric.title}`),
      ],
      lines: rows.map((row) => [
        results.titles[row.server] ?? row.server,
        results.stores[row.server] ? 'yes' : 'no',
        counts(row),
        ...metrics.map((metric) => cell(row.figures[metric.key], metric.digits)),
        ...compared.map((metric) => (row.server === OURS ? '' : ratio(row.ratios[metric.key]))),
      ]),
    };
  });
}

function counts(row: Row): string {
  const counted = Math.max(0, ...Object.values(row.figures).map((figure) => figure?.count ?? 0));
  return `${counted}${row.disturbed ? ' disturbed' : ''}${row.refused.length > 0 ? `, ${row.refused.length} refused` : ''}`;
}

/** What did not count and why, said once for each reason. */
function remarks(results: Results): string[] {
  const lines = results.skipped.map(({ server, why }) => `${server} was skipped: ${why}.`);
  for (const row of results.rows) {
    for (const why of new Set(row.refused)) {
      lines.push(`${row.work}, ${row.server}: ${row.refused.filter((each) => each === why).length} refused: ${why}.`);
    }
  }
  if (results.cutShort !== null) lines.push(results.cutShort);
  return lines;
}

function targetLines(results: Results): string[][] {
  return holdTargets(results.rows)
    .filter(({ target: { work, against } }) => results.works.includes(work) && !leftOut(results, against))
    .map(({ target, found, met }) => [
      target.work,
      target.text,
      found === null ? '–' : `${number(found, found >= 100 ? 0 : 2)}${target.against === null ? '' : ' ×'}`,
      met === null ? 'not measured' : met ? 'met' : 'not met',
    ]);
}

/** A server of the table that was not asked for has no line. */
const leftOut = ({ titles }: Results, server: string | null): boolean => server !== null && !(server in titles);

const TARGET_HEAD = ['work', 'target', 'found', ''];

export function terminalText(results: Results): string {
  const parts = tables(results).map(({ title, head, lines }) => `${title}\n${aligned([head, ...lines])}`);
  if (results.runs.some((run) => run.server === OURS))
    parts.push(`targets\n${aligned([TARGET_HEAD, ...targetLines(results)])}`);
  const notes = remarks(results);
  if (notes.length > 0) parts.push(notes.join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function aligned(lines: readonly string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line.map((text, column) =>
        column === 0 ? text.padEnd(widths[0] as number) : text.padStart(widths[column] as number),
      ),
    )
    .map((line) => `  ${line.join('   ')}`)
    .join('\n');
}

/** `image`: the plot beside it. */
export function markdownText(results: Results, image: string): string {
  const { machine } = results;
  const used = Object.entries(results.versions).map(
    ([server, version]) => `${server === OURS ? `Natter ${version}` : version}`,
  );
  const parts = [
    '# What was measured',
    `${machine.date.slice(0, 16).replace('T', ' ')} UTC, commit ${machine.commit}. ${machine.processor}, ${machine.cores} cores, ` +
      `${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}.`,
    `${used.join(', ')}.`,
    `${results.quick ? 'A quick run' : 'A full run'}, ${results.rounds} ${results.rounds === 1 ? 'round' : 'rounds'}, servers interleaved. ` +
      'Medians, with the lowest and highest in brackets; ratios are of two runs of the same round. ' +
      '`cpu/M`: seconds of server CPU (user and system) for a million deliveries. How it is measured: [README.md](README.md).',
    `![The first figure of each work point](${image})`,
  ];
  for (const { title, head, lines } of tables(results)) parts.push(`## ${title}`, markdownTable(head, lines));
  if (results.runs.some((run) => run.server === OURS))
    parts.push('## Targets', markdownTable(TARGET_HEAD, targetLines(results)));
  const notes = remarks(results);
  if (notes.length > 0) parts.push('## Remarks', notes.map((note) => `- ${note}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function markdownTable(head: readonly string[], lines: readonly string[][]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}
