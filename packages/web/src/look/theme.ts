/** How the page looks, by the reader's choice: kept on this device, the same in all of its tabs. */
import { View } from '@natter/client/emitter';

export const THEMES = ['system', 'light', 'dark'] as const;
export const DENSITIES = ['comfortable', 'compact'] as const;
export interface Look {
  readonly theme: (typeof THEMES)[number];
  readonly density: (typeof DENSITIES)[number];
  /** Does Enter send, or make a line? */
  readonly enterSends: boolean;
}

const KEY = 'natter:look';
const FIRST: Look = { theme: 'system', density: 'comfortable', enterSends: true };

let look = read();
export const lookView = new View(() => look);

function read(): Look {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Look>;
    return {
      theme: THEMES.find((theme) => theme === kept.theme) ?? FIRST.theme,
      density: DENSITIES.find((density) => density === kept.density) ?? FIRST.density,
      enterSends: kept.enterSends !== false,
    };
  } catch {
    return FIRST;
  }
}

function show(): void {
  const { dataset } = document.documentElement;
  dataset.theme = look.theme;
  dataset.density = look.density;
  // What the browser draws around the page follows a theme that was chosen, too.
  for (const [meta, own] of grounds) meta.content = look.theme === 'system' ? own : (groundOf(look.theme) ?? own);
}

/** The page's colours for the frame, as `index.html` has them: one for light, one for dark. */
const grounds = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')].map(
  (meta) => [meta, meta.content] as const,
);
function groundOf(theme: 'light' | 'dark'): string | undefined {
  return grounds.find(([{ media }]) => media.includes(theme))?.[1];
}

/** Here, and in all tabs of this device. */
export function changeLook(change: Partial<Look>): void {
  look = { ...look, ...change };
  localStorage.setItem(KEY, JSON.stringify(look));
  show();
  lookView.touch();
}

/** From now on the page looks as it was chosen, here or in another tab. */
export function startLook(): void {
  show();
  addEventListener('storage', ({ key }) => {
    if (key !== KEY) return;
    look = read();
    show();
    lookView.touch();
  });
}
