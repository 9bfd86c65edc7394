/** The rules of names and e-mail addresses: what they may be, and the forms by which each is found and unique. Pure, and linear in their length. */
import { domainToASCII } from 'node:url';
import type { NameRules } from '../core/ports.js';
import { LOOK_ALIKES } from './look-alikes.js';

/** Ways to write a name: all of its letters are of one of these. Digits of ASCII go with every one. */
const WRITINGS = [
  // Latin without the letters of phonetics, many of which look like others.
  'A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u017f\\u01a0\\u01a1\\u01af\\u01b0\\u01cd-\\u01dc\\u01de-\\u01ef\\u01f4\\u01f5\\u01f8-\\u021b\\u021e\\u021f\\u0226-\\u0233\\u018f\\u0259\\u1e00-\\u1eff',
  '\\u0370-\\u03ff\\u1f00-\\u1fff',
  '\\u0400-\\u052f',
  // Japanese, Korean and Chinese with what is written beside the characters.
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u30fc',
  '\\p{Script=Han}\\p{Script=Hangul}',
  '\\p{Script=Han}\\p{Script=Bopomofo}',
  ...[
    'Arabic',
    'Armenian',
    'Bengali',
    'Devanagari',
    'Ethiopic',
    'Georgian',
    'Gujarati',
    'Gurmukhi',
    'Hebrew',
    'Kannada',
    'Khmer',
    'Lao',
    'Malayalam',
    'Myanmar',
    'Oriya',
    'Sinhala',
    'Tamil',
    'Telugu',
    'Thaana',
    'Thai',
    'Tibetan',
  ].map((script) => `\\p{Script=${script}}`),
  // Arabic numerals are common to several scripts.
].map((letters) => new RegExp(`^[0-9\\u0660-\\u0669\\u06f0-\\u06f9${letters}._\\-\\p{Mark}]+$`, 'u'));

/** Letters and digits with at most four marks each; `.`, `_` and `-` between them. */
const SHAPE = /^[\p{L}\p{Nd}]\p{M}{0,4}(?:[._-]*[\p{L}\p{Nd}]\p{M}{0,4})*$/u;
/** Not to be seen, or drawn over other letters; a lengthening stroke that changes only how wide a name is. */
const REFUSED = /\p{Default_Ignorable_Code_Point}|[\u0334-\u0338]|[\u0363-\u036f]|\u0640/u;
/** Words that call everybody, or that stand for no person. */
const RESERVED = new Set(['all', 'room', 'everyone', 'channel', 'here', 'me', 'system', 'deleted']);
const DELETED = /^deleted[._-]*[0-9]+$/;

/** The case of letters taken away, full: ß is ss, and every sigma the same. */
const foldCase = (text: string): string => text.toUpperCase().toLowerCase();

/** The folded form, by which a name is found: its case does not count. */
export function nameKey(name: string): string {
  return foldCase(name.normalize('NFKC'))
    .normalize('NFD')
    .replaceAll('i\u0307', 'i')
    .replaceAll('ς', 'σ')
    .normalize('NFC');
}

/**
 * The forms by which a name is taken: the folded one, and the one that it may be read as. A capital I is read as a small
 * l here, as it stands; were that folded too, no two names that differ in i and l could be.
 */
function nameKeys(name: string): string[] {
  let look = '';
  for (const letter of nameKey(name.normalize('NFKC').replaceAll('I', 'l')).normalize('NFD')) {
    look += LOOK_ALIKES.get(letter) ?? letter;
  }
  return [...new Set([nameKey(name), look.normalize('NFC')])];
}

export function nameProblem(name: string, max: number): string | null {
  // Normalising costs: what is far too long is refused before.
  if (name.length > max * 4) return `must be at most ${max} characters`;
  const text = name.normalize('NFKC');
  if (text !== name) return 'must be written with plain letters (normal form NFKC)';
  if (text === '') return 'must not be empty';
  if ([...text].length > max) return `must be at most ${max} characters`;
  if (REFUSED.test(text) || !SHAPE.test(text)) {
    return 'must be letters and digits, with ., _ or - only between them';
  }
  if (!WRITINGS.some((writing) => writing.test(text))) return 'must be written in one script';
  const plain = foldCase(text);
  if (RESERVED.has(plain) || DELETED.test(plain)) return 'is reserved';
  return null;
}

/** What an address is unique by: nearly all mail servers take the local part in any case. */
export function emailKey(address: string): string {
  const { local, domain } = split(address);
  // What is no domain stays as it is: some APIs take any text as an address.
  return `${local.toLowerCase()}@${(domainToASCII(domain) || domain).toLowerCase()}`;
}

const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function emailProblem(address: string): string | null {
  const problem = 'must be an e-mail address such as name@example.org';
  if (address.length > 254) return problem;
  const { local, domain } = split(address);
  if (local.length > 64 || !LOCAL.test(local) || !/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return problem;
  const labels = domainToASCII(domain).split('.');
  const top = labels.at(-1) ?? '';
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label)) || !/[a-z]/.test(top)) return problem;
  return null;
}

function split(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}

export const nameRules: NameRules = { key: nameKey, keys: nameKeys, problem: nameProblem, emailKey, emailProblem };
