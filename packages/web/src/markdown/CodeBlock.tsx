/** Code, as it was written and in colours where its language is known, with a button that copies it. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { t } from '../texts/texts.js';
import type { Piece } from './highlight.js';
import styles from './Markdown.module.css';

/** Milliseconds that "copied" is shown. */
const COPIED = 1_500;
/** Longer code stays plain: colours are not worth a page that stands still. */
const COLOURED_MAX = 20_000;

export function CodeBlock({ text, language }: { text: string; language: string }) {
  const [copied, setCopied] = useState(false);
  const [pieces, setPieces] = useState<readonly Piece[] | null>(null);
  useEffect(() => {
    let wanted = true;
    setPieces(null);
    if (language !== '' && text.length <= COLOURED_MAX) {
      import('./highlight.js').then(
        ({ highlight }) => wanted && setPieces(highlight(text, language)),
        // Without the network it stays plain.
        () => {},
      );
    }
    return () => {
      wanted = false;
    };
  }, [text, language]);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(setCopied, COPIED, false);
  };
  return (
    <figure className={styles.code}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key */}
      <pre tabIndex={0}>
        <code data-language={language || undefined}>
          {pieces
            ? pieces.map(({ text: part, kind }, at) =>
                kind === '' ? (
                  part
                ) : (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change
                  <span key={at} data-kind={kind}>
                    {part}
                  </span>
                ),
              )
            : text}
        </code>
      </pre>
      <button
        type="button"
        className={styles.copy}
        onClick={copy}
        aria-label={copied ? t.message.copied : t.message.copyCode}
      >
        {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      </button>
    </figure>
  );
}
