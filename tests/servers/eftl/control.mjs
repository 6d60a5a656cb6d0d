// SPDX-License-Identifier: Apache-2.0
// The control interface: JSON over HTTP; told in ../eftl.mjs.
import http from 'node:http';
import { readExactly, rawMember } from './json.mjs';
import { isObject } from './message.mjs';

class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

const bad = (words) => {
  throw new Refused(400, words);
};

function only(value, names) {
  for (const name of Object.keys(value)) if (!names.includes(name)) bad(`there is no "${name}" here; there are ${names.join(', ')}`);
}

function toldSubscription(one) {
  return {
    id: one.id,
    matcher: one.frame.matcher,
    durable: one.frame.durable,
    type: one.frame.type ?? 'standard',
    key: one.frame.key,
    ack: one.ack,
    attached: one.connection !== null,
    stopped: one.isStopped,
    waiting: one.source.line.length,
    unacked: [...one.unacked.keys()].slice(0, 1000),
    unacked_count: one.unacked.size,
    high_sent: one.highSent,
    high_acked: one.highAcked,
    delivered: one.delivered,
    acknowledged: one.acknowledged,
  };
}

function toldConnection(one) {
  const { socket } = one;
  return {
    n: one.n,
    state: one.state,
    client_id: one.client?.id,
    ...one.request,
    authorization: one.request.authorization && 'given',
    login: one.loginFrame,
    protocol: one.protocol,
    resumed: one.isResumed ?? false,
    frames_in: one.framesIn,
    frames_out: one.out,
    events: one.events,
    bytes_in: socket?.bytesIn,
    bytes_out: socket?.bytesOut,
    last_seq: one.lastSeq,
    disconnected: one.hasSaidGoodbye ?? false,
    close_code: one.closeCode,
    close_reason: one.closeReason,
    ended_by_server: one.endedByUs,
    cut: one.cut,
  };
}

function toldClient(one) {
  let unanswered = 0;
  for (const entry of one.handled.values()) if (entry.text === undefined) unanswered += 1;
  return {
    client_id: one.id,
    connected: one.connection !== null,
    connection: one.connection?.n,
    high_seq: one.highSeq,
    unanswered,
    wanted: [...one.wanted.keys()],
    session: one.session && {
      last_seq: one.session.lastSeq,
      unacked: one.session.pending,
      max_pending_acks: one.session.maxPending,
      qos: one.session.qos,
      subscriptions: [...one.session.subscriptions.values()].map(toldSubscription),
    },
  };
}

// Bodies are kept as texts, so that nothing of them is lost on the way to the test.
function toldMessage(one) {
  const { sid, kind, from, seq, dest, again } = one;
  return `${JSON.stringify({ sid, kind, from, seq, dest, again: again || undefined }).slice(0, -1)},"body":${one.raw}}`;
}

