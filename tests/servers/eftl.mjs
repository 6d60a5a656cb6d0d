// SPDX-License-Identifier: Apache-2.0
// eftl.mjs PORT CONTROL_PORT USER PASSWORD TLS_DIR: a strict eFTL server; protocols 0 and 1, plain and TLS on one port. Started by eftl.sh.
//
// Written from what is known of the protocol, never from what our client sends. It does what a server does, and records what a client should not do:
// breaches. A breach is recorded and, where a server could go on, gone on from; each is also a line on standard error.
//
// CHANNELS: ws://HOST:PORT/channel, /map (the config's `channels`); other paths are 404. Log-in: USER and PASSWORD. Nothing outlives the process.
//
// CONTROL: JSON over HTTP on CONTROL_PORT. Errors are {"error": words} with status 400 or 404.
//
//   GET  /breaches[?kind=K&client=ID]  {"breaches": [...], "notes": [...], "counts": {kind: n}}. Each: kind, words, at_ms, connection, client_id,
//                      frame. Notes are what may well be right: a resend that was given up, an ack for the second time, a connection closed by the
//                      client with another code than 1000, a gap in seq right after a reconnect (a request may have timed out meanwhile), an
//                      offer of compression (TIBCO's JavaScript client makes one; it is never taken).
//   GET  /state        config, connections, clients with their sessions and subscriptions (unacked, waiting, delivered, acknowledged), durables,
//                      counts, faults with how often each was applied to a connection and fired
//   GET  /connections  present and past ones: path, client_id of the request line, subprotocol, tls, login frame (password masked), resumed, frames,
//                      bytes, close code, random cut. The last 5000
//   GET  /messages[?dest=D&from=CLIENT&kind=publish|request|injected&after=SID&limit=N]
//                      {"count", "messages": [{sid, kind, from, seq, dest, again, body}]}: what was published, oldest first, bodies as they came.
//                      &count=1: the number only; &field=F: {"count" (of the messages), "values": [...]}
//   GET  /maps         {"maps": {name: {key: value}}}
//   GET  /trace        the last frames of each connection, where the config's `trace` says how many
//   POST /publish      {body, dest, count, counter, start, rate}: injects `count` messages; `counter` names a field that counts from `start` (1);
//                      rate: messages a second. Answers {published, first_sid, last_sid, receivers} once all are in
//   POST /request      {body, dest, timeout_ms}: asks, and answers {"reply": body}, or 504 where nobody replies
//   POST /map          {map, key, value}: sets
//   POST /config       any of the names below; for logins and operations from now on
//   POST /reset        {keep_config, close: CODE}: all as at the start, connections are reset (or closed with CODE). Not breaches
//   POST /fault        see below. Answers {"id", "connections"}
//
// CONFIG, with what it is at the start:
//   protocol 1         0: an old server: no request, reply, close, stop, start, resume
//   resume null, stop null: as the protocol has it; or booleans
//   heartbeat 240, timeout 600 (s)      max_size 8192 (bytes of a frame; 0: no limit)         qos true
//   max_pending_acks 1000 (where the client asks for none)     session_ttl 60 (s that a lost client's session is kept)
//   channels ["/channel", "/map"]       users {USER: PASSWORD}; anonymous true lets anybody in        error_before_4002 true: an op 10 before it
//   welcome_delay 0 (ms)                login_limit 10 (s)                                    new_token true: each welcome has another token
//   heartbeat_extra true: heartbeats carry a number, and the echo must too                    echo_limit 2 (s to send a heartbeat or ping back)
//   dedupe true: what a resumed session sends again is not done again                         seq_in_none false: no seq in events of ack mode none
//   answer_unsubscribe false; true: an op 6 without err for each op 5                         destroy_answer 26, or 9
//   echo null; a destination whose requests the server replies to at once with their body     no_responder "silent", or "fail" (err 41)
//   counts_in_events true: events have sid and cnt                                            req_in_requests true; false: requests have no req
//   denied {}: {"publish": [destination...], "request": [...], "subscribe": [destination of the matcher...], "map": [name...]}: 12, 40, 13, 14
//   stop_code 1001: what SIGTERM closes connections with; null: they are cut off
//   keep 200000 (messages for /messages)                                                      trace 0 (frames of each connection for /trace)
//
// FAULTS: {"fault": NAME, "on": "next"|"now", "times": N, "client": ID, TRIGGER: K, ...}. On the next N connections (default 1; 0: all from now on),
// or on the present ones; `client` restricts it to one client id (next: applied at its login). Without a trigger it comes as soon as the WebSocket is
// there, before the login; {"after_sent": 1} is right after the welcome.
// Triggers: after_frames (sent by the client, the login counts), after_messages (those with a seq of the client's), after_acks, after_sent (frames
// sent to the client), after_events, after_ms; each is counted from when the fault is applied, and what makes it K is still done, though what is to
// be sent for it may get lost. For drop and half_open also: after_bytes_in, after_bytes_out (after the upgrade; the byte after is not read or not
// written, also within a frame); seed with max_bytes and min_bytes: each connection that it is applied to gets another random byte and direction, and
// drop another `how`; the same seed gives the same ones.
//   none                                ends all faults, those in force as well
//   refuse {status, headers, body}      no upgrade but this status (404)               stall_upgrade: no answer at all
//   subprotocol {value}                 the upgrade's answer names this one (null: none)            bad_accept: a wrong Sec-WebSocket-Accept
//   welcome {members}                   members of the welcome; null takes one out
//   lose_session                        next: the resume is refused; now: the connection is dropped and its session forgotten (durables stay)
//   repeat {count}                      after a resume: the last `count` events that were acknowledged come again; now: at once
//   silent                              reads, sends nothing more                      half_open: reads nothing and sends nothing
//   stop_reading                        reads nothing, sends events and heartbeats     slow {bytes_per_second, delay_ms (of each frame's handling)}
//   close {code, reason}                a close frame                                  drop {how: "reset"|"fin", flush: true sends what is due first}
//   garbage {text}                      a frame that is not JSON                       unknown_op {text}: a frame with op 77
//   frame {text}, raw {hex}             this text frame; these bytes                   fragments {size}: messages in frames of so many bytes
//   batch {size}                        events in arrays of up to so many              delay_acks {ms}: answers (op 9, 14, 26) come later
//   lose_acks                           answers are not sent                           reorder_acks {size}: answers come in groups, last one first
//   error {op, err, reason, count}      the next `count` frames of that op fail so     heartbeat: one at once
//   ping {text}                         a WebSocket ping
//
// KINDS of breaches: ws-length ws-mask ws-unmasked ws-reserved ws-control ws-opcode ws-fragment ws-utf8 ws-close ws-pong (RFC 6455); upgrade query
// subprotocol authorization (upgrade); binary json unknown-op unknown-member repeated-member missing type value not-supported too-large
// (frames); before-login before-welcome second-login client-id token (login); heartbeat-late heartbeat-changed heartbeat-unasked heartbeat-missing;
// seq-missing seq-gap seq-order seq-reused seq-resent; sub-id-reused resubscribe-changed resubscribe-late unknown-subscription gone-subscription
// stop-twice stop-seq start-not-stopped; ack-unknown ack-stale ack-wrong-subscription ack-in-mode-none ack-without-qos ack-while-stopped; reply-to
// reply-req; body-name body-null body-boolean body-fraction body-long body-double body-date body-opaque body-special body-array body-reserved;
// after-disconnect no-close close-without-disconnect close-not-answered; server-error (nested too deeply for it).
//
// WHERE THE PROTOCOL IS NOT SETTLED: op 5 is not answered; events of ack mode none have no seq; a seq that comes again in a resumed session is
// answered and not done again; unacked events of a resumed session come again under their own seq with a higher cnt, before new ones, once their
// subscription is asked for again; those of a stopped subscription that came after the stop's seq wait again and get new ones; the reply to a
// vanished request fails with 41; max_size is in UTF-8 bytes; heartbeats come always. QUEUE: destinations are matched by their text only: every
// subscriber gets a copy.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { Breaches } from './eftl/breaches.mjs';
import { Broker } from './eftl/broker.mjs';
import { Connection } from './eftl/connection.mjs';
import { Control, toldConnection } from './eftl/control.mjs';
import { Faults } from './eftl/faults.mjs';
import { acceptKey } from './eftl/websocket.mjs';

