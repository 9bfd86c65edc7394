/** Which window about rooms is open: whoever offers a way to it need not hold it. */
import { View } from '@natter/client/emitter';

export type Panel = 'create' | 'direct' | 'browse' | null;

let open: Panel = null;
export const panelView = new View<Panel>(() => open);

export function openPanel(panel: Panel): void {
  open = panel;
  panelView.touch();
}