export class Control {
  constructor(server, port) {
    this.server = server;
    this.http = http.createServer((request, response) => this.#serve(request, response));
    this.http.keepAliveTimeout = 60_000;
    this.http.listen(port, '127.0.0.1');
  }

  async #serve(request, response) {
    let status = 200;
    let body;
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      const url = new URL(request.url, 'http://127.0.0.1');
      const route = this.#routes[`${request.method} ${url.pathname}`];
      if (!route) throw new Refused(404, `there are ${Object.keys(this.#routes).join(', ')}`);
      let value = {};
      if (request.method === 'POST' && text.trim() !== '') {
        try {
          value = JSON.parse(text);
        } catch (error) {
          bad(error.message);
        }
        if (!isObject(value)) bad('an object is wanted');
      }
      body = await route.call(this, value, url.searchParams, text);
    } catch (error) {
      status = error instanceof Refused ? error.status : 500;
      body = { error: status === 500 ? error.stack : error.message };
    }
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
  }

  #breaches(_value, query) {
    const { breaches, notes, counts } = this.server.breaches;
    const kind = query.get('kind');
    const client = query.get('client');
    const wanted = (one) => (kind === null || one.kind === kind) && (client === null || one.client_id === client);
    return { breaches: breaches.filter(wanted), notes: notes.filter(wanted), counts };
  }

  #state() {
    const { broker, connections, faults, past, config } = this.server;
    return {
      config: { ...config, users: Object.keys(config.users) },
      connections: [...connections].map(toldConnection),
      connections_so_far: this.server.lastConnection,
      past: past.length,
      clients: [...broker.clients.values()].map(toldClient),
      durables: [...broker.durables].map(([name, source]) => ({
        name,
        type: source.type,
        waiting: source.line.length,
        subscribers: source.subscriptions.length,
        unacked: source.subscriptions.reduce((sum, one) => sum + one.unacked.size, 0),
      })),
      counts: {
        ...broker.counts,
        last_sid: broker.lastSid,
        breaches: this.server.breaches.breaches.length,
        notes: this.server.breaches.notes.length,
      },
      requests_open: [...broker.requests.values()].filter((one) => !one.isDone).length,
      faults: faults.told(),
    };
  }

  #connections() {
    return { connections: [...this.server.past.map((one) => one), ...[...this.server.connections].map(toldConnection)] };
  }

  #messages(_value, query) {
    const after = Number(query.get('after') ?? 0);
    const limit = Number(query.get('limit') ?? Infinity);
    const dest = query.get('dest');
    const from = query.get('from');
    const kind = query.get('kind');
    const found = [];
    for (const one of this.server.broker.messages) {
      if (one.sid <= after || (dest !== null && one.dest !== dest) || (from !== null && one.from !== from) || (kind !== null && one.kind !== kind))
        continue;
      found.push(one);
      if (found.length >= limit) break;
    }
    const field = query.get('field');
    if (query.has('count')) return { count: found.length };
    if (field !== null) {
      const texts = found.map((one) => rawMember(one.raw, field)).filter((text) => text !== undefined);
      return `{"count":${found.length},"values":[${texts.join(',')}]}\n`;
    }
    return `{"count":${found.length},"messages":[${found.map(toldMessage).join(',')}]}\n`;
  }

  // The text of a body, with a destination and a counted field added where asked for.
  #bodies(value, text, first) {
    const raw = value.body === undefined ? '{}' : rawMember(text, 'body');
    if (value.body !== undefined && !isObject(value.body)) bad('body is an object');
    const inner = raw.trim().slice(1, -1).trim();
    return (i) => {
      const parts = [];
      if (value.dest !== undefined) parts.push(`"_dest":${JSON.stringify(value.dest)}`);
      if (value.counter !== undefined) parts.push(`${JSON.stringify(value.counter)}:${first + i}`);
      if (inner !== '') parts.push(inner);
      return `{${parts.join(',')}}`;
    };
  }

  async #publish(value, _query, text) {
    only(value, ['body', 'dest', 'count', 'counter', 'start', 'rate']);
    const { broker } = this.server;
    const count = value.count ?? 1;
    const body = this.#bodies(value, text, value.start ?? 1);
    const put = (i) => {
      const raw = body(i);
      return broker.publish('injected', raw, readExactly(raw), null);
    };
    let receivers = 0;
    const firstSid = broker.lastSid + 1;
    if (value.rate > 0) {
      const begun = Date.now();
      for (let i = 0; i < count;) {
        const due = Math.min(count, Math.floor(((Date.now() - begun) / 1000) * value.rate) + 1);
        for (; i < due; ++i) receivers += put(i);
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
      }
    } else {
      for (let i = 0; i < count; ++i) {
        receivers += put(i);
        if (i % 1000 === 999)
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
      }
    }
    return { published: count, first_sid: firstSid, last_sid: broker.lastSid, receivers };
  }

  #request(value, _query, text) {
    only(value, ['body', 'dest', 'timeout_ms']);
    const { broker } = this.server;
    const raw = this.#bodies(value, text, 1)(0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        broker.requests.delete(request.to);
        reject(new Refused(504, 'nobody replied'));
      }, value.timeout_ms ?? 5000);
      const request = broker.newRequest({
        session: undefined,
        take(reply) {
          clearTimeout(timer);
          resolve(`{"reply":${reply}}\n`);
        },
      });
      broker.publish('request', raw, readExactly(raw), null, request);
    });
  }

  #maps() {
    const all = [...this.server.broker.maps].map(([name, map]) => {
      const members = [...map].map(([key, raw]) => `${JSON.stringify(key)}:${raw}`);
      return `${JSON.stringify(name)}:{${members.join(',')}}`;
    });
    return `{"maps":{${all.join(',')}}}\n`;
  }

  #setMap(value, _query, text) {
    only(value, ['map', 'key', 'value']);
    if (typeof value.map !== 'string' || typeof value.key !== 'string' || !isObject(value.value)) bad('map, key and value are wanted');
    const { maps } = this.server.broker;
    if (!maps.has(value.map)) maps.set(value.map, new Map());
    maps.get(value.map).set(value.key, rawMember(text, 'value'));
    return {};
  }

  #fault(value) {
    try {
      return this.server.faults.add(value);
    } catch (error) {
      return bad(error.message);
    }
  }

  #config(value) {
    const { config } = this.server;
    for (const [name, wanted] of Object.entries(value)) {
      if (!Object.hasOwn(config, name)) bad(`there is no "${name}"; there are ${Object.keys(config).join(', ')}`);
      config[name] = wanted;
    }
    return { ...config, users: Object.keys(config.users) };
  }

  #reset(value) {
    only(value, ['keep_config', 'close']);
    this.server.reset(value);
    return {};
  }

  #trace() {
    return {
      connections: [...this.server.connections].map((one) => ({ n: one.n, client_id: one.client?.id, frames: one.trace })),
      past: this.server.pastTraces,
    };
  }

  #routes = {
    'GET /breaches': this.#breaches,
    'GET /state': this.#state,
    'GET /connections': this.#connections,
    'GET /messages': this.#messages,
    'GET /maps': this.#maps,
    'GET /trace': this.#trace,
    'POST /fault': this.#fault,
    'POST /publish': this.#publish,
    'POST /request': this.#request,
    'POST /map': this.#setMap,
    'POST /config': this.#config,
    'POST /reset': this.#reset,
  };
}

export { toldConnection };
