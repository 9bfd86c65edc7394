/** Emoji: what there is, what a word finds, and which ones are used most here. Loaded when it is first asked for. */

export interface Emoji {
  readonly emoji: string;
  readonly name: string;
  /** As they are typed: `tada` for `:tada:`. */
  readonly codes: readonly string[];
  readonly words: readonly string[];
  readonly group: number;
  /** The same in five tones of skin; empty where there are none. */
  readonly tones: readonly string[];
}

/** By group, in the order of the standard. */
let loading: Promise<readonly Emoji[]> | undefined;

interface Row {
  unicode: string;
  label: string;
  hexcode: string;
  tags?: string[];
  group?: number;
  order?: number;
  skins?: { unicode: string; hexcode: string }[];
}

/** Group 2 are the tones themselves. */
const COMPONENTS = 2;

export function loadEmoji(): Promise<readonly Emoji[]> {
  loading ??= read().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function read(): Promise<readonly Emoji[]> {
  const [{ default: rows }, { default: codes }] = await Promise.all([
    import('emojibase-data/en/compact.json'),
    import('emojibase-data/en/shortcodes/github.json'),
  ]);
  const known = codes as Record<string, string | string[]>;
  return (rows as Row[])
    .filter(({ group, order }) => group !== undefined && group !== COMPONENTS && order !== undefined)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ unicode, label, hexcode, tags = [], group = 0, skins = [] }) => ({
      emoji: bare(unicode),
      name: label,
      codes: [known[hexcode] ?? label.replaceAll(/[^\p{L}\p{N}]+/gu, '_')].flat(),
      words: tags,
      group,
      // Those of two people have a tone for each: five of them are the same for both.
      tones:
        skins.length >= 5
          ? skins.filter((_, at) => skins.length === 5 || at % 6 === 0).map((skin) => bare(skin.unicode))
          : [],
    }));
}

/** Without the sign that asks for colour where there is colour anyway: the same emoji is to be the same reaction. */
function bare(emoji: string): string {
  return emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1');
}

/** The best first: by its code, by a word of its name, by a word that belongs to it; of those alike, the ones used most. */
export function findEmoji(all: readonly Emoji[], query: string, max: number): Emoji[] {
  const wanted = query.toLowerCase();
  const used = new Map(frequent().map((emoji, at) => [emoji, at]));
  const found: { one: Emoji; rank: number }[] = [];
  for (const one of all) {
    const rank = rankOf(one, wanted);
    if (rank !== null) found.push({ one, rank: rank * 100 + Math.min(99, used.get(one.emoji) ?? 99) });
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, max)
    .map(({ one }) => one);
}

function rankOf({ codes, name, words }: Emoji, wanted: string): number | null {
  if (codes.includes(wanted)) return 0;
  if (codes.some((code) => code.startsWith(wanted))) return 1;
  if (name.startsWith(wanted) || name.split(' ').some((word) => word.startsWith(wanted))) return 2;
  if (words.some((word) => word.startsWith(wanted))) return 3;
  return codes.some((code) => code.includes(wanted)) ? 4 : null;
}

const USED = 'natter:emoji';
const TONE = 'natter:tone';
/** Most that are remembered, and shown as the ones used most. */
const KEPT = 60;
const FIRST = ['👍', '❤️', '😂', '🎉', '👀', '✅'];

function counts(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(USED) ?? '{}') as Record<string, number>;
  } catch {
    return {};
  }
}

/** Those used most on this device, then some that everybody uses. */
export function frequent(): string[] {
  const used = Object.entries(counts()).sort(([, a], [, b]) => b - a);
  return [...new Set([...used.map(([emoji]) => emoji), ...FIRST])];
}

export function noteUse(emoji: string): void {
  const now = counts();
  now[emoji] = (now[emoji] ?? 0) + 1;
  const kept = Object.entries(now)
    .sort(([, a], [, b]) => b - a)
    .slice(0, KEPT);
  localStorage.setItem(USED, JSON.stringify(Object.fromEntries(kept)));
}

/** 0 is without a tone, 1 to 5 from light to dark. */
export const tone = (): number => Number(localStorage.getItem(TONE)) || 0;
export const setTone = (next: number): void => localStorage.setItem(TONE, String(next));
export const toned = ({ emoji, tones }: Emoji, by: number): string => tones[by - 1] ?? emoji;
