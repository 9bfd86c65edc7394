/** The web app begins here. */
import '@fontsource-variable/source-sans-3/wght.css';
import '@fontsource-variable/source-sans-3/wght-italic.css';
import './look/tokens.css';
import './look/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.js';
import { expectChat } from './chat/chat.js';
import { forgetRooms } from './chat/device.js';
import { endLeft } from './leaving.js';
import { startLook } from './look/theme.js';
import { Session } from './session.js';
import { startShell } from './shell/shell.js';

startLook();
startShell();
const session = new Session(location.origin);
void session.restore();
endLeft();
const state = session.view.getSnapshot();
if (state.is === 'in') expectChat(state.user.id);
// What a page that was killed could not take away.
if (state.is === 'out') void forgetRooms().catch(() => {});

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
