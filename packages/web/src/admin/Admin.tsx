/** What an admin sees of the server: people, rooms, what was done with power, and how it does. */
import { Redirect, useParams } from 'wouter';
import { useChat, useView } from '../chat/chat.js';
import { ADMIN, adminPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Empty } from '../ui/Empty.js';
import { Page } from '../ui/Page.js';
import { Audit } from './Audit.js';
import { Figures } from './Figures.js';
import { People } from './People.js';
import { Person } from './Person.js';
import { Rooms } from './Rooms.js';

const PARTS = { people: People, rooms: Rooms, audit: Audit, figures: Figures } as const;
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

export default function Admin() {
  const { session } = useChat();
  const state = useView(session.view);
  const { part, id } = useParams<{ part?: string; id?: string }>();
  const name = NAMES.find((one) => one === part);
  if (state.is === 'in' && state.user.role !== 'admin') {
    return (
      <Page title={t.admin.title}>
        <Empty title={t.admin.denied} hint={t.admin.deniedHint} />
      </Page>
    );
  }
  if (!name) return <Redirect to={`${ADMIN}/people`} replace />;
  const Part = PARTS[name];
  const person = name === 'people' && /^[1-9]\d{0,14}$/.test(id ?? '') ? Number(id) : null;
  return (
    <Page wide title={t.admin.title} parts={NAMES.map((one) => ({ href: adminPath(one), label: t.admin.parts[one] }))}>
      {person === null ? <Part /> : <Person key={person} id={person} />}
    </Page>
  );
}
