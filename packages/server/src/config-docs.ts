/** Writes the settings into `.env.example` and between the markers of the README. Run after a change: `node packages/server/dist/config-docs.js`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type SettingRow, settingRows } from './config.js';

const GROUPS: Record<SettingRow['group'], string> = {
  settings: 'Settings',
  limits: 'Limits of size and time',
  rates: 'Limits of rate: so many in that time, smoothed; `LIMITS=off` switches them off',
};

const BEGIN = '<!-- config -->';
const END = '<!-- /config -->';

function groups(): [string, SettingRow[]][] {
  const rows = settingRows();
  return Object.entries(GROUPS).map(([group, title]) => [title, rows.filter((row) => row.group === group)]);
}

/** Every setting, commented out, with its default. */
export function renderEnvExample(): string {
  const sections = groups().map(([title, rows]) => {
    const lines = rows.map((row) => {
      const means = row.means === '' ? '' : ` (default: ${row.means})`;
      return `# ${row.text.replaceAll('`', '')}${means}\n# ${row.name}=${row.default}`;
    });
    return `## ${title.replaceAll('`', '')}\n\n${lines.join('\n\n')}`;
  });
  return `# Copy to .env, and take the # away from what you change. The environment goes before this file.\n\n${sections.join('\n\n\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The tables of the README, without the markers. */
function renderTable(): string {
  return groups()
    .map(([title, rows]) => {
      const lines = rows.map((row) => {
        const value = row.default === '' ? row.means : `\`${row.default}\``;
        return `| \`${row.name}\` | ${cell(value)} | ${cell(row.text)} |`;
      });
      return `**${title}**\n\n| name | default | what it is |\n|---|---|---|\n${lines.join('\n')}`;
    })
    .join('\n\n');
}

/** The README with the tables as they are now. */
export function withTable(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the README has no ${BEGIN} … ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${renderTable()}\n${readme.slice(end)}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
  writeFileSync(file('.env.example'), renderEnvExample());
  writeFileSync(file('README.md'), withTable(readFileSync(file('README.md'), 'utf8')));
}
