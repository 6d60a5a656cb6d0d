// SPDX-License-Identifier: Apache-2.0
// Faults on demand; what they are and what they take is told in ../eftl.mjs.

// Numbers in [0, 1), the same ones for the same seed (mulberry32).
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const triggers = {
  after_frames: 'frames',
  after_messages: 'messages',
  after_sent: 'sent',
  after_events: 'events',
  after_acks: 'acks',
  after_bytes_in: 'in',
  after_bytes_out: 'out',
  after_ms: 'ms',
};

const garbage = '{"op":7,"to":"1","seq":1,"body":{"text":"unfinis';
const unknownOp = '{"op":77,"what":["never","heard","of"],"more":{"op":7}}';

// phase: when it works. upgrade: before the WebSocket is there; login: before the welcome; open: once its trigger comes, which may be at once.
const kinds = {
  refuse: { phase: 'upgrade' },
  stall_upgrade: { phase: 'upgrade' },
  subprotocol: { phase: 'upgrade' },
  bad_accept: { phase: 'upgrade' },
  welcome: { phase: 'login', act: (c, f) => Object.assign(c.welcomeChanges, f.members) },
  lose_session: {
    phase: 'login',
    act(c) {
      if (c.state === 'upgraded') {
        c.refusesResume = true;
        return;
      }
      const { client } = c;
      c.drop('reset');
      client.session?.end();
    },
  },
  repeat: {
    phase: 'login',
    act(c, f) {
      const count = f.count ?? 1;
      if (c.state === 'upgraded') c.repeats = count;
      else for (const one of c.session.subscriptions.values()) if (one.takes()) one.repeatAcked(count);
    },
  },
  silent: {
    phase: 'open',
    act: (c) => {
      c.socket.flush();
      c.isSilent = true;
    },
  },
  half_open: {
    phase: 'open',
    act(c) {
      c.socket.flush();
      c.isSilent = c.isDeaf = true;
      c.socket.muted = true;
      c.socket.stream.pause();
    },
  },
  stop_reading: {
    phase: 'open',
    act: (c) => {
      c.isDeaf = true;
      c.socket.stream.pause();
    },
  },
  slow: {
    phase: 'open',
    act(c, f) {
      c.socket.flush();
      c.socket.rate = f.bytes_per_second ?? 0;
      c.handleDelay = f.delay_ms ?? 0;
    },
  },
  close: { phase: 'open', act: (c, f) => c.close(f.code ?? 1000, f.reason ?? '') },
  drop: {
    phase: 'open',
    act(c, f) {
      if (f.flush) c.socket.flush();
      c.drop(f.how ?? 'reset');
    },
  },
  garbage: { phase: 'open', act: (c, f) => c.send(f.text ?? garbage) },
  unknown_op: { phase: 'open', act: (c, f) => c.send(f.text ?? unknownOp) },
  frame: { phase: 'open', act: (c, f) => c.send(f.text) },
  raw: { phase: 'open', act: (c, f) => c.socket.bytes(Buffer.from(f.hex, 'hex')) },
  fragments: {
    phase: 'open',
    act: (c, f) => {
      c.socket.fragmentSize = f.size ?? 1;
    },
  },
  batch: {
    phase: 'open',
    act: (c, f) => {
      c.batch = f.size ?? 10;
    },
  },
  delay_acks: {
    phase: 'open',
    act: (c, f) => {
      c.answerDelay = f.ms ?? 100;
    },
  },
  lose_acks: {
    phase: 'open',
    act: (c) => {
      c.losesAnswers = true;
    },
  },
  reorder_acks: {
    phase: 'open',
    act: (c, f) => {
      c.reorders = f.size ?? 10;
    },
  },
  error: {
    phase: 'open',
    act: (c, f) => c.errors.push({ op: f.op, err: f.err, reason: f.reason ?? 'as asked for', left: f.count ?? 1 }),
  },
  heartbeat: { phase: 'open', act: (c) => c.beat() },
  ping: { phase: 'open', act: (c, f) => c.ping(f.text ?? 'are you there') },
};

const needs = { frame: ['text'], raw: ['hex'], error: ['op', 'err'], welcome: ['members'] };
const common = ['fault', 'on', 'times', 'client', 'seed', 'min_bytes', 'max_bytes', ...Object.keys(triggers)];
const own = {
  refuse: ['status', 'headers', 'body'],
  subprotocol: ['value'],
  welcome: ['members'],
  repeat: ['count'],
  slow: ['bytes_per_second', 'delay_ms'],
  close: ['code', 'reason'],
  drop: ['how', 'flush'],
  garbage: ['text'],
  unknown_op: ['text'],
  frame: ['text'],
  raw: ['hex'],
  fragments: ['size'],
  batch: ['size'],
  delay_acks: ['ms'],
  reorder_acks: ['size'],
  error: ['op', 'err', 'reason', 'count'],
  ping: ['text'],
};

export class Faults {
  constructor(server) {
    this.server = server;
    this.clear();
  }

  clear() {
    this.waiting = [];
    this.all = [];
  }

