// SPDX-License-Identifier: Apache-2.0
// What the server knows apart from connections: clients and their sessions, subscriptions, durables, messages, maps, requests.
import { randomBytes, randomUUID } from 'node:crypto';
import { matches, plainDestination, readMatcher } from './message.mjs';

const nothing = {};

// First in, first out, and back to the front.
class Line {
  constructor() {
    this.front = []; // last one first
    this.items = [];
    this.at = 0;
  }

  get length() {
    return this.front.length + this.items.length - this.at;
  }

  push(item) {
    this.items.push(item);
  }

  putBack(items) {
    for (let i = items.length - 1; i >= 0; --i) this.front.push(items[i]);
  }

  shift() {
    if (this.front.length) return this.front.pop();
    const item = this.items[this.at];
    this.items[this.at++] = undefined;
    if (this.at > 1024 && this.at * 2 > this.items.length) {
      this.items = this.items.slice(this.at);
      this.at = 0;
    }
    return item;
  }
}

// Newest message for each value of the key; what was not delivered yet gives way to what is newer.
class Newest {
  constructor(key) {
    this.key = key;
    this.waiting = new Map();
    this.kept = new Map();
  }

  get length() {
    return this.waiting.size;
  }

  push(item, fields) {
    const value = String(fields[this.key]);
    item.value = value;
    this.kept.set(value, item.message);
    this.waiting.delete(value);
    this.waiting.set(value, item);
  }

  putBack(items) {
    for (const item of items) {
      if (!this.waiting.has(item.value) && this.kept.get(item.value) === item.message) this.waiting.set(item.value, item);
    }
  }

  shift() {
    const [value, item] = this.waiting.entries().next().value;
    this.waiting.delete(value);
    return item;
  }

  // A new subscriber begins with what there is.
  startOver() {
    for (const [value, message] of this.kept) if (!this.waiting.has(value)) this.waiting.set(value, { message, value, count: 0, out: 0 });
  }
}

// Where messages wait for one subscription, or for those of a shared durable.
class Source {
  constructor(name, type, matcher, key) {
    this.name = name; // of the durable, else undefined
    this.type = type; // "standard", "shared", "last-value"
    this.matcher = matcher;
    this.line = type === 'last-value' ? new Newest(key) : new Line();
    this.key = key;
    this.subscriptions = [];
    this.next = 0;
    this.owner = undefined;
  }

  pump() {
    const { line, subscriptions } = this;
    while (line.length > 0) {
      const n = subscriptions.length;
      let found;
      for (let i = 0; i < n && !found; ++i) {
        const candidate = subscriptions[(this.next + i) % n];
        if (candidate.takes()) {
          found = candidate;
          this.next = (this.next + i + 1) % n;
        }
      }
      if (!found) return;
      found.deliver(line.shift());
    }
  }
}

class Subscription {
  constructor(session, frame, matcher, source) {
    this.session = session;
    this.id = frame.id;
    this.to = JSON.stringify(frame.id);
    this.frame = frame;
    this.ack = frame.ack ?? 'auto';
    this.matcher = matcher;
    this.source = source;
    this.connection = null; // the one that asked for it, while it lives
    this.isStopped = false;
    this.unacked = new Map(); // seq -> item
    this.highSent = 0;
    this.highAcked = 0;
    this.stopSeq = 0;
    this.owesRepeats = false;
    this.repeats = new Set(); // sent again though acknowledged
    this.history = []; // of what was acknowledged
    this.delivered = 0;
    this.acknowledged = 0;
  }

  takes() {
    return (
      this.connection !== null &&
      !this.isStopped &&
      !this.connection.isBlocked &&
      (this.ack === 'none' || this.session.pending < this.session.maxPending)
    );
  }

  deliver(item) {
    const { session } = this;
    item.count += 1;
    this.delivered += 1;
    const keeps = session.qos && this.ack !== 'none';
    if (!keeps) {
      this.connection.event(this, session.qos && session.broker.config.seq_in_none ? session.number() : undefined, item);
      return;
    }
    const seq = session.number();
    this.unacked.set(seq, item);
    session.bySeq.set(seq, this);
    session.pending += 1;
    this.highSent = seq;
    item.out = this.connection.event(this, seq, item);
  }

  // Once more what was delivered on an earlier connection and not acknowledged, under the same numbers.
  repeatUnacked() {
    this.owesRepeats = false;
    const { connection } = this;
    for (const [seq, item] of this.unacked) {
      item.count += 1;
      item.out = connection.event(this, seq, item);
    }
  }

