/** A page beside the rooms that is no room: its name, its parts, and what it shows. */
import { ChevronLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { HOME } from '../routes.js';
import { t } from '../texts/texts.js';
import { Link } from './Link.js';
import styles from './Page.module.css';

interface PageProps {
  title: string;
  /** The parts of the page, each with an address of its own. */
  parts?: readonly { href: string; label: string }[];
  /** Where the way back leads; the list of rooms unless it is said. */
  back?: { href: string; label: string } | undefined;
  /** As wide as there is room, for tables and charts. */
  wide?: boolean;
  children: ReactNode;
}

export function Page({ title, parts, back, wide, children }: PageProps) {
  const [path] = useLocation();
  return (
    <main className={styles.page} data-region tabIndex={-1} aria-label={title}>
      <header className={styles.head}>
        <Link
          href={back?.href ?? HOME}
          className={styles.back}
          data-always={back !== undefined || undefined}
          aria-label={back?.label ?? t.rooms.back}
        >
          <ChevronLeft size={22} aria-hidden />
        </Link>
        <h1>{title}</h1>
        {parts && (
          <nav className={styles.parts} aria-label={title}>
            {parts.map(({ href, label }) => (
              <Link
                key={href}
                href={href}
                aria-current={path === href || path.startsWith(`${href}/`) ? 'page' : undefined}
              >
                {label}
              </Link>
            ))}
          </nav>
        )}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key */}
      <div className={styles.scroll} tabIndex={0}>
        <div className={styles.body} data-wide={wide || undefined}>
          {children}
        </div>
      </div>
    </main>
  );
}
