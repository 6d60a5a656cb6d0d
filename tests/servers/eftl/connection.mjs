// SPDX-License-Identifier: Apache-2.0
// One connection of a client: what may come when, and what is answered.
import { frames, check, numbered } from './frames.mjs';
import { rawMember, readExactly } from './json.mjs';
import { checkMessage, isObject } from './message.mjs';
import { WebSocket } from './websocket.mjs';

// What may be denied, by which name, and the code that says so.
const destination = (value) => value.fields._dest;
const mapName = (value) => value.map;
const matched = (value) => {
  try {
    return JSON.parse(value.matcher)._dest;
  } catch {
    return undefined;
  }
};
const mapRule = { name: 'map', of: mapName, code: 14 };
const rules = {
  3: { name: 'subscribe', of: matched, code: 13 },
  8: { name: 'publish', of: destination, code: 12 },
  13: { name: 'request', of: destination, code: 40 },
  18: mapRule,
  20: mapRule,
  22: mapRule,
  24: mapRule,
};

const mostWaiting = 4 * 2 ** 20; // bytes that wait for the client before no more events are sent, and 4 times that before it is no longer read
const disconnectLimit = 5000; // ms between op 11 and the close frame

export const basic = (user, password) => `Basic ${Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64')}`;
const unquoted = (frame) => ({ ...frame, stopped: undefined });
const sameWish = (a, b) => JSON.stringify(Object.entries(unquoted(a)).sort()) === JSON.stringify(Object.entries(unquoted(b)).sort());

// An answer to what a client numbered; it waits until the client asks again where the connection that asked is gone.
function answer(client, seq, text) {
  const entry = client.handled.get(seq);
  if (!entry) return;
  entry.text = text;
  const { connection } = client;
  if (connection && entry.connection === connection.n) connection.sendAnswer(client, seq, entry);
}

