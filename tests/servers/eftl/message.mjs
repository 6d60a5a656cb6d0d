// SPDX-License-Identifier: Apache-2.0
// Bodies of messages: what may be in them; and matchers.
import { Fraction, readExactly } from './json.mjs';

const specials = ['_d_', '_m_', '_o_'];
const words = ['NaN', 'Infinity', '-Infinity'];
const minLong = -(2n ** 63n);
const maxLong = 2n ** 63n - 1n;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const isWhole = (value) => typeof value === 'number' || typeof value === 'bigint';
export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Fraction);

// One of: string, long, double, date, opaque, message, array; undefined with a breach where it is none.
function kindOf(value, where, breach) {
  if (typeof value === 'string') return 'string';
  if (isWhole(value)) {
    if (typeof value === 'bigint' && (value < minLong || value > maxLong)) breach('body-long', `${where} does not fit 64 bits: ${value}`);
    return 'long';
  }
  if (value instanceof Fraction) return breach('body-fraction', `${where} is a bare number that is not spelled as a whole one: ${value.text}`);
  if (typeof value === 'boolean') return breach('body-boolean', `${where} is a boolean`);
  if (value === null) return breach('body-null', `${where} is null`);
  if (Array.isArray(value)) return 'array';
  const names = Object.keys(value);
  const special = specials.find((name) => Object.hasOwn(value, name));
  if (special === undefined) {
    checkMessage(value, breach, `${where}.`);
    return 'message';
  }
  if (names.length !== 1) breach('body-special', `${where} has ${special} and more`);
  const inner = value[special];
  if (special === '_d_') {
    if (!isWhole(inner) && !(inner instanceof Fraction) && !words.includes(inner))
      breach('body-double', `${where} is no double: ${JSON.stringify(inner)}`);
    return 'double';
  }
  if (special === '_m_') {
    if (!isWhole(inner)) breach('body-date', `${where} is no whole number of milliseconds`);
    return 'date';
  }
  if (typeof inner !== 'string' || !base64.test(inner)) breach('body-opaque', `${where} is no padded base64`);
  return 'opaque';
}

export function checkMessage(message, breach, prefix = '') {
  for (const name in message) {
    if (!Object.hasOwn(message, name)) continue;
    const value = message[name];
    if (name === '') breach('body-name', 'a field without a name');
    if (name.startsWith('_eftl:')) breach('body-reserved', `${prefix}${name} is metadata, which is never sent`);
    if (typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))) continue;
    const kind = kindOf(value, `${prefix}${name}`, breach);
    if (kind !== 'array') continue;
    let all;
    for (const element of value) {
      const one = kindOf(element, `an element of ${prefix}${name}`, breach);
      if (one === 'array') breach('body-array', `${prefix}${name} is an array of arrays`);
      if (one === 'opaque') breach('body-array', `${prefix}${name} is an array of opaque values`);
      if (all !== undefined && one !== all) {
        breach('body-array', `${prefix}${name} is an array of ${all} and ${one}`);
        break;
      }
      all = one;
    }
  }
}

// "TOPIC:X" and "X" are the same destination.
export const plainDestination = (text) => (text.startsWith('TOPIC:') ? text.slice(6) : text);

const wanted = (name, value) => (name === '_dest' && typeof value === 'string' ? plainDestination(value) : value);

// {tests, dest, strings} of a matcher's text. Throws with words where it is none.
export function readMatcher(text) {
  if (text === undefined || text === '') return { text: '', tests: [], dest: undefined };
  let object;
  const bad = (why) => {
    throw new Error(why);
  };
  try {
    JSON.parse(text);
    object = readExactly(text, (name) => bad(`${name} is there twice`), true);
  } catch (error) {
    return bad(`the matcher cannot be read: ${error.message}`);
  }
  if (!isObject(object)) bad('the matcher is no object');
  const tests = Object.entries(object).map(([name, value]) => {
    if (name === '') bad('the matcher has an empty field name');
    if (typeof value === 'string' && [...value].length > 256) bad('the matcher has a string of more than 256 characters');
    if (typeof value !== 'string' && typeof value !== 'boolean' && !isWhole(value))
      bad(`the matcher has something else than string, long or boolean: ${name}`);
    return { name, value: wanted(name, value) };
  });
  const dest = tests.find((test) => test.name === '_dest' && typeof test.value === 'string')?.value;
  return { text: JSON.stringify(tests.map((test) => [test.name, String(test.value)]).sort()), tests, dest };
}

export function matches(matcher, fields) {
  for (const { name, value } of matcher.tests) {
    const there = Object.hasOwn(fields, name);
    if (value === true || value === false) {
      if (there !== value) return false;
    } else if (!there || wanted(name, fields[name]) !== value) {
      return false;
    }
  }
  return true;
}
