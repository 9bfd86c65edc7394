/** The count on the icon of the tab, and on that of the installed app. */

/** Pixels: enough for two digits on any screen. */
const SIZE = 64;
/** As in `look/tokens.css`, which no canvas reads. */
const GROUND = '#b02318';
const INK = '#ffffff';

const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
const own = link?.getAttribute('href') ?? '';
const type = link?.type ?? '';
let logo: Promise<HTMLImageElement> | undefined;
/** Rises with each change: what is drawn late is not shown over something newer. */
let turn = 0;

/** `calls`: how much calls me; else only whether anything is unread. */
export function showBadge(calls: number, unread: boolean): void {
  turn += 1;
  // Where there is none, or it is not allowed, the title says it.
  if (calls > 0) navigator.setAppBadge?.(calls).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
  if (!link) return;
  if (calls === 0 && !unread) {
    show(own, type);
    return;
  }
  const mine = turn;
  const text = calls === 0 ? '' : calls > 99 ? '99+' : String(calls);
  draw(text).then(
    (picture) => {
      if (mine === turn) show(picture, 'image/png');
    },
    // Without the logo there is nothing to draw on; the title says it.
    () => {},
  );
}

function show(picture: string, as: string): void {
  if (!link || link.getAttribute('href') === picture) return;
  link.type = as;
  link.setAttribute('href', picture);
}

async function draw(text: string): Promise<string> {
  logo ??= load(own);
  const image = await logo;
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
  pen.drawImage(image, 0, 0, SIZE, SIZE);
  const height = text === '' ? SIZE * 0.36 : SIZE * 0.56;
  const width = Math.max(height, height * (0.42 + 0.42 * text.length));
  pen.fillStyle = GROUND;
  pen.beginPath();
  pen.roundRect(SIZE - width, 0, width, height, height / 2);
  pen.fill();
  pen.fillStyle = INK;
  pen.font = `bold ${height * 0.8}px sans-serif`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(text, SIZE - width / 2, height * 0.54, width - 4);
  return canvas.toDataURL('image/png');
}

async function load(url: string): Promise<HTMLImageElement> {
  const image = new Image(SIZE, SIZE);
  image.src = url;
  await image.decode();
  return image;
}
