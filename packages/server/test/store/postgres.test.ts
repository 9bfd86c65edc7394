import { describeStore } from './contract.js';
import { makePostgresSite } from './postgres-site.js';

describeStore('PostgreSQL', makePostgresSite);