  // Once more the last ones that were acknowledged.
  repeatAcked(count) {
    const { connection } = this;
    for (const [seq, item] of this.history.slice(-count)) {
      this.repeats.add(seq);
      item.count += 1;
      connection.event(this, seq, item);
    }
  }

  release(seq) {
    const item = this.unacked.get(seq);
    this.unacked.delete(seq);
    this.session.bySeq.delete(seq);
    this.session.pending -= 1;
    return item;
  }

  acknowledge(seq) {
    const item = this.release(seq);
    this.acknowledged += 1;
    if (seq > this.highAcked) this.highAcked = seq;
    this.history.push([seq, item]);
    if (this.history.length > 2000) this.history = this.history.slice(1000);
    return item;
  }

  // What was sent after `seq` waits again.
  takeBack(seq = 0) {
    const back = [];
    for (const number of [...this.unacked.keys()].filter((n) => n > seq).sort((a, b) => a - b)) back.push(this.release(number));
    this.source.line.putBack(back);
  }

  detach() {
    const { source } = this;
    this.takeBack();
    this.connection = null;
    source.subscriptions = source.subscriptions.filter((one) => one !== this);
    source.next = 0;
    this.session.subscriptions.delete(this.id);
    source.pump();
    this.session.pump();
  }
}

// What lives from a welcome that resumes nothing until the client disconnects, or stays away for too long.
class Session {
  constructor(broker, client) {
    this.broker = broker;
    this.client = client;
    this.subscriptions = new Map();
    this.bySeq = new Map();
    this.lastSeq = 0;
    this.pending = 0;
    this.maxPending = broker.config.max_pending_acks;
    this.qos = true;
    this.timer = null;
  }

  number() {
    return ++this.lastSeq;
  }

  pump() {
    for (const subscription of this.subscriptions.values()) if (subscription.source.line.length > 0) subscription.source.pump();
  }

  end() {
    clearTimeout(this.timer);
    for (const subscription of [...this.subscriptions.values()]) {
      subscription.detach();
      if (subscription.source.name === undefined) this.broker.removeSource(subscription.source);
    }
    if (this.client.session === this) this.client.session = null;
    for (const [to, request] of this.broker.requests) if (request.session === this) this.broker.requests.delete(to);
  }
}

// One connection object of a program, over all its connections: what it has numbered, and which answers it may not have seen.
class Client {
  constructor(id) {
    this.id = id;
    this.token = undefined;
    this.tokenBefore = undefined;
    this.session = null;
    this.connection = null;
    this.highSeq = 0;
    this.seqIsKnown = true; // else the first number may be any
    this.handled = new Map(); // seq -> {op, text (of the answer, or undefined), out, connection, session}
    this.answered = []; // [seq, out] on the present connection, in order
    this.answeredAt = 0;
    this.usedIds = new Set(); // of subscriptions
    this.wanted = new Map(); // id -> frame, of those that a reconnect has to ask for again
  }

  // The client has seen everything up to this frame of the present connection.
  proven(out) {
    const { answered } = this;
    while (this.answeredAt < answered.length && answered[this.answeredAt][1] <= out) this.handled.delete(answered[this.answeredAt++][0]);
    if (this.answeredAt > 4096 && this.answeredAt * 2 > answered.length) {
      this.answered = answered.slice(this.answeredAt);
      this.answeredAt = 0;
    }
  }
}

export class Broker {
  constructor(config) {
    this.config = config;
    this.reset();
  }

  reset() {
    for (const client of this.clients?.values() ?? []) clearTimeout(client.session?.timer);
    this.clients = new Map();
    this.sources = new Set();
    this.byDest = new Map(); // destination -> sources whose matcher names it
    this.anywhere = new Set(); // the other ones
    this.durables = new Map();
    this.maps = new Map();
    this.requests = new Map(); // reply_to -> {session, seq, req} or {answer(raw)}
    this.lastRequest = 0;
    this.lastSid = 0;
    this.messages = [];
    this.published = 0;
    this.counts = { publish: 0, request: 0, reply: 0, injected: 0, again: 0 };
  }

  // Clients and sessions ----------------------------------------------------------------------------------------------------------------------------

  newToken() {
    return randomBytes(20).toString('base64');
  }

  newClientId() {
    return randomUUID().toUpperCase();
  }

  startSession(client) {
    client.session?.end();
    client.session = new Session(this, client);
    return client.session;
  }

  newClient(id) {
    const before = this.clients.get(id);
    before?.session?.end();
    const client = new Client(id);
    this.clients.set(id, client);
    return client;
  }

  // The connection is gone; its session may be asked for again.
  connectionLost(session) {
    for (const subscription of session.subscriptions.values()) subscription.connection = null;
    clearTimeout(session.timer);
    session.timer = setTimeout(() => session.end(), this.config.session_ttl * 1000);
    session.timer.unref();
  }

