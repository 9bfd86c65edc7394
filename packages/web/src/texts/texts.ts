/** The texts of the reader's language, and times in their zone and as they write them. */
import { en } from './en.js';

export const t = en;
/** Of the texts: screen readers and the browser's own formats follow it. */
const LANGUAGE = 'en';

/** The reader's own way to write times, in the language of the texts where that can be had. */
const locale = navigator.languages.find((language) => language.startsWith(LANGUAGE)) ?? navigator.language;

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const fullTime = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const dayNear = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const dayFar = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const stamp = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const stampNear = new Intl.DateTimeFormat(locale, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const count = new Intl.NumberFormat(locale);
const decimal = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

/** Minutes that are kept. */
const WRITTEN_MAX = 5_000;

/** Times of one minute read the same, and a screen of messages has few minutes: each is written once. */
function once(write: (at: string) => string): (at: string) => string {
  const written = new Map<string, string>();
  return (at) => {
    const minute = at.slice(0, 16);
    let text = written.get(minute);
    if (text === undefined) {
      text = write(at);
      if (written.size >= WRITTEN_MAX) written.clear();
      written.set(minute, text);
    }
    return text;
  };
}

export const showTime = once((at) => clock.format(new Date(at)));
export const showFull = once((at) => fullTime.format(new Date(at)));

/** Day and time, for what stands among things of other days; the year where it is another one. */
export function showStamp(at: string): string {
  const when = new Date(at);
  return (when.getFullYear() === new Date().getFullYear() ? stampNear : stamp).format(when);
}

/** A day of the reader's own calendar: `2026-11-20`. */
export const showDate = (day: string): string => date.format(new Date(`${day}T00:00`));

export const showCount = (value: number): string => count.format(value);
export const showDecimal = (value: number): string => decimal.format(value);
export const showPercent = (value: number): string => percent.format(value);
export const showBytes = (bytes: number): string => `${count.format(Math.round(bytes / 1024 / 1024))} MiB`;

const DAY = 86_400_000;

function daysAgo(date: Date): number {
  const midnight = (day: Date) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  return Math.round((midnight(new Date()) - midnight(date)) / DAY);
}

/** "Today", "Yesterday", else the day. */
export function showDay(at: string): string {
  const date = new Date(at);
  const days = daysAgo(date);
  if (days === 0 || days === 1) {
    const word = relative.format(-days, 'day');
    return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
  }
  return (days > 0 && days < 300 ? dayNear : dayFar).format(date);
}

/** As short as can be told apart: the time today, else the day. */
export function showShort(at: string): string {
  const date = new Date(at);
  return daysAgo(date) === 0 ? clock.format(date) : shortDay.format(date);
}

/** What went wrong, for whoever wanted it. */
export function showError(error: { code: string; message: string }): string {
  const { other, ...known } = t.errors;
  return (known as Record<string, string>)[error.code] ?? other(error.message);
}