const [port, controlPort, user, password, tls] = process.argv.slice(2);
const certificate = process.env.EFTL_CERT ?? 'server';
const subprotocol = 'v1.eftl.tibco.com';

const startConfig = () => ({
  protocol: Number(process.env.EFTL_PROTOCOL ?? 1),
  resume: null,
  stop: null,
  heartbeat: Number(process.env.EFTL_HEARTBEAT ?? 240),
  timeout: Number(process.env.EFTL_TIMEOUT ?? 600),
  max_size: Number(process.env.EFTL_MAX_SIZE ?? 8192),
  qos: true,
  max_pending_acks: 1000,
  session_ttl: 60,
  channels: ['/channel', '/map'],
  users: { [user]: password },
  anonymous: false,
  error_before_4002: false,
  welcome_delay: 0,
  login_limit: 10,
  new_token: true,
  heartbeat_extra: true,
  echo_limit: 2,
  dedupe: true,
  seq_in_none: false,
  answer_unsubscribe: false,
  destroy_answer: 26,
  counts_in_events: true,
  req_in_requests: true,
  denied: {},
  echo: null,
  no_responder: 'silent',
  stop_code: 1001,
  keep: 200_000,
  trace: 0,
});

class Server {
  constructor() {
    this.config = startConfig();
    this.breaches = new Breaches();
    this.broker = new Broker(this.config);
    this.faults = new Faults(this);
    this.connections = new Set();
    this.past = [];
    this.pastTraces = [];
    this.lastConnection = 0;
  }

