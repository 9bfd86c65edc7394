/** The windows about rooms: make one, write to somebody, find a channel. */
import { BrowseChannels } from './BrowseChannels.js';
import { CreateRoom } from './CreateRoom.js';
import { NewDirect } from './NewDirect.js';
import { openPanel, type Panel } from './panel.js';

export default function Panels({ panel }: { panel: Panel }) {
  const close = () => openPanel(null);
  switch (panel) {
    case 'create':
      return <CreateRoom onClose={close} />;
    case 'direct':
      return <NewDirect onClose={close} />;
    case 'browse':
      return <BrowseChannels onClose={close} />;
    case null:
      return null;
  }
}
