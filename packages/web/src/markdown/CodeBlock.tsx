/** Code, as it was written, with a button that copies it. */
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { t } from '../texts/texts.js';
import styles from './Markdown.module.css';

/** Milliseconds that "copied" is shown. */
const COPIED = 1_500;

export function CodeBlock({ text, language }: { text: string; language: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(setCopied, COPIED, false);
  };
  return (
    <figure className={styles.code}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key */}
      <pre tabIndex={0}>
        <code data-language={language || undefined}>{text}</code>
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