export class Connection {
  constructor(server, n, request, stream, raw) {
    this.server = server;
    this.config = server.config;
    this.broker = server.broker;
    this.n = n;
    this.request = request; // {path, client_id, authorization, subprotocol, tls}
    this.state = 'upgraded'; // login, open, disconnecting, over
    this.client = null;
    this.session = null;
    this.protocol = 0;
    this.loginFrame = undefined;
    this.framesIn = 0;
    this.out = 0;
    this.events = 0;
    this.lastSeq = 0;
    this.isPastResends = false;
    this.activeIds = new Set();
    this.goneIds = new Set();
    this.beats = [];
    this.lastBeat = 0;
    this.lastIn = Date.now();
    this.timers = [];
    this.trace = [];
    this.endedByUs = false;

    // Behaviour that faults change.
    this.triggers = [];
    this.isSilent = false;
    this.isDeaf = false;
    this.handleDelay = 0;
    this.answerDelay = 0;
    this.losesAnswers = false;
    this.reorders = 0;
    this.reordered = [];
    this.batch = 0;
    this.batched = [];
    this.errors = [];
    this.welcomeChanges = {};
    this.refusesResume = false;
    this.repeats = 0;

    this.socket = new WebSocket(stream, raw, {
      text: (text, bytes) => this.#received(text, bytes),
      binary: () => this.breach('binary', 'a binary message'),
      ping: () => this.note('ping', 'a WebSocket ping'),
      pong: (payload) => this.#pong(payload),
      close: (code, reason, isAnswer) => this.#closed(code, reason, isAnswer),
      breach: (kind, words) => this.breach(kind, words),
      drained: () => this.#drained(),
      ended: () => this.#ended(),
    });
    this.#after(this.config.login_limit * 1000, () => {
      if (this.state !== 'upgraded' || this.isDeaf) return;
      this.note('no-login', `no login within ${this.config.login_limit} s`);
      this.close(1008, 'no login');
    });
  }

  breach(kind, words, frame) {
    if (!this.isReset) this.server.breaches.add('breach', kind, words, this, frame);
  }

  note(kind, words, frame) {
    if (!this.isReset) this.server.breaches.add('note', kind, words, this, frame);
  }

  #after(ms, call) {
    const timer = setTimeout(call, ms);
    timer.unref();
    this.timers.push(timer);
  }

  // Sending -----------------------------------------------------------------------------------------------------------------------------------------

  get isBlocked() {
    return this.socket.waiting > mostWaiting;
  }

  // Returns the number of the frame on this connection.
  send(text) {
    const out = ++this.out;
    if (this.config.trace > 0) this.#traced('>', text);
    if (!this.isSilent) this.socket.text(text);
    if (this.triggers.length) this.count('sent');
    if (this.socket.waiting > 4 * mostWaiting && !this.isDeaf) this.socket.stream.pause();
    return out;
  }

  event(subscription, seq, item) {
    const { message } = item;
    const number = seq === undefined ? '' : `,"seq":${seq}`;
    const counts = this.config.counts_in_events ? `,"sid":${message.sid},"cnt":${item.count}` : '';
    const req = message.req === undefined ? '' : `,"req":${message.req}`;
    const request = message.to === undefined ? '' : `,"reply_to":${JSON.stringify(message.to)}${req}`;
    const text = `{"op":7,"to":${subscription.to}${number}${counts}${request},"body":${message.raw}}`;
    this.events += 1;
    let out;
    if (this.batch > 0) {
      out = this.out + 1; // of the array that it will be in
      this.batched.push(text);
      if (this.batched.length === 1) setImmediate(() => this.#sendBatch());
      if (this.batched.length >= this.batch) this.#sendBatch();
    } else {
      out = this.send(text);
    }
    if (this.triggers.length) this.count('events');
    return out;
  }

  #sendBatch() {
    if (this.batched.length === 0) return;
    const text = `[${this.batched.join(',')}]`;
    this.batched = [];
    this.send(text);
  }

  sendAnswer(client, seq, entry) {
    const give = () => {
      if (this.state === 'over') return;
      entry.connection = this.n;
      entry.out = this.send(entry.text);
      client.answered.push([seq, entry.out]);
    };
    if (this.losesAnswers) return;
    if (this.answerDelay > 0) {
      this.#after(this.answerDelay, give);
    } else if (this.reorders > 0) {
      this.reordered.push(give);
      const giveAll = () => {
        const all = this.reordered;
        this.reordered = [];
        for (const one of all.reverse()) one();
      };
      if (this.reordered.length >= this.reorders) giveAll();
      else if (this.reordered.length === 1) this.#after(50, giveAll);
    } else {
      give();
    }
  }

  failed(subscription, err, reason) {
    this.activeIds.delete(subscription.id);
    this.goneIds.add(subscription.id);
    if (err === 22) this.client.wanted.delete(subscription.id);
    this.send(JSON.stringify({ op: 6, id: subscription.id, err, reason }));
  }

  close(code, reason) {
    this.endedByUs = true;
    this.socket.close(code, reason);
  }

  drop(how) {
    this.endedByUs = true;
    this.socket.drop(how);
  }

  // Says that an operation failed, in the way of that operation.
  #fail(kind, value, err, reason) {
    if (kind.answer === 6) {
      this.send(JSON.stringify({ op: 6, id: value.id, err, reason }));
    } else if (kind.answer === 10 || kind.answer === undefined) {
      this.send(JSON.stringify({ op: 10, err, reason }));
    } else if (Number.isSafeInteger(value.seq)) {
      answer(this.client, value.seq, JSON.stringify({ op: kind.answer, seq: value.seq, err, reason }));
    }
  }

  // Triggers of faults ------------------------------------------------------------------------------------------------------------------------------

  count(what) {
    for (const trigger of this.triggers) {
      if (trigger.what !== what || --trigger.left > 0) continue;
      this.triggers = this.triggers.filter((one) => one !== trigger);
      trigger.act();
    }
  }

  // Receiving ---------------------------------------------------------------------------------------------------------------------------------------

  #traced(direction, text) {
    this.trace.push(`${direction} ${text.slice(0, 2000)}`);
    if (this.trace.length > 2 * this.config.trace) this.trace = this.trace.slice(-this.config.trace);
  }

  #received(text, bytes) {
    this.lastIn = Date.now();
    this.framesIn += 1;
    if (this.config.trace > 0) this.#traced('<', text);
    if (this.handleDelay > 0) this.#after(this.handleDelay, () => this.#handle(text, bytes));
    else this.#handle(text, bytes);
  }

  #handle(text, bytes) {
    if (this.state === 'over' || this.endedByUs) return;
    let value;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.breach('json', `a frame that is not JSON: ${error.message}`, text);
      this.close(1007, 'not JSON');
      return;
    }
    const kind = isObject(value) ? frames[value.op] : undefined;
    if (!isObject(value) || !Number.isSafeInteger(value.op)) {
      this.breach('json', 'a frame that is no object with an integer op', text);
      this.close(1002, 'no op');
    } else if (!kind) {
      this.breach('unknown-op', `op ${value.op} is not for clients`, text);
    } else if (this.#isInTurn(value, kind, text)) {
      try {
        if (value.op === 0) this.#beaten(text);
        else this.#operate(value, kind, text, bytes);
      } catch (error) {
        // A fault of this server, or nesting that is too deep for it.
        console.error(error);
        this.breach('server-error', error.message, text);
        this.close(1011, error.message);
      }
    }
    if (this.triggers.length === 0 || !kind) return;
    if (numbered.has(value.op)) this.count('messages');
    this.count('frames');
  }

  #isInTurn(value, kind, text) {
    switch (this.state) {
      case 'upgraded':
        if (value.op === 1) return true;
        this.breach('before-login', `${kind.name} before the login`, text);
        this.close(1002, 'no login');
        return false;
      case 'login':
        if (value.op === 11) return true;
        this.breach(value.op === 1 ? 'second-login' : 'before-welcome', `${kind.name} before the welcome`, text);
        this.close(1002, 'not welcome yet');
        return false;
      case 'open':
        if (value.op !== 1) return true;
        this.breach('second-login', 'a second login on one connection', text);
        this.close(1002, 'already logged in');
        return false;
      default:
        this.breach('after-disconnect', `${kind.name} after the disconnect`, text);
        return false;
    }
  }

  #operate(value, kind, text, bytes) {
    const breach = (what, words) => this.breach(what, words, text);
    const raw = rawMember(text, kind.members.body ? 'body' : 'value', (name) => breach('repeated-member', `"${name}" is there twice`));
    const good = check(kind, value, breach);
    if (this.state === 'open') {
      if (!this.isProven) this.#welcomed();
      if (this.protocol < kind.since) {
        breach('not-supported', `${kind.name} in protocol ${this.protocol}`);
        return;
      }
    }
    const isNumbered = numbered.has(value.op);
    if (isNumbered && this.config.max_size > 0 && bytes > this.config.max_size) {
      breach('too-large', `${bytes} bytes, where ${this.config.max_size} are the most`);
      this.close(1009, 'message too large');
      return;
    }
    let isAgain = false;
    if (isNumbered) {
      const known = this.#number(value, kind, text);
      if (known === 'done') return;
      isAgain = known === 'again';
    }
    if (!good) {
      if (this.state === 'open') this.#fail(kind, value, kind.code ?? 20, 'malformed');
      else if (value.op === 1) this.close(1002, 'a malformed login');
      return;
    }
    if (this.errors.length && this.#failsOnDemand(value, kind)) return;
    if (raw !== undefined) {
      const fields = readExactly(raw, (name) => breach('repeated-member', `field "${name}" is there twice`));
      checkMessage(fields, (what, words) => breach(what, words));
      value.fields = fields;
    }
    if (!this.#isDenied(value, kind)) this.#operations[value.op].call(this, value, raw, text, isAgain);
  }

  // What the config's `denied` forbids.
  #isDenied(value, kind) {
    const rule = rules[value.op];
    const names = rule && this.config.denied[rule.name];
    if (!names || !names.includes(rule.of(value))) return false;
    if (value.op === 3) this.client.usedIds.add(value.id);
    const { seq } = value;
    this.#fail(kind.answer === 9 && seq === undefined ? { answer: 10 } : kind, value, rule.code, 'not allowed');
    return true;
  }

  #failsOnDemand(value, kind) {
    const error = this.errors.find((one) => one.op === value.op);
    if (!error) return false;
    if (--error.left === 0) this.errors = this.errors.filter((one) => one !== error);
    if (value.op === 3) {
      this.client.usedIds.add(value.id);
      if (error.err === 22) this.client.wanted.delete(value.id);
      else this.client.wanted.set(value.id, value);
    }
    this.#fail(kind, value, error.err, error.reason);
    return true;
  }

  // The counter of what is published, asked and set. Returns "new", "again" (to be done once more) or "done".
  #number(value, kind, text) {
    const { client } = this;
    const { seq } = value;
    const breach = (what, words) => this.breach(what, words, text);
    if (seq === undefined) {
      if (this.session.qos && value.op !== 18) breach('seq-missing', `${kind.name} without seq`);
      return 'new';
    }
    if (!Number.isSafeInteger(seq)) return 'new'; // told already
    if (seq < 1) breach('seq-order', `${kind.name} with seq ${seq}`);
    const entry = client.handled.get(seq);
    if (seq <= this.lastSeq) {
      const isReused = entry ? entry.connection === this.n : this.isPastResends;
      breach(isReused ? 'seq-reused' : 'seq-order', `${kind.name} with seq ${seq} after ${this.lastSeq}`);
    } else if (seq <= client.highSeq) {
      if (this.isPastResends) breach('seq-order', `${kind.name} with seq ${seq} after ${client.highSeq}`);
      else if (!entry) breach('seq-resent', `${kind.name} with seq ${seq} again, whose answer the client had, or which it never sent`);
      else if (entry.op !== value.op) breach('seq-resent', `seq ${seq} was a ${frames[entry.op].name}, and is a ${kind.name} now`);
      this.lastSeq = seq;
    } else {
      const next = client.highSeq + 1;
      if (seq !== next && client.seqIsKnown) {
        const words = `${kind.name} with seq ${seq}, where ${next} is due`;
        if (this.isPastResends || !client.hasReconnected) breach('seq-gap', words);
        else this.note('seq-gap-after-reconnect', words, text);
      }
      client.seqIsKnown = true;
      if (!this.isPastResends) this.#resendsAreOver();
      client.highSeq = this.lastSeq = seq;
    }
    if (entry && this.config.dedupe && entry.session === this.session) {
      entry.connection = this.n;
      if (entry.text !== undefined) this.sendAnswer(client, seq, entry);
      return 'done';
    }
    client.handled.set(seq, { op: value.op, text: undefined, out: Infinity, connection: this.n, session: this.session });
    return entry ? 'again' : 'new';
  }

  #resendsAreOver() {
    this.isPastResends = true;
    const { handled } = this.client;
    for (const [seq, entry] of handled) {
      if (entry.connection === this.n) continue;
      if (entry.text === undefined)
        this.note('not-resent', `${frames[entry.op].name} ${seq} was not answered on an earlier connection, and not sent again`);
      handled.delete(seq);
    }
  }

  // Login -------------------------------------------------------------------------------------------------------------------------------------------

  #login(value, _raw, text) {
    const { config, broker, request } = this;
    const breach = (what, words) => this.breach(what, words, text);
    this.loginFrame = { ...value, password: value.password === undefined ? undefined : '***' };
    for (const [name, option] of Object.entries(value.login_options)) {
      if (typeof option !== 'string') breach('type', `login option ${name} is no string`);
    }
    if (value.login_options._qos !== 'true') breach('value', 'login option _qos is not "true"');
    if (value.login_options._resume !== undefined && value.login_options._resume !== 'true') breach('value', 'login option _resume is not "true"');
    if (value.protocol !== undefined && value.protocol !== 0 && value.protocol !== 1) breach('value', `protocol ${value.protocol}`);
    if (value.max_pending_acks !== undefined && value.max_pending_acks < 1) breach('value', `max_pending_acks ${value.max_pending_acks}`);

    const credentials = value.user || value.password ? basic(value.user, value.password) : undefined;
    if (credentials !== request.authorization) {
      breach(
        'authorization',
        request.authorization ? 'the upgrade has other credentials than the login' : 'credentials in the login, but not in the upgrade',
      );
    }
    if (!config.anonymous && !(Object.hasOwn(config.users, value.user ?? '') && config.users[value.user ?? ''] === (value.password ?? ''))) {
      if (config.error_before_4002) this.send(JSON.stringify({ op: 10, err: 4002, reason: 'not authenticated' }));
      this.close(4002, 'not authenticated');
      return;
    }

    if (value.id_token !== undefined && value.client_id === undefined) breach('token', 'an id_token without a client_id');
    if (value.id_token === undefined && request.client_id !== undefined && request.client_id !== value.client_id) {
      breach('client-id', `the request line has client_id ${request.client_id}, the login ${value.client_id}`);
    }
    const id = value.client_id ?? broker.newClientId();
    let client = broker.clients.get(id);
    const goesOn = client !== undefined && value.id_token !== undefined && (value.id_token === client.token || value.id_token === client.tokenBefore);
    if (client?.connection) {
      const older = client.connection;
      older.#leave(false);
      older.isSuperseded = goesOn; // it may well be dead
      older.close(4000, 'another client has this client id');
    }
    if (!goesOn) {
      if (value.id_token !== undefined && client !== undefined) {
        if (client.tokensPassed?.includes(value.id_token)) breach('token', 'an id_token that a later welcome had replaced');
        else this.note('token', 'an id_token that the server does not know', text);
      }
      client = broker.newClient(id);
      client.seqIsKnown = value.id_token === undefined;
    }
    this.client = client;
    client.connection = this;
    client.hasReconnected = goesOn;
    client.answered = [];
    client.answeredAt = 0;
    this.server.faults.loggedIn(this);

    const mayResume = (config.resume ?? config.protocol >= 1) && value.login_options._resume === 'true' && !this.refusesResume;
    this.isResumed = goesOn && mayResume && client.session !== null;
    if (this.isResumed) clearTimeout(client.session.timer);
    else broker.startSession(client);
    this.session = client.session;
    this.protocol = Math.min(config.protocol, value.protocol ?? 0);
    this.session.qos = config.qos;
    this.session.maxPending = value.max_pending_acks ?? config.max_pending_acks;
    this.stopSupported = (config.stop ?? true) && this.protocol >= 1;
    for (const subscription of this.session.subscriptions.values()) {
      subscription.owesRepeats = true;
    }
    client.tokenBefore = goesOn ? value.id_token : undefined;
    if (!goesOn || config.new_token) client.token = broker.newToken();
    this.state = 'login';
    if (config.welcome_delay > 0) this.#after(config.welcome_delay, () => this.#welcome());
    else setImmediate(() => this.#welcome());
  }

  #welcome() {
    if (this.state !== 'login' || this.endedByUs) return;
    const { config, client } = this;
    const welcome = {
      op: 2,
      client_id: client.id,
      id_token: client.token,
      timeout: config.timeout,
      heartbeat: config.heartbeat,
      max_size: config.max_size,
      _qos: String(this.session.qos),
    };
    if (config.protocol >= 1) {
      welcome.protocol = config.protocol;
      welcome._resume = String(this.isResumed);
      welcome.stop_supported = String(this.stopSupported);
    }
    Object.assign(welcome, this.welcomeChanges);
    for (const name of Object.keys(welcome)) if (welcome[name] === null) delete welcome[name];
    this.state = 'open';
    this.send(JSON.stringify(welcome));
    if (config.heartbeat > 0) this.#beatEvery(config.heartbeat * 1000);
  }

  // The client has read the welcome: what it was before has no worth any more.
  #welcomed() {
    const { client } = this;
    this.isProven = true;
    if (client.tokenBefore !== undefined && client.tokenBefore !== client.token) {
      (client.tokensPassed ??= []).push(client.tokenBefore);
      if (client.tokensPassed.length > 100) client.tokensPassed.shift();
    }
    client.tokenBefore = undefined;
  }

  // Heartbeats --------------------------------------------------------------------------------------------------------------------------------------

  #beatEvery(ms) {
    const beat = () => {
      if (this.state !== 'open') return;
      if (this.config.timeout > 0 && Date.now() - this.lastIn > this.config.timeout * 1000 && !this.isDeaf && !this.isSilent) {
        this.breach('heartbeat-missing', `nothing came for ${this.config.timeout} s`);
        this.drop('reset');
        return;
      }
      this.beat();
      this.#after(ms, beat);
    };
    this.#after(ms, beat);
  }

  beat() {
    const text = this.config.heartbeat_extra ? `{"op":0,"beat":${++this.lastBeat}}` : '{"op":0}';
    const beat = { text, out: this.send(text) };
    if (this.isSilent) return;
    this.beats.push(beat);
    this.#after(this.config.echo_limit * 1000, () => {
      if (this.state !== 'open' || this.isDeaf || this.isSilent || this.socket.rate > 0 || this.handleDelay > 0 || !this.beats.includes(beat)) return;
      this.breach('heartbeat-late', `${text} was not sent back within ${this.config.echo_limit} s`);
    });
  }

  #beaten(text) {
    if (!this.isProven) this.#welcomed();
    const beat = this.beats.shift();
    if (!beat) {
      this.breach('heartbeat-unasked', 'a heartbeat that the server did not begin', text);
      return;
    }
    if (text !== beat.text) this.breach('heartbeat-changed', `a heartbeat that is not ${beat.text}`, text);
    this.client.proven(beat.out);
  }

  // A WebSocket ping, whose payload must come back.
  ping(payload) {
    this.pinged = Buffer.from(payload);
    this.socket.frame(9, this.pinged);
    const { pinged } = this;
    this.#after(this.config.echo_limit * 1000, () => {
      if (this.state !== 'over' && this.pinged === pinged) this.breach('ws-pong', `no pong within ${this.config.echo_limit} s`);
    });
  }

  #pong(payload) {
    if (!this.pinged) this.note('pong', 'a pong that nobody asked for');
    else if (!payload.equals(this.pinged)) this.breach('ws-pong', 'a pong with another payload than the ping');
    this.pinged = undefined;
  }

  // Subscriptions -----------------------------------------------------------------------------------------------------------------------------------

  #subscribe(value, _raw, text) {
    const { client, session } = this;
    const { id } = value;
    const breach = (what, words) => this.breach(what, words, text);
    if (value.ack !== undefined && !['auto', 'client', 'none'].includes(value.ack)) breach('value', `ack ${value.ack}`);
    if (value.type !== undefined && !['shared', 'last-value'].includes(value.type)) breach('value', `type ${value.type}`);
    if (value.key !== undefined && value.type !== 'last-value') breach('value', 'a key, but not type last-value');
    if (value.stopped !== undefined && !this.stopSupported) breach('not-supported', 'stopped, which the server does not know');
    if (this.activeIds.has(id) || this.goneIds.has(id)) {
      breach('sub-id-reused', `subscription id ${id} was used on this connection`);
      this.#fail(frames[3], value, 21, 'the id is in use');
      return;
    }
    const before = client.wanted.get(id);
    if (before) {
      if (this.lastSeq > 0) breach('resubscribe-late', `subscription ${id} is asked for again after something numbered`);
      if (!sameWish(before, value)) breach('resubscribe-changed', `subscription ${id} was asked for as ${JSON.stringify(before)}`);
    } else if (client.usedIds.has(id)) {
      breach('sub-id-reused', `subscription id ${id} was used by this client`);
    }
    client.usedIds.add(id);
    client.wanted.set(id, value);
    let subscription = session.subscriptions.get(id);
    if (!subscription) {
      try {
        subscription = this.broker.subscribe(session, value);
      } catch (error) {
        if (error.code === undefined) throw error;
        if (error.code === 22) client.wanted.delete(id);
        this.#fail(frames[3], value, error.code, error.message);
        return;
      }
    }
    this.activeIds.add(id);
    subscription.connection = this;
    subscription.isStopped = value.stopped === true;
    if (subscription.isStopped) subscription.stopSeq = subscription.highSent;
    this.send(`{"op":4,"id":${subscription.to}}`);
    if (!subscription.isStopped) this.#deliver(subscription);
  }

  #deliver(subscription) {
    if (subscription.owesRepeats) subscription.repeatUnacked();
    if (this.repeats > 0 && this.isResumed) subscription.repeatAcked(this.repeats);
    subscription.source.pump();
  }

  #unsubscribe(value, _raw, text) {
    const { client, session } = this;
    const subscription = session.subscriptions.get(value.id);
    if (value.del === false && this.protocol < 1) this.breach('not-supported', 'closing a subscription in protocol 0', text);
    client.wanted.delete(value.id);
    if (!subscription || subscription.connection !== this) {
      if (this.goneIds.has(value.id)) {
        this.note('unsubscribe-gone', `subscription ${value.id} is gone already`, text);
        return;
      }
      this.breach('unknown-subscription', `there is no subscription ${value.id} to unsubscribe`, text);
      this.send(JSON.stringify({ op: 10, err: 20, reason: `bad subscription id ${value.id}` }));
      return;
    }
    this.activeIds.delete(value.id);
    this.goneIds.add(value.id);
    this.broker.unsubscribe(subscription, value.del !== false);
    if (this.config.answer_unsubscribe) this.send(JSON.stringify({ op: 6, id: value.id }));
  }

  #own(value, text, what) {
    const subscription = this.session.subscriptions.get(value.id);
    if (subscription && subscription.connection === this) return subscription;
    if (this.goneIds.has(value.id)) this.breach('gone-subscription', `${what} of subscription ${value.id}, which is gone`, text);
    else this.breach('unknown-subscription', `${what} of subscription ${value.id}, which there is not`, text);
    return undefined;
  }

  #stop(value, _raw, text) {
    if (!this.stopSupported) this.breach('not-supported', 'stop, which the server does not know', text);
    const subscription = this.#own(value, text, 'stop');
    if (!subscription) {
      this.send(JSON.stringify({ op: 10, err: 50, reason: `bad subscription id ${value.id}` }));
      return;
    }
    if (subscription.isStopped) {
      this.breach('stop-twice', `subscription ${value.id} is stopped already`, text);
      return;
    }
    if (value.seq < 0 || value.seq > subscription.highSent || (value.seq < subscription.highAcked && subscription.ack === 'auto')) {
      this.breach(
        'stop-seq',
        `the last one received cannot be ${value.seq}: sent up to ${subscription.highSent}, acknowledged ${subscription.highAcked}`,
        text,
      );
    }
    subscription.isStopped = true;
    subscription.stopSeq = value.seq;
    subscription.takeBack(value.seq);
    subscription.source.pump();
    this.session.pump();
  }

  #start(value, _raw, text) {
    if (!this.stopSupported) this.breach('not-supported', 'start, which the server does not know', text);
    const subscription = this.#own(value, text, 'start');
    if (!subscription) {
      this.send(JSON.stringify({ op: 10, err: 51, reason: `bad subscription id ${value.id}` }));
      return;
    }
    if (!subscription.isStopped) this.breach('start-not-stopped', `subscription ${value.id} was not stopped`, text);
    subscription.isStopped = false;
    this.send(`{"op":31,"to":${subscription.to}}`);
    this.#deliver(subscription);
  }

  // Acknowledgements --------------------------------------------------------------------------------------------------------------------------------

  #ack(value, _raw, text) {
    const { session } = this;
    const { seq } = value;
    if (!session.qos) {
      this.breach('ack-without-qos', 'an ack, where there is no quality of service', text);
      return;
    }
    let subscription;
    if (value.id !== undefined) {
      subscription = this.#own(value, text, 'an ack');
      if (!subscription) return;
    } else {
      subscription = session.bySeq.get(seq);
      if (!subscription) {
        for (const one of session.subscriptions.values()) if (one.repeats.delete(seq)) return;
        if (seq >= 1 && seq <= session.lastSeq) this.note('ack-again', `seq ${seq} was acknowledged before, or its subscription is gone`, text);
        else this.breach('ack-unknown', `seq ${seq} was never sent`, text);
        return;
      }
      if (subscription.connection !== this) {
        this.breach('ack-stale', `seq ${seq} belongs to an earlier connection`, text);
        return;
      }
    }
    if (subscription.ack === 'none') {
      this.breach('ack-in-mode-none', `an ack on subscription ${subscription.id}, which has none`, text);
      return;
    }
    if (subscription.isStopped && seq > subscription.stopSeq) {
      this.breach('ack-while-stopped', `seq ${seq} on subscription ${subscription.id}, which is stopped since ${subscription.stopSeq}`, text);
      return;
    }
    const item = subscription.unacked.get(seq);
    if (!item) {
      if (subscription.repeats.delete(seq)) return;
      if (session.bySeq.has(seq)) this.breach('ack-wrong-subscription', `seq ${seq} belongs to subscription ${session.bySeq.get(seq).id}`, text);
      else if (subscription.history.some(([number]) => number === seq)) this.note('ack-again', `seq ${seq} was acknowledged before`, text);
      else this.breach('ack-unknown', `seq ${seq} was never sent on subscription ${subscription.id}`, text);
      return;
    }
    const isStale = subscription.owesRepeats;
    if (isStale) this.breach('ack-stale', `seq ${seq} belongs to an earlier connection`, text);
    const wasFull = session.pending >= session.maxPending;
    if (value.id === undefined) {
      subscription.acknowledge(seq);
    } else {
      for (const number of subscription.unacked.keys()) {
        if (number > seq) break;
        subscription.acknowledge(number);
      }
    }
    if (item.out && !isStale) this.client.proven(item.out);
    if (wasFull) session.pump();
    if (this.triggers.length) this.count('acks');
  }

  // Messages ----------------------------------------------------------------------------------------------------------------------------------------

  #publish(value, raw, _text, isAgain) {
    if (isAgain) this.broker.counts.again += 1;
    this.broker.publish('publish', raw, value.fields, this.client.id, { seq: value.seq, again: isAgain });
    if (value.seq !== undefined) answer(this.client, value.seq, `{"op":9,"seq":${value.seq}}`);
  }

  #request(value, raw, _text, isAgain) {
    const { broker, client, config, session } = this;
    const { seq } = value;
    if (isAgain) broker.counts.again += 1;
    if (config.echo !== null && value.fields._dest === config.echo) {
      broker.counts.request += 1;
      answer(client, seq, `{"op":14,"seq":${seq},"body":${raw}}`);
      return;
    }
    const request = broker.newRequest({ client, session, seq });
    const receivers = broker.publish('request', raw, value.fields, client.id, { seq, again: isAgain, to: request.to, req: request.req });
    if (receivers === 0 && config.no_responder === 'fail') this.#fail(frames[13], value, 41, 'nobody is there to reply');
  }

  #reply(value, raw, text) {
    const { broker, client } = this;
    const request = broker.requests.get(value.to);
    if (!request || (request.req ?? 0) !== value.req) {
      this.breach(
        request ? 'reply-req' : 'reply-to',
        request ? `req ${value.req}, where the request had ${request.req ?? 'none, which is 0'}` : `there was no request from ${value.to}`,
        text,
      );
      this.#fail(frames[15], value, 41, 'no such request');
      return;
    }
    if (request.isDone) {
      this.note('reply-again', `the request from ${value.to} has its reply`, text);
      this.#fail(frames[15], value, 41, 'the request has its reply');
      return;
    }
    request.isDone = true;
    broker.counts.reply += 1;
    if (request.take) request.take(raw);
    else answer(request.client, request.seq, `{"op":14,"seq":${request.seq},"body":${raw}}`);
    answer(client, value.seq, `{"op":9,"seq":${value.seq}}`);
  }

  // Maps --------------------------------------------------------------------------------------------------------------------------------------------

  #map(value, raw, text) {
    const { maps } = this.broker;
    const { op, seq } = value;
    const map = maps.get(value.map);
    let more = '';
    if (op === 16) {
      this.note('map-create', 'map create, which no client sends', text);
      if (!map) maps.set(value.map, new Map());
    } else if (op === 18) {
      maps.delete(value.map);
    } else if (op === 20) {
      if (map) map.set(value.key, raw);
      else maps.set(value.map, new Map([[value.key, raw]]));
    } else if (op === 22) {
      if (map?.has(value.key)) more = `,"value":${map.get(value.key)}`;
    } else {
      map?.delete(value.key);
    }
    if (seq !== undefined) answer(this.client, seq, `{"op":${op === 18 ? this.config.destroy_answer : 26},"seq":${seq}${more}}`);
  }

  // The end -----------------------------------------------------------------------------------------------------------------------------------------

  #disconnect() {
    this.state = 'disconnecting';
    this.hasSaidGoodbye = true;
    this.#leave(true);
    this.#after(disconnectLimit, () => {
      if (this.state === 'over') return;
      this.breach('no-close', `no close within ${disconnectLimit} ms of the disconnect`);
      this.drop('reset');
    });
  }

  // The session lives on without this connection, or ends with it.
  #leave(ends) {
    const { client, session } = this;
    if (client?.connection !== this) return;
    client.connection = null;
    if (!session || client.session !== session) return;
    if (ends) session.end();
    else this.broker.connectionLost(session);
  }

  #closed(code, reason, isAnswer) {
    this.closeCode = code;
    this.closeReason = reason;
    if (isAnswer) return;
    const words = `the client closes with ${code ?? 'no code'}${reason ? ` (${reason})` : ''}`;
    const isPlain = code === undefined || code === 1000 || code === 1001;
    if (this.state === 'open' && isPlain && !this.isSilent && !this.isDeaf) this.breach('close-without-disconnect', words);
    else if (this.state !== 'disconnecting') this.note('close', words);
    else if (code !== undefined && code !== 1000) this.note('close-code', words);
  }

  #drained() {
    if (!this.isDeaf) this.socket.stream.resume();
    this.session?.pump();
  }

  #ended() {
    const { socket } = this;
    if (this.state === 'disconnecting' && !socket.closeReceived && !this.endedByUs)
      this.note('no-close-frame', 'TCP ended after the disconnect without a close frame');
    if (socket.closeSent && !socket.closeReceived && !socket.muted && this.endedByUs && !this.isDeaf && !this.isSuperseded) {
      this.breach('close-not-answered', 'TCP ended, or 5 s passed, without an answer to the close frame');
    }
    this.state = 'over';
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.#leave(false);
    this.server.connectionOver(this);
  }

  #operations = {
    1: this.#login,
    3: this.#subscribe,
    5: this.#unsubscribe,
    8: this.#publish,
    9: this.#ack,
    11: this.#disconnect,
    13: this.#request,
    15: this.#reply,
    16: this.#map,
    18: this.#map,
    20: this.#map,
    22: this.#map,
    24: this.#map,
    28: this.#stop,
    30: this.#start,
  };
}