  // Subscriptions -----------------------------------------------------------------------------------------------------------------------------------

  addSource(source) {
    this.sources.add(source);
    const { dest } = source.matcher;
    if (dest === undefined) {
      this.anywhere.add(source);
      return;
    }
    if (!this.byDest.has(dest)) this.byDest.set(dest, new Set());
    this.byDest.get(dest).add(source);
  }

  removeSource(source) {
    this.sources.delete(source);
    this.anywhere.delete(source);
    this.byDest.get(source.matcher.dest)?.delete(source);
    if (source.owner !== undefined) this.durables.delete(source.owner);
  }

  // Throws {code, message}.
  subscribe(session, frame) {
    const fail = (code, message) => {
      throw Object.assign(new Error(message), { code });
    };
    let matcher;
    try {
      matcher = readMatcher(frame.matcher);
    } catch (error) {
      fail(22, error.message);
    }
    const type = frame.type ?? 'standard';
    if (type !== 'standard' && type !== 'shared' && type !== 'last-value') fail(22, `there is no type ${type}`);
    if (type !== 'standard' && frame.durable === undefined) fail(22, `type ${type} needs a durable name`);
    if (type === 'last-value') {
      if (frame.key === undefined) fail(22, 'type last-value needs a key');
      const test = matcher.tests.find((one) => one.name === frame.key);
      if (typeof test?.value !== 'string') fail(22, `type last-value needs a matcher with a string for ${frame.key}`);
    }
    let source;
    if (frame.durable === undefined) {
      source = new Source(undefined, type, matcher, frame.key);
      this.addSource(source);
    } else {
      const name = type === 'standard' ? `${session.client.id}.${frame.durable}` : frame.durable;
      source = this.durables.get(name);
      if (source) {
        if (source.type !== type) fail(22, `durable ${name} is of type ${source.type}`);
        if (source.key !== frame.key) fail(22, `durable ${name} has another key`);
        if (frame.matcher !== undefined && frame.matcher !== '' && source.matcher.text !== matcher.text)
          fail(22, `durable ${name} has another matcher`);
      } else {
        source = new Source(name, type, matcher, frame.key);
        source.owner = name;
        this.durables.set(name, source);
        this.addSource(source);
      }
    }
    if (type !== 'shared') {
      for (const other of [...source.subscriptions]) {
        const { connection } = other;
        other.detach();
        connection?.failed(other, 21, 'another subscriber took the durable over');
      }
    }
    const subscription = new Subscription(session, frame, matcher, source);
    source.subscriptions.push(subscription);
    session.subscriptions.set(frame.id, subscription);
    if (source.line instanceof Newest) source.line.startOver();
    return subscription;
  }

  unsubscribe(subscription, removes) {
    subscription.detach();
    const { source } = subscription;
    if (source.name === undefined || removes) {
      for (const other of [...source.subscriptions]) {
        const { connection } = other;
        other.detach();
        connection?.failed(other, 21, 'the durable was removed');
      }
      this.removeSource(source);
    }
  }

  // Messages ----------------------------------------------------------------------------------------------------------------------------------------

  // raw: the text of the body; fields: the same read.
  publish(kind, raw, fields, from, more = nothing) {
    const dest = typeof fields._dest === 'string' ? plainDestination(fields._dest) : undefined;
    const message = {
      sid: ++this.lastSid,
      kind,
      raw,
      dest,
      from,
      seq: more.seq,
      again: more.again,
      to: more.to,
      req: more.req,
    };
    this.counts[kind] += 1;
    this.keep(message);
    let receivers = 0;
    const offer = (source) => {
      if (!matches(source.matcher, fields)) return;
      receivers += 1;
      source.line.push({ message, value: undefined, count: 0, out: 0 }, fields);
      source.pump();
    };
    const named = dest === undefined ? undefined : this.byDest.get(dest);
    if (named) for (const source of named) offer(source);
    for (const source of this.anywhere) offer(source);
    return receivers;
  }

  keep(message) {
    this.messages.push(message);
    if (this.messages.length > 2 * this.config.keep) this.messages = this.messages.slice(-this.config.keep);
  }

  // Requests ----------------------------------------------------------------------------------------------------------------------------------------

  newRequest(about) {
    this.lastRequest += 1;
    const req = this.config.req_in_requests ? 1_000_000 + this.lastRequest : undefined;
    const to = `_INBOX.${randomBytes(6).toString('hex')}.${this.lastRequest}`;
    this.requests.set(to, { ...about, req });
    return { to, req };
  }
}
