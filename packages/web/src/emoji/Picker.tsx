/** All emoji: found by word, by group, by key; those used most come first. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { t } from '../texts/texts.js';
import { type Emoji, findEmoji, frequent, loadEmoji, noteUse, setTone, tone, toned } from './emoji.js';
import styles from './Picker.module.css';

interface PickerProps {
  onPick: (emoji: string) => void;
}

/** Emoji in a row. */
const ROW = 9;
const FOUND_MAX = 90;
/** Groups by the numbers of the data; 2 has none to show. */
const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9] as const;
const TONES = ['✋', '✋🏻', '✋🏼', '✋🏽', '✋🏾', '✋🏿'];

export default function Picker({ onPick }: PickerProps) {
  const [all, setAll] = useState<readonly Emoji[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [query, setQuery] = useState('');
  const [skin, setSkin] = useState(tone);
  const [shown, setShown] = useState<Emoji | null>(null);
  const body = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  useEffect(() => {
    loadEmoji().then(setAll, () => setFailed(true));
  }, []);

  const parts = useMemo(() => {
    if (!all) return [];
    const wanted = query.trim().replace(/^:/, '');
    if (wanted !== '') return [{ name: t.emoji.found, emoji: findEmoji(all, wanted, FOUND_MAX) }];
    const byText = new Map(all.flatMap((one) => [one.emoji, ...one.tones].map((text) => [text, one] as const)));
    const used = frequent()
      .slice(0, ROW * 2)
      .flatMap((text) => byText.get(text) ?? []);
    return [
      { name: t.emoji.frequent, emoji: [...new Set(used)] },
      ...GROUPS.map((group) => ({ name: t.emoji.groups[group], emoji: all.filter((one) => one.group === group) })),
    ];
  }, [all, query]);

  const pick = (one: Emoji) => {
    noteUse(one.emoji);
    onPick(toned(one, skin));
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ROW, ArrowDown: ROW }[event.key];
    const inside = event.target instanceof HTMLButtonElement;
    if (event.key === 'Enter' && !inside) {
      const first = parts[0]?.emoji[0];
      event.preventDefault();
      if (first) pick(first);
    }
    if (by === undefined || (!inside && by < ROW)) return;
    const buttons = [...(body.current?.querySelectorAll('button') ?? [])];
    const at = inside ? buttons.indexOf(event.target as HTMLButtonElement) + by : 0;
    const next = buttons[Math.max(0, Math.min(buttons.length - 1, at))];
    event.preventDefault();
    next?.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrows lead through the buttons inside
    <div className={styles.picker} onKeyDown={press}>
      <input
        name="emoji"
        type="search"
        className={styles.search}
        aria-label={t.emoji.find}
        placeholder={t.emoji.find}
        autoComplete="off"
        ref={box}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
      />
      <div ref={body} className={styles.body}>
        {failed && <p className={styles.none}>{t.emoji.failed}</p>}
        {parts.map(({ name, emoji }) => (
          <section key={name} aria-label={name} className={styles.group}>
            <h3>{name}</h3>
            {emoji.length === 0 && <p className={styles.none}>{t.emoji.none(query)}</p>}
            <div className={styles.grid}>
              {emoji.map((one) => (
                <button
                  key={one.emoji}
                  type="button"
                  tabIndex={-1}
                  aria-label={one.name}
                  onClick={() => pick(one)}
                  onPointerEnter={() => setShown(one)}
                  onFocus={() => setShown(one)}
                >
                  {toned(one, skin)}
                </button>
              ))}
            </div>
          </section>
        ))}
      </div>
      <footer className={styles.foot}>
        <span aria-hidden>{shown ? `${toned(shown, skin)} :${shown.codes[0]}:` : ''}</span>
        <span className={styles.tones} role="radiogroup" aria-label={t.emoji.tone}>
          {TONES.map((hand, at) => (
            <label key={hand} data-chosen={at === skin || undefined}>
              <input
                type="radio"
                name="tone"
                className="hidden"
                aria-label={t.emoji.tones[at]}
                checked={at === skin}
                onChange={() => {
                  setSkin(at);
                  setTone(at);
                }}
              />
              <span aria-hidden>{hand}</span>
            </label>
          ))}
        </span>
      </footer>
    </div>
  );
}
