/** Who is there: the door for strangers, the rooms for whoever is logged in. */
import { Component, type ReactNode, useEffect, useState } from 'react';
import { type Chat, ChatContext, openChat, useView } from './chat/chat.js';
import { Enter } from './enter/Enter.js';
import { Home } from './home/Home.js';
import type { Session } from './session.js';
import { t } from './texts/texts.js';
import { Button } from './ui/Button.js';
import { Empty, Spinner } from './ui/Empty.js';

export function App({ session }: { session: Session }) {
  const state = useView(session.view);
  return (
    <Guard>
      {state.is === 'unknown' && <Opening />}
      {state.is === 'out' && <Enter session={session} ended={state.ended} />}
      {state.is === 'in' && <LoggedIn key={state.session} session={session} user={state.user.id} />}
    </Guard>
  );
}

function Opening() {
  return (
    <main style={{ display: 'grid', placeItems: 'center', height: '100dvh' }}>
      <Spinner label={t.app.loading} />
    </main>
  );
}

function LoggedIn({ session, user }: { session: Session; user: number }) {
  const [chat, setChat] = useState<Chat | null>(null);
  useEffect(() => {
    let over = false;
    const opening = openChat(session, user);
    void opening.then((opened) => {
      if (!over) setChat(opened);
    });
    return () => {
      over = true;
      void opening.then((opened) => opened.close());
    };
  }, [session, user]);
  if (!chat) return <Opening />;
  return (
    <ChatContext value={chat}>
      <Home />
    </ChatContext>
  );
}

/** A bug in one view must not leave an empty page. */
class Guard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <main style={{ display: 'grid', height: '100dvh' }}>
        <Empty title={t.app.failed} hint={t.app.failedHint}>
          <Button kind="main" onClick={() => location.reload()}>
            {t.app.reload}
          </Button>
        </Empty>
      </main>
    );
  }
}
