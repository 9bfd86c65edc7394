/** The page that finds messages: what is asked stands in the address. */
import type { SearchHit } from '@natter/protocol';
import { Search as Glass } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { useChat } from '../chat/chat.js';
import { usePages } from '../chat/pages.js';
import { Card, Cards } from '../inbox/Card.js';
import { showError, t } from '../texts/texts.js';
import { Button } from '../ui/Button.js';
import { Empty, Spinner } from '../ui/Empty.js';
import { Page } from '../ui/Page.js';
import { Filters } from './Filters.js';
import { type Query, queryPath, questionOf, readQuery } from './query.js';
import styles from './Search.module.css';

/** Milliseconds without a key before the address, and with it the question, follows what is written. */
const PAUSE = 250;

export default function Search() {
  const [, go] = useLocation();
  const address = useSearch();
  const query = readQuery(address);
  const body = useRef<HTMLDivElement>(null);
  // One search is one step back, however often it was changed.
  const change = (next: Partial<Query>) => go(queryPath({ ...query, ...next }), { replace: true });

  /** Arrows lead through what was found, from the box and back. */
  const press = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const target = event.target as HTMLElement;
    if (by === 0 || !(target.matches('[data-search]') || target.matches('[data-hit]'))) return;
    const stops = [...(body.current?.querySelectorAll<HTMLElement>('[data-search], [data-hit]') ?? [])];
    const next = stops[stops.indexOf(target) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <Page title={t.search.title}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what is pressed are the links inside */}
      <div ref={body} className={styles.search} onKeyDown={press}>
        <search className={styles.ask}>
          <Box text={query.text} onChange={(text) => change({ text })} />
          <Filters query={query} onChange={change} />
        </search>
        <Found query={query} clear={() => go(queryPath({ ...readQuery(''), text: query.text }), { replace: true })} />
      </div>
    </Page>
  );
}

function Box({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [written, setWritten] = useState(text);
  const box = useRef<HTMLInputElement>(null);
  /** What the address had from here: anything else came by a link, or by going back. */
  const told = useRef(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (text === told.current) return;
    told.current = text;
    setWritten(text);
  }, [text]);
  useEffect(() => {
    box.current?.focus();
    return () => clearTimeout(timer.current);
  }, []);
  const tell = (next: string) => {
    clearTimeout(timer.current);
    if (next === told.current) return;
    told.current = next;
    onChange(next);
  };
  return (
    <form
      className={styles.box}
      onSubmit={(event) => {
        event.preventDefault();
        tell(written);
      }}
    >
      <Glass size={18} strokeWidth={1.75} aria-hidden />
      <input
        name="q"
        ref={box}
        type="search"
        data-search
        data-region-start
        autoComplete="off"
        enterKeyHint="search"
        maxLength={500}
        aria-label={t.search.box}
        placeholder={t.search.box}
        value={written}
        onChange={(event) => {
          const next = event.target.value;
          setWritten(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => tell(next), PAUSE);
        }}
      />
    </form>
  );
}

function Found({ query, clear }: { query: Query; clear: () => void }) {
  const { api, client } = useChat();
  const question = questionOf(query);
  const { rows, busy, error, more, again } = usePages<SearchHit, string>(
    question && JSON.stringify(question),
    async (next) => {
      const page = await api.searchMessages({ ...question, q: question?.q ?? '', ...(next ? { next } : {}) });
      client.people.learn(page.users);
      return { rows: page.hits, next: page.next };
    },
  );
  if (!question) return <Empty title={t.search.begin} hint={t.search.beginHint} />;
  const filtered = Object.keys(question).length > 1;
  const said = rows === null || busy ? '' : t.search.found(rows.length, more !== null);
  const [first] = rows ?? [];
  return (
    <section aria-label={t.search.results} aria-busy={busy}>
      <p role="status" className={rows?.length ? styles.count : 'hidden'}>
        {said}
        {first && !busy && first.match !== 'word' && ` · ${t.search.matches[first.match]}`}
      </p>
      {error && (
        <Empty title={t.search.failed} hint={showError(error)}>
          <Button onClick={again}>{t.timeline.retry}</Button>
        </Empty>
      )}
      {busy && !rows?.length && !error && (
        <div className={styles.waiting}>
          <Spinner label={t.search.searching} />
        </div>
      )}
      {rows?.length === 0 && !busy && !error && (
        <Empty title={t.search.none(question.q)} hint={filtered ? t.search.noneFiltered : t.search.noneHint}>
          {filtered && <Button onClick={clear}>{t.search.clear}</Button>}
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <Cards old={busy && !more}>
          {rows.map(({ message, ranges }) => (
            <Card key={message.id} message={message} found={ranges} where />
          ))}
        </Cards>
      )}
      {more && rows && rows.length > 0 && !error && (
        <Button onClick={more} disabled={busy}>
          {t.browse.more}
        </Button>
      )}
    </section>
  );
}
