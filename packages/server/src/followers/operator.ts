/** Keys and settings for a NATS of one's own in operator mode: what `nsc` does elsewhere, for who has nothing yet. */
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';
import { credentialsFile, seedOf, writeJwt } from './jwt.js';

/** Name and content of each file; all but the settings are secret. */
export interface OperatorFiles {
  files: Record<string, string>;
  /** Public key of the account. */
  account: string;
}

/** Without limits, as `nsc` makes them. */
const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = {
  ...UNLIMITED,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** `prefix`: NATS_PREFIX, below which nodes say and hear everything. `now` in seconds since 1970. */
export function makeOperatorFiles(prefix: string, now: number): OperatorFiles {
  const operator = createOperator();
  const [account, system, signing] = [createAccount(), createAccount(), createAccount()];
  const node = createUser();
  const accountJwt = (pair: KeyPair, name: string, signingKeys: string[]): string =>
    writeJwt(
      {
        subject: pair.getPublicKey(),
        name,
        expires: 0,
        nats: {
          type: 'account',
          limits: ACCOUNT,
          default_permissions: { pub: {}, sub: {} },
          ...(signingKeys.length > 0 ? { signing_keys: signingKeys } : {}),
        },
      },
      operator,
      now,
    );
  const operatorJwt = writeJwt(
    {
      subject: operator.getPublicKey(),
      name: 'natter',
      expires: 0,
      nats: { type: 'operator', system_account: system.getPublicKey() },
    },
    operator,
    now,
  );
  const nodeJwt = writeJwt(
    {
      subject: node.getPublicKey(),
      name: 'natter nodes',
      expires: 0,
      nats: {
        type: 'user',
        pub: { allow: [`${prefix}.>`] },
        sub: { allow: [`${prefix}.>`] },
        ...UNLIMITED,
      },
    },
    account,
    now,
  );
  const preload = [
    [account.getPublicKey(), accountJwt(account, 'natter', [signing.getPublicKey()])],
    [system.getPublicKey(), accountJwt(system, 'SYS', [])],
  ];
  return {
    account: account.getPublicKey(),
    files: {
      'nats.conf': [
        '# nats-server -c nats.conf',
        'port: 4222',
        `operator: "${operatorJwt}"`,
        `system_account: "${system.getPublicKey()}"`,
        'resolver: MEMORY',
        'resolver_preload: {',
        ...preload.map(([key, jwt]) => `  ${key}: "${jwt}"`),
        '}',
        '',
      ].join('\n'),
      'nodes.creds': credentialsFile(nodeJwt, seedOf(node)),
      'signing.seed': `${seedOf(signing)}\n`,
      'operator.seed': `${seedOf(operator)}\n`,
      'account.seed': `${seedOf(account)}\n`,
      'system.seed': `${seedOf(system)}\n`,
    },
  };
}