  reset({ keep_config: keep, close }) {
    for (const connection of this.connections) {
      connection.isReset = true;
      if (close === undefined) connection.drop('reset');
      else connection.close(close, 'reset');
    }
    if (!keep) Object.assign(this.config, startConfig());
    this.broker.reset();
    this.faults.clear();
    this.breaches.clear();
    this.past = [];
    this.pastTraces = [];
  }

  connectionOver(connection) {
    this.connections.delete(connection);
    this.past.push(toldConnection(connection));
    if (this.past.length > 5000) this.past.shift();
    if (connection.trace.length)
      this.pastTraces.push({ n: connection.n, client_id: connection.client?.id, frames: connection.trace.slice(-this.config.trace) });
    if (this.pastTraces.length > 100) this.pastTraces.shift();
  }

  upgrade(request, stream, head) {
    const { headers } = request;
    const raw = stream.below ?? stream;
    const url = new URL(request.url, 'http://host');
    const n = ++this.lastConnection;
    const about = {
      path: url.pathname,
      client_id: url.searchParams.get('client_id') ?? undefined,
      authorization: headers.authorization,
      subprotocol: headers['sec-websocket-protocol'],
      tls: raw !== stream,
      user_agent: headers['user-agent'],
    };
    const breach = (kind, words) => this.breaches.add('breach', kind, words, { n });
    const note = (kind, words) => this.breaches.add('note', kind, words, { n });
    const refuse = (status, more = {}, body = '') => {
      const lines = Object.entries({ Connection: 'close', 'Content-Length': Buffer.byteLength(body), ...more }).map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      stream.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n${body}`);
      this.past.push({ n, state: 'refused', status, ...about, authorization: about.authorization && 'given' });
    };
    stream.on('error', () => {});

    for (const name of url.searchParams.keys()) if (name !== 'client_id') breach('query', `the request line has ${name} in its query`);
    if (about.subprotocol !== subprotocol) breach('subprotocol', `Sec-WebSocket-Protocol is ${about.subprotocol ?? 'not there'}, not ${subprotocol}`);
    if (headers['sec-websocket-extensions'] !== undefined) note('extension', `extensions are asked for: ${headers['sec-websocket-extensions']}`);

    const faults = this.faults.upgrading(about.client_id);
    if (faults.stall_upgrade) return;
    if (faults.refuse) {
      refuse(faults.refuse.status ?? 404, faults.refuse.headers, faults.refuse.body);
      return;
    }
    if (!this.config.channels.includes(url.pathname)) {
      refuse(404, {}, 'no such channel\n');
      return;
    }
    const key = headers['sec-websocket-key'] ?? '';
    if (request.method !== 'GET' || headers['sec-websocket-version'] !== '13' || Buffer.from(key, 'base64').length !== 16) {
      breach('upgrade', 'no GET with Sec-WebSocket-Version 13 and a key of 16 bytes');
      refuse(400, { 'Sec-WebSocket-Version': 13 });
      return;
    }
    const names = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptKey(faults.bad_accept ? `${key}x` : key)}`,
    ];
    const offered = (about.subprotocol ?? '').split(',').map((one) => one.trim());
    const chosen = faults.subprotocol ? faults.subprotocol.value : offered.find((one) => one === subprotocol);
    if (chosen) names.push(`Sec-WebSocket-Protocol: ${chosen}`);
    stream.write(`${names.join('\r\n')}\r\n\r\n`);
    if (head.length) stream.unshift(head);
    const connection = new Connection(this, n, about, stream, raw);
    this.connections.add(connection);
    this.faults.upgraded(connection);
  }
}

const server = new Server();
const plain = (request, response) => {
  response.writeHead(426, { Upgrade: 'websocket' }).end('a WebSocket is wanted\n');
};
const ways = [http.createServer(plain)];
if (tls) {
  ways.push(
    https.createServer(
      {
        key: readFileSync(`${tls}/${certificate === 'self' ? 'self' : 'server'}.key`),
        cert: readFileSync(`${tls}/${certificate}.crt`),
        ca: process.env.EFTL_CLIENT_CERT ? readFileSync(`${tls}/ca.crt`) : undefined,
        requestCert: Boolean(process.env.EFTL_CLIENT_CERT),
        rejectUnauthorized: Boolean(process.env.EFTL_CLIENT_CERT),
      },
      plain,
    ),
  );
}
for (const way of ways) way.on('upgrade', (request, stream, head) => server.upgrade(request, stream, head));
ways[1]?.on('secureConnection', (stream) => {
  stream.below = stream._parent ?? stream;
});

// The first byte tells whether it is TLS.
net
  .createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === 0x16 && ways[1] ? ways[1] : ways[0]).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  })
  .listen(Number(port), '127.0.0.1');
new Control(server, Number(controlPort));

process.on('SIGTERM', () => {
  const code = server.config.stop_code;
  if (code === null || server.connections.size === 0) process.exit(0);
  for (const connection of server.connections) connection.close(code, 'the server shuts down');
  // As long as clients answer, but not for long.
  const end = Date.now() + 200;
  setInterval(() => {
    if (server.connections.size === 0 || Date.now() > end) process.exit(0);
  }, 5);
});
