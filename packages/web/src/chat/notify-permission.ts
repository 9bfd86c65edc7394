/** Does the browser let this page show notifications? */
import { View } from '@natter/client/emitter';

/** `unsupported`: also on pages without https, but for those of this very machine. */
export type Permission = NotificationPermission | 'unsupported';

export const permission: View<Permission> = new View(() =>
  'Notification' in globalThis && 'serviceWorker' in navigator ? Notification.permission : 'unsupported',
);
let followed = false;

/** Asks for it, where nobody has answered yet: after a click or a key alone, as browsers want it. */
export async function askPermission(): Promise<void> {
  if (permission.getSnapshot() === 'default') await Notification.requestPermission();
  permission.touch();
}

/** Whoever allows or forbids it does so anywhere in the browser. */
export function followPermission(): void {
  if (followed) return;
  followed = true;
  navigator.permissions?.query({ name: 'notifications' }).then(
    (status) => status.addEventListener('change', () => permission.touch()),
    // Where it can't be followed, it is looked at whenever something is to be told.
    () => {},
  );
}
