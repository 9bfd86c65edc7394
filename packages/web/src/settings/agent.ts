/** What a `User-Agent` header says to a person: which browser on which system, or the name of a program. */

export interface Agent {
  readonly kind: 'phone' | 'computer' | 'program';
  /** '' where there is none. */
  readonly browser: string;
  readonly system: string;
}

/** In this order: most browsers say that they are others too. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];
const PHONES = new Set(['iPhone', 'Android']);

export function agentOf(header: string): Agent {
  const first = (known: readonly [RegExp, string][]) => known.find(([pattern]) => pattern.test(header))?.[1] ?? '';
  const browser = first(BROWSERS);
  if (browser === '') return { kind: 'program', browser: header.split(/[\s/]/, 1)[0]?.slice(0, 40) ?? '', system: '' };
  const system = first(SYSTEMS);
  return { kind: PHONES.has(system) ? 'phone' : 'computer', browser, system };
}
