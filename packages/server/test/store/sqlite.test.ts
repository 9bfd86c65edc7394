import { describeStore } from './contract.js';
import { makeSqliteSite } from './sqlite-site.js';

describeStore('SQLite', makeSqliteSite);
