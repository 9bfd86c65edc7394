/** How FastAPI's security schemes refuse those who come without a good token. */
import { type Failure, fail } from './failure.js';

export interface BearerRules {
  /** No `Authorization`, or one without a token. */
  missing: Failure;
  otherScheme: Failure;
  bad: Failure;
  /** Of an account that is deactivated, where that is told apart from a bad token. */
  inactive?: Failure;
}

/** Says how to ask instead. */
export const BEARER = { 'www-authenticate': 'Bearer' };

const BAD = 'Could not validate credentials';

/** OAuth2PasswordBearer. */
export const OAUTH2: BearerRules = {
  missing: fail(401, 'Not authenticated', BEARER),
  otherScheme: fail(401, 'Not authenticated', BEARER),
  bad: fail(401, BAD, BEARER),
};

/** HTTPBearer, as FastAPI had it when these APIs were written. `bad`: what an API says of a token that is none. */
export const httpBearer = (bad = BAD): BearerRules => ({
  missing: fail(403, 'Not authenticated'),
  otherScheme: fail(403, 'Invalid authentication credentials'),
  bad: fail(401, bad, BEARER),
});
