/** What one may set: who one is to others, how one gets in, what this device tells of, and how it shows it. */
import { Redirect, useParams } from 'wouter';
import { SETTINGS, settingsPath } from '../routes.js';
import { t } from '../texts/texts.js';
import { Page } from '../ui/Page.js';
import { Appearance } from './Appearance.js';
import { Notifications } from './Notifications.js';
import { Password } from './Password.js';
import { Profile } from './Profile.js';
import { Sessions } from './Sessions.js';

const PARTS = {
  profile: Profile,
  password: Password,
  sessions: Sessions,
  notifications: Notifications,
  appearance: Appearance,
} as const;
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