  // Throws with words where the request is wrong.
  add(fault) {
    const bad = (words) => {
      throw new Error(words);
    };
    if (fault.fault === 'none') {
      this.clear();
      for (const connection of this.server.connections) this.#heal(connection);
      return { id: 0 };
    }
    const kind = Object.hasOwn(kinds, fault.fault)
      ? kinds[fault.fault]
      : bad(`there is no fault ${fault.fault}; there are none, ${Object.keys(kinds).join(', ')}`);
    for (const name of Object.keys(fault)) {
      if (!common.includes(name) && !own[fault.fault]?.includes(name)) bad(`fault ${fault.fault} takes no ${name}`);
    }
    for (const name of needs[fault.fault] ?? []) if (fault[name] === undefined) bad(`fault ${fault.fault} needs ${name}`);
    const on = fault.on ?? 'next';
    if (on !== 'next' && on !== 'now') bad('"on" is next or now');
    if (on === 'now' && kind.phase === 'upgrade') bad(`fault ${fault.fault} is for the next connection only`);
    const atByte = ['seed', 'after_bytes_in', 'after_bytes_out'].find((name) => fault[name] !== undefined);
    if (atByte && !['drop', 'half_open'].includes(fault.fault)) bad(`${atByte} is for drop and half_open: a frame may be cut`);
    if (fault.seed !== undefined && fault.max_bytes === undefined) bad('seed needs max_bytes');
    const entry = {
      ...fault,
      id: this.all.length + 1,
      kind,
      left: fault.times ?? 1,
      applied: 0,
      fired: 0,
      random: fault.seed === undefined ? undefined : generator(fault.seed),
    };
    if (fault.times === 0) entry.left = Infinity;
    this.all.push(entry);
    if (on === 'next') {
      this.waiting.push(entry);
      return { id: entry.id };
    }
    for (const connection of [...this.server.connections]) {
      if (!['open', 'login', 'disconnecting'].includes(connection.state)) continue;
      if (fault.client === undefined || connection.client?.id === fault.client) this.#apply(connection, entry);
    }
    return { id: entry.id, connections: entry.applied };
  }

  told() {
    return this.all.map(({ id, fault, on, left, applied, fired }) => ({
      id,
      fault,
      on: on ?? 'next',
      left: left === Infinity ? null : left,
      applied,
      fired,
    }));
  }

  #heal(connection) {
    const { socket } = connection;
    connection.triggers = [];
    connection.errors = [];
    connection.isSilent = connection.isDeaf = connection.losesAnswers = false;
    connection.handleDelay = connection.answerDelay = connection.batch = connection.reorders = 0;
    socket.muted = false;
    socket.rate = socket.fragmentSize = 0;
    socket.cutIn = socket.cutOut = Infinity;
    socket.stream.resume();
  }

  #take(chosen) {
    const taken = this.waiting.filter(chosen);
    for (const fault of taken) fault.left -= 1;
    this.waiting = this.waiting.filter((fault) => fault.left > 0);
    return taken;
  }

  // Before the upgrade is answered: the first of each that works there.
  upgrading(clientId) {
    const found = {};
    for (const fault of this.#take((one) => one.kind.phase === 'upgrade' && (one.client === undefined || one.client === clientId))) {
      found[fault.fault] ??= fault;
      fault.applied += 1;
      fault.fired += 1;
    }
    return found;
  }

  // Once the WebSocket is there: those for any client.
  upgraded(connection) {
    for (const fault of this.#take((one) => one.kind.phase !== 'upgrade' && one.client === undefined)) this.#apply(connection, fault);
  }

  // Before the welcome: those for this client.
  loggedIn(connection) {
    for (const fault of this.#take((one) => one.kind.phase !== 'upgrade' && one.client === connection.client.id)) this.#apply(connection, fault);
  }

  #apply(connection, fault) {
    fault.applied += 1;
    const fire = (spec) => {
      if (connection.state === 'over') return;
      fault.fired += 1;
      fault.kind.act(connection, spec);
    };
    let what;
    let left;
    let spec = fault;
    if (fault.random) {
      const bytes = Math.floor((fault.min_bytes ?? 0) + fault.random() * (fault.max_bytes - (fault.min_bytes ?? 0)));
      what = fault.random() < 0.5 ? 'in' : 'out';
      left = bytes;
      const how = fault.random() < 0.5 ? 'reset' : 'fin';
      spec = { how, ...fault };
      connection.cut = { way: what, bytes, how: spec.how };
    } else {
      const name = Object.keys(triggers).find((one) => fault[one] !== undefined);
      what = triggers[name];
      left = fault[name];
    }
    if (what === undefined || (left <= 0 && what !== 'ms')) {
      fire(spec);
    } else if (what === 'ms') {
      setTimeout(() => fire(spec), left).unref();
    } else if (what === 'in' || what === 'out') {
      if (what === 'in') connection.socket.cutIn = left;
      else connection.socket.cutOut = left;
      connection.socket.onCut[what] = () => fire(spec);
    } else {
      connection.triggers.push({ what, left, act: () => fire(spec) });
    }
  }
}
