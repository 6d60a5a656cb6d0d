// SPDX-License-Identifier: Apache-2.0
// The frames that a client may send: members, their types, since which protocol, and how the server says that it failed.
import { isObject } from './message.mjs';

const types = {
  integer: (v) => Number.isSafeInteger(v),
  string: (v) => typeof v === 'string',
  text: (v) => typeof v === 'string' && v !== '',
  boolean: (v) => typeof v === 'boolean',
  object: isObject,
};

const frame = (name, members, { since = 0, answer, code } = {}) => ({
  name,
  since,
  answer,
  code,
  members: Object.fromEntries(
    Object.entries(members).map(([key, type]) => {
      const optional = type.endsWith('?');
      const word = optional ? type.slice(0, -1) : type;
      return [key, { word, optional, holds: types[word] }];
    }),
  ),
});

// answer: the op that tells of a failure, or 10; code: what it says then.
export const frames = {
  0: { name: 'heartbeat', since: 0 }, // comes back as it was sent
  1: frame('login', {
    client_type: 'text',
    client_version: 'string',
    login_options: 'object',
    protocol: 'integer?',
    user: 'string?',
    password: 'string?',
    client_id: 'text?',
    id_token: 'text?',
    max_pending_acks: 'integer?',
  }),
  3: frame(
    'subscribe',
    {
      id: 'text',
      stopped: 'boolean?',
      matcher: 'string?',
      durable: 'text?',
      ack: 'text?',
      type: 'text?',
      key: 'text?',
    },
    { answer: 6, code: 21 },
  ),
  5: frame('unsubscribe', { id: 'text', del: 'boolean?' }, { answer: 10, code: 20 }),
  8: frame('publish', { body: 'object', seq: 'integer?' }, { answer: 9, code: 11 }),
  9: frame('ack', { seq: 'integer', id: 'text?' }, { answer: 10, code: 20 }),
  11: frame('disconnect', { reason: 'string?' }),
  13: frame('request', { seq: 'integer', body: 'object' }, { since: 1, answer: 14, code: 41 }),
  15: frame('reply', { seq: 'integer', to: 'text', req: 'integer', body: 'object' }, { since: 1, answer: 9, code: 41 }),
  16: frame('map create', { map: 'text', seq: 'integer?' }, { answer: 26, code: 30 }),
  18: frame('map destroy', { map: 'text', seq: 'integer?' }, { answer: 26, code: 30 }),
  20: frame('map set', { map: 'text', key: 'text', value: 'object', seq: 'integer?' }, { answer: 26, code: 30 }),
  22: frame('map get', { map: 'text', key: 'text', seq: 'integer' }, { answer: 26, code: 30 }),
  24: frame('map remove', { map: 'text', key: 'text', seq: 'integer?' }, { answer: 26, code: 30 }),
  28: frame('stop', { id: 'text', seq: 'integer' }, { since: 1, answer: 10, code: 50 }),
  30: frame('start', { id: 'text' }, { since: 1, answer: 10, code: 51 }),
};

// These share one counter of the client's.
export const numbered = new Set([8, 13, 15, 16, 18, 20, 22, 24]);

// Whether the frame has all it needs, each of its type. What is not known is a breach too, but no harm.
export function check(kind, value, breach) {
  let good = true;
  for (const name in value) {
    if (name === 'op') continue;
    if (!Object.hasOwn(kind.members, name)) {
      breach('unknown-member', `${kind.name} has the member "${name}"`);
      continue;
    }
    const { word, holds, optional } = kind.members[name];
    if (holds(value[name])) continue;
    // Some old clients spell the boolean so, and servers take it.
    if (name === 'del' && (value.del === 'false' || value.del === 'true')) {
      breach('type', 'del is a string, not a boolean');
      value.del = value.del === 'true';
      continue;
    }
    breach('type', `"${name}" of ${kind.name} is no ${word === 'text' ? 'string with something in it' : word}`);
    if (optional) delete value[name];
    good = false;
  }
  for (const name in kind.members) {
    if (!kind.members[name].optional && !Object.hasOwn(value, name)) {
      breach('missing', `${kind.name} has no "${name}"`);
      good = false;
    }
  }
  return good;
}
