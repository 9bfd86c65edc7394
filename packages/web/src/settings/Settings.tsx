/** What one may set: who one is to others, how one gets in, and how this device shows it. */
import { Redirect, useParams } from 'wouter';
import { SETTINGS, settingsPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Page } from '../ui/Page.js';
import { Appearance } from './Appearance.js';
import { Password } from './Password.js';
import { Profile } from './Profile.js';
import { Sessions } from './Sessions.js';

const PARTS = { profile: Profile, password: Password, sessions: Sessions, appearance: Appearance } as const;
type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as Part[];

export default function Settings() {
  const { part } = useParams<{ part?: string }>();
  const name = NAMES.find((one) => one === part);
  if (!name) return <Redirect to={`${SETTINGS}/profile`} replace />;
  const Part = PARTS[name];
  return (
    <Page
      title={t.settings.title}
      parts={NAMES.map((one) => ({ href: settingsPath(one), label: t.settings.parts[one] }))}
    >
      <Part />
    </Page>
  );
}
