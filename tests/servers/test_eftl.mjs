#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Walks the eFTL test server through all it does, by raw frames over npm's ws, and shows that each breach is recorded. Starts eftl.sh on free ports.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, openSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const packages = process.env.NPM_DIR ?? execFileSync('bash', ['-c', '. "$1"; npm_folder', 'npm', `${here}/lib.sh`], { encoding: 'utf8' }).trim();
if (!existsSync(`${packages}/node_modules/ws`)) throw new Error(`${packages} has no ws; run scripts/install_dependencies.sh test`);
const { WebSocket } = await import(pathToFileURL(`${packages}/node_modules/ws/wrapper.mjs`));

const user = 'qconntest';
const password = 'Passw0rd-1';
const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const subprotocol = 'v1.eftl.tibco.com';
const folder = mkdtempSync(`${tmpdir()}/qconn-eftl-`);
let port;
let controlPort;
let server;

// The server and its control ------------------------------------------------------------------------------------------------------------------------

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const freePort = () =>
  new Promise((resolve) => {
    const listener = net.createServer().listen(0, '127.0.0.1', () => {
      const { port: found } = listener.address();
      listener.close(() => resolve(found));
    });
  });

async function control(method, where, value) {
  const response = await fetch(`http://127.0.0.1:${controlPort}${where}`, { method, body: value === undefined ? undefined : JSON.stringify(value) });
  const text = await response.text();
  if (response.status !== 200) throw Object.assign(new Error(text), { status: response.status });
  return Object.assign(JSON.parse(text), { text: () => text });
}

const get = (where) => control('GET', where);
const post = (where, value) => control('POST', where, value ?? {});
const fault = (name, more) => post('/fault', { fault: name, ...more });
const config = (value) => post('/config', value);
const kindsOf = async () => (await get('/breaches')).breaches.map((one) => one.kind);
const notesOf = async () => (await get('/breaches')).notes.map((one) => one.kind);

async function noBreach() {
  assert.deepEqual((await get('/breaches')).breaches, []);
}

async function until(holds, limit = 3000) {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not so within ${limit} ms: ${holds}`);
    await pause(5);
  }
}

before(async () => {
  port = await freePort();
  controlPort = await freePort();
  const tls = `${folder}/tls`;
  mkdirSync(tls);
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${tls}/server.key`,
      '-out',
      `${tls}/server.crt`,
    ],
    { stdio: 'ignore' },
  );
  writeFileSync(`${tls}/complete`, 'ok\n');
  const environment = { ...process.env, TLS_DIR: tls, PORT2: String(controlPort), TEST_USER: user, TEST_PASS: password };
  const log = openSync(`${folder}/output.log`, 'a');
  server = spawn(`${here}/eftl.sh`, ['start', folder, String(port)], { env: environment, stdio: ['ignore', log, log] });
  await until(async () => {
    if (server.exitCode !== null) throw new Error(readFileSync(`${folder}/output.log`, 'utf8'));
    return get('/state').then(
      () => true,
      () => false,
    );
  }, 20_000);
});

after(() => {
  server?.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const peers = new Set();

beforeEach(async () => {
  for (const peer of peers) peer.socket.terminate();
  peers.clear();
  await post('/reset');
});

// A client made of frames ---------------------------------------------------------------------------------------------------------------------------

class Peer {
  constructor(options = {}) {
    const { where = '/channel', scheme = 'ws', protocols = [subprotocol], headers = { authorization }, more = {} } = options;
    this.socket = new WebSocket(`${scheme}://127.0.0.1:${port}${where}`, protocols, { perMessageDeflate: false, headers, ...more });
    this.frames = [];
    this.texts = [];
    this.waiters = [];
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
      this.socket.on('unexpected-response', (_, response) =>
        reject(Object.assign(new Error('refused'), { status: response.statusCode, headers: response.headers })),
      );
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    this.socket.on('message', (data) => {
      const text = String(data);
      this.texts.push(text);
      let value;
      try {
        value = JSON.parse(text);
      } catch {
        value = { bad: text };
      }
      if (value.op === 0 && options.echo !== false) this.socket.send(text);
      this.frames.push(value);
      for (const waiter of this.waiters.splice(0)) waiter();
    });
    peers.add(this);
  }

  send(...frames) {
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  // The next frame that is wanted, which is taken out.
  async next(wanted, limit = 3000) {
    const holds = typeof wanted === 'number' ? (frame) => frame.op === wanted : wanted;
    const end = Date.now() + limit;
    for (;;) {
      const at = this.frames.findIndex(holds);
      if (at >= 0) return this.frames.splice(at, 1)[0];
      if (Date.now() > end) throw new Error(`no frame as wanted (${wanted}) within ${limit} ms; there are ${JSON.stringify(this.frames)}`);
      await Promise.race([
        new Promise((resolve) => {
          this.waiters.push(resolve);
        }),
        pause(50),
      ]);
    }
  }

  async many(op, count) {
    const found = [];
    while (found.length < count) found.push(await this.next(op));
    return found;
  }

  // Nothing of that kind comes.
  async none(op, ms = 60) {
    await this.settled();
    await pause(ms);
    assert.deepEqual(
      this.frames.filter((frame) => frame.op === op),
      [],
    );
  }

  // All that was sent has been dealt with.
  async settled() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const pong = new Promise((resolve) => {
      this.socket.once('pong', resolve);
    });
    this.socket.ping();
    await Promise.race([pong, this.closed]);
  }

  async goodbye() {
    this.send({ op: 11, reason: 'done' });
    this.socket.close(1000);
    await this.closed;
  }
}

const loginFrame = (more = {}) => ({
  op: 1,
  client_type: 'test',
  client_version: '1',
  protocol: 1,
  user,
  password,
  login_options: { _qos: 'true', _resume: 'true' },
  ...more,
});

async function open(login = {}, options = {}) {
  const peer = new Peer(options);
  await peer.opened;
  peer.send(loginFrame(login));
  peer.welcome = await peer.next(2);
  return peer;
}

async function subscribe(peer, id, more = {}) {
  peer.send({ op: 3, id, ...more });
  const answer = await peer.next((frame) => (frame.op === 4 || frame.op === 6) && frame.id === id);
  assert.equal(answer.op, 4, JSON.stringify(answer));
}

const again = (peer, more = {}, options = {}) => open({ client_id: peer.welcome.client_id, id_token: peer.welcome.id_token, ...more }, options);

async function lose(peer) {
  peer.socket.terminate();
  await until(async () => !(await get('/state')).clients.find((one) => one.client_id === peer.welcome.client_id)?.connected);
}

const session = async (peer) => (await get('/state')).clients.find((one) => one.client_id === peer.welcome.client_id).session;
const ack = (event) => ({ op: 9, seq: event.seq, id: event.to });

// Login ---------------------------------------------------------------------------------------------------------------------------------------------

test('a login is welcomed with all that protocol 1 has', async () => {
  const peer = await open();

  const { client_id: id, id_token: token, ...rest } = peer.welcome;
  assert.match(id, /^[0-9A-F-]{36}$/);
  assert.equal(token.length, 28);
  assert.deepEqual(rest, {
    op: 2,
    timeout: 600,
    heartbeat: 240,
    max_size: 8192,
    _qos: 'true',
    protocol: 1,
    _resume: 'false',
    stop_supported: 'true',
  });
  await peer.goodbye();
  await noBreach();
});

test('a server of protocol 0 says nothing of what is newer', async () => {
  await config({ protocol: 0 });
  const peer = await open();

  assert.deepEqual(Object.keys(peer.welcome).sort(), ['_qos', 'client_id', 'heartbeat', 'id_token', 'max_size', 'op', 'timeout']);
  await subscribe(peer, '1');
  peer.send({ op: 8, seq: 1, body: { n: 1 } });
  assert.equal((await peer.next(7)).body.n, 1);
  await peer.next(9);
  await noBreach();
});

test('wrong credentials are closed with 4002, after an error frame where that is wanted', async () => {
  for (const wrong of [{ password: 'x' }, { user: 'x' }, { user: undefined, password: undefined }]) {
    const peer = new Peer();
    await peer.opened;
    peer.send(loginFrame(wrong));
    assert.equal((await peer.closed).code, 4002);
  }
  await config({ error_before_4002: true });
  const peer = new Peer();
  await peer.opened;
  peer.send(loginFrame({ password: 'x' }));
  assert.equal((await peer.next(10)).err, 4002);
  assert.equal((await peer.closed).code, 4002);
});

test('a client id is taken from the login, and a second connection with it ends the first with 4000', async () => {
  const first = await open({ client_id: 'me' }, { where: '/channel?client_id=me' });
  const second = await open({ client_id: 'me' });

  assert.equal((await first.closed).code, 4000);
  assert.equal(second.welcome.client_id, 'me');
  await noBreach();
});

test('a path that is no channel is 404', async () => {
  await assert.rejects(new Peer({ where: '/nowhere' }).opened, { status: 404 });
  await open({}, { where: '/map' });
  await noBreach();
});

test('TLS is spoken on the same port', async () => {
  const ca = readFileSync(`${folder}/tls/server.crt`);
  const peer = await open({}, { scheme: 'wss', more: { ca } });
  await subscribe(peer, '1');
  peer.send({ op: 8, seq: 1, body: { text: 'ä'.repeat(2000) } });
  assert.equal((await peer.next(7)).body.text.length, 2000);
  await fault('drop', { on: 'now' });
  assert.equal((await peer.closed).code, 1006);
  await noBreach();
});

test('the server says which logins it saw, without passwords', async () => {
  await open({ client_id: 'seen' });
  const { connections } = await get('/connections');
  assert.equal(connections[0].login.client_id, 'seen');
  assert.equal(connections[0].path, '/channel');
  assert.ok(!JSON.stringify(connections).includes(password));
});

// Messages ------------------------------------------------------------------------------------------------------------------------------------------

test('matchers choose by equal strings and longs, and by what is there and what is not', async () => {
  const peer = await open();
  const wanted = { 1: { a: 'x' }, 2: { n: 5 }, 3: { a: true, b: false }, 4: {}, 5: { _dest: 'D' }, 6: { big: '9007199254740993' } };
  for (const [id, matcher] of Object.entries(wanted))
    await subscribe(peer, id, { matcher: JSON.stringify(matcher).replace('"9007199254740993"', '9007199254740993') });
  await subscribe(peer, '7');
  const bodies = [
    '{"a":"x"}',
    '{"n":5}',
    '{"a":"y","b":1}',
    '{"_dest":"D"}',
    '{"_dest":"TOPIC:D"}',
    '{"big":9007199254740993}',
    '{"big":9007199254740992}',
  ];
  bodies.forEach((body, i) => peer.send(`{"op":8,"seq":${i + 1},"body":${body}}`));
  await peer.many(9, bodies.length);

  const got = {};
  for (const text of peer.texts.filter((one) => one.startsWith('{"op":7'))) {
    const { to } = JSON.parse(text);
    (got[to] ??= []).push(bodies.findIndex((body) => text.endsWith(`"body":${body}}`)));
  }
  const all = [0, 1, 2, 3, 4, 5, 6];
  assert.deepEqual(got, { 1: [0], 2: [1], 3: [0], 4: all, 5: [3, 4], 6: [5], 7: all });
  await noBreach();
});

test('a body comes back digit by digit, and so it is told to a test', async () => {
  const body =
    '{"long":9223372036854775807,"double":{"_d_":1.50},"odd":{"_d_":"NaN"},"date":{"_m_":-1},"bytes":{"_o_":"AAE="},' +
    '"empty":[],"in":{"s":["ä","\\u0000"]}}';
  const peer = await open();
  await subscribe(peer, '1');
  peer.send(`{"op":8,"seq":1,"body":${body}}`);

  await peer.next(7);
  assert.ok(peer.texts.find((text) => text.startsWith('{"op":7')).endsWith(`"body":${body}}`));
  assert.ok((await get('/messages')).text().includes(body));
  assert.equal((await get('/messages?field=long')).text(), '{"count":1,"values":[9223372036854775807]}\n');
  await noBreach();
});

test('bad matchers and durables fail with 22, and a matcher may be left out where the durable is there', async () => {
  const peer = await open();
  await subscribe(peer, '1', { durable: 'shared', type: 'shared', matcher: '{"a":1}' });
  const wrong = [
    { matcher: '{' },
    { matcher: '[]' },
    { matcher: '{"a":1.5}' },
    { matcher: '{"a":null}' },
    { matcher: '{"a":1,"a":2}' },
    { matcher: `{"a":"${'x'.repeat(257)}"}` },
    { matcher: '{"a":{}}' },
    { type: 'shared' },
    { type: 'last-value', durable: 'd', key: 'k' },
    { durable: 'shared', type: 'shared', matcher: '{"a":2}' },
    { durable: 'shared', type: 'last-value', key: 'a', matcher: '{"a":"1"}' },
  ];
  for (const [i, one] of wrong.entries()) {
    peer.send({ op: 3, id: `w${i}`, ...one });
    const answer = await peer.next((frame) => frame.id === `w${i}`);
    assert.deepEqual([answer.op, answer.err], [6, 22], JSON.stringify(one));
    assert.notEqual(answer.reason, '');
  }
  const other = await open();
  await subscribe(other, '1', { durable: 'shared', type: 'shared' });
  await noBreach();
});

test('unacknowledged messages are bounded by max_pending_acks, and an ack with id takes all up to it', async () => {
  const peer = await open({ max_pending_acks: 3 });
  await subscribe(peer, '1', { ack: 'client' });
  await post('/publish', { count: 7, counter: 'n' });
  const events = await peer.many(7, 3);
  await peer.none(7);
  assert.deepEqual(
    events.map((one) => [one.seq, one.body.n, one.cnt]),
    [
      [1, 1, 1],
      [2, 2, 1],
      [3, 3, 1],
    ],
  );

  peer.send({ op: 9, seq: 2 });
  assert.equal((await peer.next(7)).body.n, 4);
  await peer.none(7);
  peer.send({ op: 9, seq: 4, id: '1' });
  assert.deepEqual(
    (await peer.many(7, 3)).map((one) => one.body.n),
    [5, 6, 7],
  );
  assert.equal((await session(peer)).unacked, 3);
  await noBreach();
});

test('seq rises over all subscriptions of a connection, and mode none has none', async () => {
  const peer = await open();
  for (const id of ['1', '2']) await subscribe(peer, id);
  await subscribe(peer, '3', { ack: 'none' });
  await post('/publish', { count: 2, body: { s: 'x' } });
  const events = await peer.many(7, 6);
  assert.deepEqual(
    events.filter((one) => one.to !== '3').map((one) => one.seq),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    events.filter((one) => one.to === '3').map((one) => one.seq),
    [undefined, undefined],
  );
  await noBreach();
});

test('without quality of service there is neither seq nor answer nor ack', async () => {
  await config({ qos: false });
  const peer = await open();
  assert.equal(peer.welcome._qos, 'false');
  await subscribe(peer, '1');
  peer.send({ op: 8, body: { n: 1 } });
  assert.equal((await peer.next(7)).seq, undefined);
  await peer.none(9);
  await noBreach();
});

test('unsubscribed and closed subscriptions get nothing more; a closed durable keeps its messages, an unsubscribed one does not', async () => {
  const peer = await open({ client_id: 'keeper' });
  await subscribe(peer, '1', { durable: 'a', ack: 'client' });
  await subscribe(peer, '2', { durable: 'b', ack: 'client' });
  await post('/publish', { body: { n: 1 } });
  await peer.many(7, 2);
  peer.send({ op: 5, id: '1', del: false }, { op: 5, id: '2' });
  await peer.settled();
  await post('/publish', { body: { n: 2 } });
  await peer.none(7);

  await subscribe(peer, '3', { durable: 'a', ack: 'client' });
  await subscribe(peer, '4', { durable: 'b', ack: 'client' });
  const events = await peer.many(7, 2);
  assert.deepEqual(
    events.map((one) => [one.to, one.body.n, one.cnt]),
    [
      ['3', 1, 2],
      ['3', 2, 1],
    ],
  );
  await peer.none(7);
  await noBreach();
});

// Resuming ------------------------------------------------------------------------------------------------------------------------------------------

test('a resumed session repeats what was not acknowledged under its own seq, and goes on with what came meanwhile', async () => {
  const first = await open();
  await subscribe(first, '1');
  await post('/publish', { count: 3, counter: 'n' });
  const events = await first.many(7, 3);
  first.send(ack(events[0]));
  await first.settled();
  await lose(first);
  await post('/publish', { count: 2, counter: 'n', start: 4 });

  const second = await again(first);
  assert.equal(second.welcome._resume, 'true');
  assert.notEqual(second.welcome.id_token, first.welcome.id_token);
  await second.none(7);
  await subscribe(second, '1');
  const more = await second.many(7, 4);
  assert.deepEqual(
    more.map((one) => [one.seq, one.body.n, one.cnt]),
    [
      [2, 2, 2],
      [3, 3, 2],
      [4, 4, 1],
      [5, 5, 1],
    ],
  );
  second.send(...more.map(ack));
  await second.settled();
  assert.equal((await session(second)).unacked, 0);
  await noBreach();
});

test('a session that is not resumed begins at seq 1; durables go on, other subscriptions do not', async () => {
  const first = await open();
  await subscribe(first, '1', { durable: 'd' });
  await subscribe(first, '2');
  await post('/publish', { count: 2, counter: 'n' });
  await first.many(7, 4);
  await fault('lose_session');
  await lose(first);

  const second = await again(first);
  assert.equal(second.welcome._resume, 'false');
  await subscribe(second, '1', { durable: 'd' });
  await subscribe(second, '2');
  const events = await second.many(7, 2);
  assert.deepEqual(
    events.map((one) => [one.to, one.seq, one.body.n, one.cnt]),
    [
      ['1', 1, 1, 2],
      ['1', 2, 2, 2],
    ],
  );
  await second.none(7);
  await noBreach();
});

test('a session ends with its time, with a disconnect, and is not resumed unless asked for', async () => {
  await config({ session_ttl: 0.05 });
  const one = await open();
  await lose(one);
  await pause(100);
  const two = await again(one);
  assert.equal(two.welcome._resume, 'false');
  await two.goodbye();
  const three = await again(two);
  assert.equal(three.welcome._resume, 'false');
  await config({ session_ttl: 60 });
  await lose(three);
  const four = await again(three, { login_options: { _qos: 'true' } });
  assert.equal(four.welcome._resume, 'false');
  await noBreach();
});

test('what is sent again in a resumed session is answered and not done twice; in a lost one it is', async () => {
  const first = await open();
  await fault('lose_acks', { on: 'now' });
  first.send({ op: 8, seq: 1, body: { n: 1 } }, { op: 20, seq: 2, map: 'm', key: 'k', value: { n: 2 } }, { op: 13, seq: 3, body: { n: 3 } });
  await first.none(9);
  await lose(first);
  const second = await again(first);
  second.send({ op: 8, seq: 1, body: { n: 1 } }, { op: 20, seq: 2, map: 'm', key: 'k', value: { n: 2 } }, { op: 13, seq: 3, body: { n: 3 } });
  assert.equal((await second.next(9)).seq, 1);
  assert.equal((await second.next(26)).seq, 2);
  assert.equal((await get('/messages?count=1')).count, 2);
  await noBreach();

  await fault('lose_acks', { on: 'now' });
  second.send({ op: 8, seq: 4, body: { n: 4 } });
  await second.settled();
  await fault('lose_session', { on: 'now' });
  await second.closed;
  const third = await again(second);
  third.send({ op: 8, seq: 4, body: { n: 4 } }, { op: 8, seq: 5, body: { n: 5 } });
  await third.many(9, 2);
  assert.deepEqual((await get('/messages?field=n&kind=publish')).values, [1, 4, 4, 5]);
  assert.equal((await get('/state')).counts.again, 1);
  await noBreach();
});

test('the token of the welcome before is taken while nothing shows that the newer one was read', async () => {
  const first = await open();
  await lose(first);
  const unread = await again(first);
  await lose(unread);
  const second = await again(first);
  assert.equal(second.welcome._resume, 'true');
  await noBreach();
});

test('unanswered work that is not sent again is a note', async () => {
  const first = await open();
  first.send({ op: 13, seq: 1, body: {} });
  await first.settled();
  await lose(first);
  const second = await again(first);
  second.send({ op: 8, seq: 3, body: {} });
  await second.next(9);
  assert.deepEqual(
    (await notesOf()).filter((kind) => kind !== 'ping' && kind !== 'close'),
    ['seq-gap-after-reconnect', 'not-resent'],
  );
  await noBreach();
});

// Durables ------------------------------------------------------------------------------------------------------------------------------------------

test('a standard durable is kept for its client id over disconnects, and is taken over', async () => {
  const first = await open({ client_id: 'one' });
  await subscribe(first, '1', { durable: 'd', matcher: '{"a":true}' });
  await first.goodbye();
  await post('/publish', { count: 2, counter: 'a' });
  const other = await open({ client_id: 'two' });
  await subscribe(other, '1', { durable: 'd', matcher: '{"a":true}' });
  await other.none(7);
  const second = await open({ client_id: 'one' });
  await subscribe(second, '1', { durable: 'd' });
  assert.deepEqual(
    (await second.many(7, 2)).map((one) => one.body.a),
    [1, 2],
  );
  await subscribe(second, '2', { durable: 'd' });
  assert.equal((await second.next(6)).id, '1');
  assert.deepEqual(
    (await second.many(7, 2)).map((one) => [one.to, one.cnt]),
    [
      ['2', 2],
      ['2', 2],
    ],
  );
  await noBreach();
});

test('a shared durable shares out, and what one did not acknowledge goes to another', async () => {
  const [one, two] = [await open(), await open()];
  for (const peer of [one, two]) await subscribe(peer, '1', { durable: 's', type: 'shared', ack: 'client' });
  await post('/publish', { count: 4, counter: 'n' });
  const first = await one.many(7, 2);
  const second = await two.many(7, 2);
  assert.deepEqual([...first, ...second].map((event) => event.body.n).sort(), [1, 2, 3, 4]);
  one.send({ op: 9, seq: first[0].seq });
  await one.goodbye();
  const moved = await two.next(7);
  assert.deepEqual([moved.body.n, moved.cnt], [first[1].body.n, 2]);
  await noBreach();
});

test('a last-value durable has the newest message only', async () => {
  const first = await open({ client_id: 'lv' });
  const wish = { durable: 'lv', type: 'last-value', key: 'symbol', matcher: '{"symbol":"IBM"}' };
  await subscribe(first, '1', wish);
  await first.goodbye();
  await post('/publish', { count: 5, counter: 'n', body: { symbol: 'IBM' } });
  await post('/publish', { count: 5, counter: 'n', body: { symbol: 'HAL' } });
  const second = await open({ client_id: 'lv' });
  await subscribe(second, '1', wish);
  assert.equal((await second.next(7)).body.n, 5);
  await second.none(7);
  await noBreach();
});

// Requests, maps, stop and start --------------------------------------------------------------------------------------------------------------------

test('a request reaches a subscriber, whose reply comes back to it', async () => {
  const [asks, replies] = [await open(), await open()];
  await subscribe(replies, '1', { matcher: '{"_dest":"Q"}' });
  asks.send({ op: 13, seq: 1, body: { _dest: 'Q', n: 1 } });
  const event = await replies.next(7);
  replies.send({ op: 15, seq: 1, to: event.reply_to, req: event.req, body: { n: 2 } }, ack(event));
  assert.deepEqual(await asks.next(14), { op: 14, seq: 1, body: { n: 2 } });
  assert.deepEqual(await replies.next(9), { op: 9, seq: 1 });
  replies.send({ op: 15, seq: 2, to: event.reply_to, req: event.req, body: { n: 3 } });
  assert.equal((await replies.next(9)).err, 41);
  await asks.none(14);
  await noBreach();
});

test('a reply waits for a requester that comes back', async () => {
  const [asks, replies] = [await open(), await open()];
  await subscribe(replies, '1');
  asks.send({ op: 13, seq: 1, body: {} });
  const event = await replies.next(7);
  await lose(asks);
  replies.send({ op: 15, seq: 1, to: event.reply_to, req: event.req, body: { n: 2 } });
  await replies.next(9);
  const back = await again(asks);
  back.send({ op: 13, seq: 1, body: {} });
  assert.deepEqual((await back.next(14)).body, { n: 2 });
  await replies.none(7);
  await noBreach();
});

test('a test may ask and have requests replied to', async () => {
  const peer = await open();
  await subscribe(peer, '1', { matcher: '{"_dest":"Q"}' });
  const reply = post('/request', { dest: 'Q', body: { n: 1 } });
  const event = await peer.next(7);
  peer.send({ op: 15, seq: 1, to: event.reply_to, req: event.req, body: { n: event.body.n + 1 } });
  assert.equal((await reply).text(), '{"reply":{"n":2}}\n');
  await assert.rejects(post('/request', { dest: 'nobody', timeout_ms: 20 }), { status: 504 });

  await config({ echo: 'E', no_responder: 'fail' });
  peer.send({ op: 13, seq: 2, body: { _dest: 'E', n: 9 } }, { op: 13, seq: 3, body: { _dest: 'nobody' } });
  assert.equal((await peer.next(14)).body.n, 9);
  assert.deepEqual((({ seq, err }) => ({ seq, err }))(await peer.next(14)), { seq: 3, err: 41 });
  await noBreach();
});

test('what is denied fails with the code of its kind', async () => {
  await config({ denied: { publish: ['no'], request: ['no'], subscribe: ['no'], map: ['no'] } });
  const peer = await open();
  peer.send({ op: 8, seq: 1, body: { _dest: 'no' } }, { op: 13, seq: 2, body: { _dest: 'no' } }, { op: 20, seq: 3, map: 'no', key: 'k', value: {} });
  peer.send({ op: 3, id: '1', matcher: '{"_dest":"no"}' }, { op: 8, seq: 4, body: { _dest: 'yes' } });
  const told = [];
  for (const op of [9, 14, 26, 6, 9]) told.push((await peer.next(op)).err);
  assert.deepEqual(told, [12, 40, 14, 13, undefined]);
  assert.equal((await get('/messages?count=1')).count, 1);
  await noBreach();
});

test('events may do without counts, and requests without req, to which 0 is the reply', async () => {
  await config({ counts_in_events: false, req_in_requests: false });
  const peer = await open();
  await subscribe(peer, '1');
  peer.send({ op: 13, seq: 1, body: {} });
  const event = await peer.next(7);
  assert.deepEqual(Object.keys(event), ['op', 'to', 'seq', 'reply_to', 'body']);
  peer.send({ op: 15, seq: 2, to: event.reply_to, req: 0, body: { n: 1 } });
  assert.equal((await peer.next(14)).body.n, 1);
  await noBreach();
});

test('maps set, get, remove and are destroyed', async () => {
  const peer = await open();
  const ask = async (frame) => {
    peer.send(frame);
    return peer.next(26);
  };
  assert.deepEqual(await ask({ op: 20, seq: 1, map: 'm', key: 'k', value: { a: 1 } }), { op: 26, seq: 1 });
  assert.deepEqual(await ask({ op: 22, seq: 2, map: 'm', key: 'k' }), { op: 26, seq: 2, value: { a: 1 } });
  assert.deepEqual(await ask({ op: 22, seq: 3, map: 'm', key: 'x' }), { op: 26, seq: 3 });
  assert.deepEqual((await get('/maps')).maps, { m: { k: { a: 1 } } });
  await ask({ op: 24, seq: 4, map: 'm', key: 'k' });
  assert.deepEqual(await ask({ op: 22, seq: 5, map: 'm', key: 'k' }), { op: 26, seq: 5 });
  await post('/map', { map: 'm', key: 'y', value: { b: 2 } });
  assert.deepEqual((await ask({ op: 22, seq: 6, map: 'm', key: 'y' })).value, { b: 2 });
  await ask({ op: 18, seq: 7, map: 'm' });
  peer.send({ op: 18, map: 'm' });
  await peer.none(26);
  assert.deepEqual((await get('/maps')).maps, {});
  await config({ destroy_answer: 9 });
  peer.send({ op: 18, seq: 8, map: 'm' });
  assert.equal((await peer.next(9)).seq, 8);
  await noBreach();
});

test('a stopped subscription gets nothing, and after its start what came after the last one received', async () => {
  const peer = await open({ max_pending_acks: 5 });
  await subscribe(peer, '1', { ack: 'client' });
  await subscribe(peer, '2', { ack: 'client' });
  await post('/publish', { count: 2, counter: 'n' });
  await peer.many(7, 4);
  peer.send({ op: 28, id: '1', seq: 1 });
  await peer.settled();
  await post('/publish', { count: 1, counter: 'n', start: 3 });
  assert.equal((await peer.next(7)).to, '2');
  await peer.none(7);
  peer.send({ op: 9, seq: 1 }, { op: 9, seq: 5, id: '2' }, { op: 30, id: '1' });
  assert.equal((await peer.next(31)).to, '1');
  const events = await peer.many(7, 2);
  assert.deepEqual(
    events.map((one) => [one.to, one.body.n, one.cnt]),
    [
      ['1', 2, 2],
      ['1', 3, 1],
    ],
  );
  assert.ok(events[0].seq > 5);
  await noBreach();
});

test('a subscription may be asked for again as stopped', async () => {
  const first = await open();
  await subscribe(first, '1');
  await post('/publish', { body: { n: 1 } });
  const event = await first.next(7);
  first.send({ op: 28, id: '1', seq: event.seq });
  await first.settled();
  await lose(first);
  const second = await again(first);
  await subscribe(second, '1', { stopped: true });
  await post('/publish', { body: { n: 2 } });
  await second.none(7);
  second.send({ op: 30, id: '1' });
  await second.next(31);
  assert.deepEqual(
    (await second.many(7, 2)).map((one) => [one.seq, one.body.n]),
    [
      [1, 1],
      [2, 2],
    ],
  );
  await noBreach();
});

test('heartbeats are sent and wanted back as they were', async () => {
  await config({ heartbeat: 0.03, timeout: 1 });
  const peer = await open();
  await pause(200);
  const beats = peer.texts.filter((text) => text.startsWith('{"op":0'));
  assert.ok(beats.length >= 3, String(beats.length));
  assert.deepEqual(beats.slice(0, 2), ['{"op":0,"beat":1}', '{"op":0,"beat":2}']);
  await peer.goodbye();
  await noBreach();
});

// Faults --------------------------------------------------------------------------------------------------------------------------------------------

test('fault refuse: any status, for as many connections as asked', async () => {
  await fault('refuse', { times: 2, status: 401, headers: { 'WWW-Authenticate': 'Basic' } });
  for (let i = 0; i < 2; ++i) await assert.rejects(new Peer().opened, { status: 401 });
  await open();
  assert.deepEqual((await get('/state')).faults, [{ id: 1, fault: 'refuse', on: 'next', left: 0, applied: 2, fired: 2 }]);
  await noBreach();
});

test('faults of the upgrade: subprotocol, accept, no answer', async () => {
  await fault('subprotocol', { value: 'v2' });
  await assert.rejects(new Peer().opened, /subprotocol/);
  await fault('bad_accept');
  await assert.rejects(new Peer().opened, /Accept/);
  await fault('stall_upgrade');
  const stalled = new Peer();
  assert.equal(await Promise.race([stalled.opened, pause(100).then(() => 'nothing')]), 'nothing');
});

test('fault welcome: members changed and taken out', async () => {
  await fault('welcome', { members: { max_size: 100, _qos: null, _resume: 'TRUE' } });
  const peer = await open();
  assert.deepEqual([peer.welcome.max_size, peer.welcome._qos, peer.welcome._resume], [100, undefined, 'TRUE']);
});

test('fault close: at once, and after the k-th message, which is still answered', async () => {
  const peer = await open();
  await fault('close', { on: 'now', code: 1012, reason: 'restart' });
  assert.deepEqual(await peer.closed, { code: 1012, reason: 'restart' });
  await fault('close', { code: 1001, after_messages: 2 });
  const second = await open();
  second.send({ op: 8, seq: 1, body: {} }, { op: 8, seq: 2, body: {} }, { op: 8, seq: 3, body: {} });
  assert.equal((await second.closed).code, 1001);
  assert.deepEqual(
    second.frames.map((frame) => frame.seq),
    [1, 2],
  );
  assert.equal((await get('/messages?count=1')).count, 2);
  await noBreach();
});

test('fault drop: after frames, with the answer or without, and of one client only', async () => {
  for (const flush of [true, false]) {
    await fault('drop', { after_frames: 2, flush, how: flush ? 'fin' : 'reset', client: `c${flush}` });
    const other = await open({ client_id: 'other' });
    const peer = await open({ client_id: `c${flush}` });
    peer.send({ op: 8, seq: 1, body: {} }, { op: 8, seq: 2, body: {} });
    assert.equal((await peer.closed).code, 1006);
    assert.equal(peer.frames.filter((frame) => frame.op === 9).length, flush ? 1 : 0);
    await other.none(9);
  }
  await noBreach();
});

test('fault drop: at a byte, within a frame', async () => {
  await fault('drop', { after_bytes_out: 20 });
  const peer = new Peer();
  await peer.opened;
  peer.send(loginFrame());
  await peer.closed;
  assert.deepEqual(peer.texts, []);
  await fault('drop', { after_bytes_in: 100 });
  const second = new Peer();
  await second.opened;
  second.send(loginFrame());
  await second.closed;
  const { connections } = await get('/connections');
  assert.deepEqual(
    connections.map((one) => [one.bytes_in === 100, one.bytes_out]),
    [
      [false, 20],
      [true, 0],
    ],
  );
  await noBreach();
});

test('fault silent: what comes is done, nothing is said, heartbeats neither', async () => {
  await config({ heartbeat: 0.03, echo_limit: 0.05 });
  const peer = await open();
  await fault('silent', { on: 'now' });
  peer.frames = [];
  peer.send({ op: 8, seq: 1, body: {} });
  await until(async () => (await get('/messages?count=1')).count === 1);
  await pause(150);
  assert.deepEqual(peer.frames, []);
  await fault('none');
  await peer.next(0);
  await noBreach();
});

test('faults half_open and stop_reading: nothing is read, and nothing or something said', async () => {
  const [one, two] = [await open(), await open()];
  await fault('half_open', { on: 'now', client: one.welcome.client_id });
  await fault('stop_reading', { on: 'now', client: two.welcome.client_id });
  one.send({ op: 8, seq: 1, body: {} });
  two.send({ op: 8, seq: 1, body: {} });
  await fault('heartbeat', { on: 'now' });
  await two.next(0);
  await pause(50);
  assert.deepEqual([one.frames, (await get('/messages?count=1')).count], [[], 0]);
  await fault('none');
  await until(async () => (await get('/messages?count=1')).count === 2);
});

test('fault slow: bytes trickle, and frames wait', async () => {
  const peer = await open();
  await subscribe(peer, '1');
  await fault('slow', { on: 'now', bytes_per_second: 2000 });
  const begun = Date.now();
  await post('/publish', { body: { text: 'x'.repeat(600) } });
  await peer.next(7);
  assert.ok(Date.now() - begun > 150, `${Date.now() - begun} ms`);
  await fault('slow', { on: 'now', delay_ms: 150 });
  const sent = Date.now();
  peer.send({ op: 8, seq: 1, body: {} });
  await peer.next(9);
  assert.ok(Date.now() - sent > 140);
  await noBreach();
});

test('faults that send what is wrong: garbage, unknown op, any frame, any bytes', async () => {
  const peer = await open();
  await fault('garbage', { on: 'now' });
  await peer.next((frame) => frame.bad !== undefined);
  await fault('unknown_op', { on: 'now' });
  await peer.next(77);
  await fault('frame', { on: 'now', text: '{"op":10,"err":12,"reason":"no"}' });
  assert.equal((await peer.next(10)).err, 12);
  await fault('raw', { on: 'now', hex: '81037b7d20' });
  assert.deepEqual(await peer.next((frame) => frame.op === undefined), {});
});

test('fault batch: arrays of events', async () => {
  const peer = await open();
  await subscribe(peer, '1');
  await fault('batch', { on: 'now', size: 3 });
  await post('/publish', { count: 5, counter: 'n' });
  await until(() => peer.frames.length === 2);
  assert.deepEqual(
    peer.frames.map((frame) => frame.map((one) => one.body.n)),
    [
      [1, 2, 3],
      [4, 5],
    ],
  );
  peer.send(...peer.frames.flat().map(ack));
  await peer.settled();
  assert.equal((await session(peer)).unacked, 0);
  await noBreach();
});

test('faults of answers: later, last one first, an error', async () => {
  const peer = await open();
  await fault('delay_acks', { on: 'now', ms: 120 });
  const begun = Date.now();
  peer.send({ op: 8, seq: 1, body: {} });
  await peer.next(9);
  assert.ok(Date.now() - begun >= 115);
  await fault('none');
  await fault('reorder_acks', { on: 'now', size: 3 });
  peer.send({ op: 8, seq: 2, body: {} }, { op: 8, seq: 3, body: {} }, { op: 8, seq: 4, body: {} });
  assert.deepEqual(
    (await peer.many(9, 3)).map((one) => one.seq),
    [4, 3, 2],
  );
  await fault('none');
  for (const [op, frame, answer] of [
    [8, { seq: 5, body: {} }, 9],
    [20, { seq: 6, map: 'm', key: 'k', value: {} }, 26],
    [13, { seq: 7, body: {} }, 14],
    [3, { id: '1' }, 6],
  ]) {
    await fault('error', { on: 'now', op, err: 12, reason: 'no' });
    peer.send({ op, ...frame });
    const told = await peer.next(answer);
    assert.deepEqual([told.err, told.reason, told.seq], [12, 'no', frame.seq]);
  }
  await noBreach();
});

test('fault fragments: messages in many frames', async () => {
  await fault('fragments', { size: 7 });
  const peer = await open();
  await subscribe(peer, '1');
  await post('/publish', { body: { text: 'äöü'.repeat(50) } });
  assert.equal((await peer.next(7)).body.text.length, 150);
});

test('fault repeat: what was acknowledged comes again after a resume, and may be acknowledged again', async () => {
  const first = await open();
  await subscribe(first, '1');
  await post('/publish', { count: 3, counter: 'n' });
  first.send(...(await first.many(7, 3)).map(ack));
  await first.settled();
  await fault('repeat', { count: 2 });
  await lose(first);
  const second = await again(first);
  await subscribe(second, '1');
  const events = await second.many(7, 2);
  assert.deepEqual(
    events.map((one) => [one.seq, one.cnt]),
    [
      [2, 2],
      [3, 2],
    ],
  );
  second.send(...events.map(ack));
  await second.settled();
  await noBreach();
});

test('random cuts: the same seed cuts at the same bytes', async () => {
  const cut = async () => {
    await post('/reset');
    await fault('drop', { times: 6, seed: 7, min_bytes: 10, max_bytes: 400 });
    for (let i = 0; i < 6; ++i) {
      const peer = new Peer();
      const talk = async () => {
        await peer.opened;
        peer.send(loginFrame());
        await peer.next(2);
        for (let n = 1; n <= 40; ++n) peer.send({ op: 8, seq: n, body: { n } });
      };
      talk().catch(() => {});
      await peer.closed;
    }
    const { connections } = await get('/connections');
    for (const one of connections) assert.equal(one.cut.way === 'in' ? one.bytes_in : one.bytes_out, one.cut.bytes);
    return connections.map((one) => one.cut);
  };

  const [one, two] = [await cut(), await cut()];
  assert.equal(one.length, 6);
  assert.ok(new Set(one.map((each) => each.bytes)).size > 3);
  assert.deepEqual(one, two);
});

test('a client that does all as it should loses nothing over 40 random cuts, and commits no breach', async () => {
  const total = 3000;
  await config({ max_pending_acks: 50 });
  await fault('drop', { times: 40, seed: 3, min_bytes: 500, max_bytes: 16_000 });
  const wish = { durable: 'd', matcher: '{"_dest":"in"}' };
  const unanswered = new Map();
  const got = [];
  let last = 0;
  let token;
  let sent = 0;
  let answered = 0;
  let connections = 0;
  let peer;
  const connect = async () => {
    for (;;) {
      peer = new Peer();
      connections += 1;
      try {
        await peer.opened;
        peer.send(loginFrame({ client_id: 'steady', id_token: token }));
        const welcome = await Promise.race([peer.next(2), peer.closed]);
        if (welcome.op !== 2) continue;
        token = welcome.id_token;
        if (welcome._resume !== 'true') last = 0;
        peer.send({ op: 3, id: '1', ...wish }, ...unanswered.values());
        return;
      } catch {
        /* once more */
      }
    }
  };
  await connect();
  await until(async () => (await get('/state')).durables.length === 1).catch(() => {});
  let injected = false;
  while (answered < total || got.length < total) {
    if (peer.socket.readyState !== WebSocket.OPEN) await connect();
    if (!injected && (await get('/state')).durables.length === 1) {
      injected = true;
      post('/publish', { dest: 'in', count: total, counter: 'n', rate: 5000 });
    }
    while (sent < total && unanswered.size < 30) {
      const frame = { op: 8, seq: ++sent, body: { _dest: 'out', n: sent } };
      unanswered.set(sent, frame);
      peer.send(frame);
    }
    for (const frame of peer.frames.splice(0)) {
      if (frame.op === 9 && unanswered.delete(frame.seq)) answered += 1;
      if (frame.op !== 7) continue;
      if (frame.seq > last) {
        last = frame.seq;
        got.push(frame.body.n);
      }
      peer.send(ack(frame));
    }
    await Promise.race([
      new Promise((resolve) => {
        peer.waiters.push(resolve);
      }),
      peer.closed,
      pause(20),
    ]);
  }
  const expected = Array.from({ length: total }, (_, i) => i + 1);
  assert.deepEqual(got, expected);
  assert.deepEqual((await get('/messages?dest=out&field=n')).values, expected);
  assert.ok(connections > 10, `${connections} connections`);
  await noBreach();
});

// Breaches ------------------------------------------------------------------------------------------------------------------------------------------

const shown = new Set();

// Frames of a client that has logged in, each list with the breach that it is.
const frameBreaches = [
  ['json', '{"op":', 'x'],
  ['json', '[1]'],
  ['json', '{"op":"8"}'],
  ['unknown-op', { op: 7, to: '1', body: {} }],
  ['unknown-op', { op: 99 }],
  ['unknown-member', { op: 8, seq: 1, body: {}, extra: 1 }],
  ['repeated-member', '{"op":8,"seq":1,"seq":1,"body":{}}'],
  ['missing', { op: 8, seq: 1 }],
  ['missing', { op: 20, seq: 1, map: 'm', value: {} }],
  ['type', { op: 8, seq: '1', body: {} }],
  ['type', { op: 8, seq: 1, body: [] }],
  ['type', { op: 3, id: 1 }],
  ['type', { op: 5, id: '1', del: 'false' }],
  ['value', { op: 3, id: '1', ack: 'all' }],
  ['value', { op: 3, id: '1', type: 'standard' }],
  ['value', { op: 3, id: '1', key: 'k' }],
  ['too-large', { op: 8, seq: 1, body: { text: 'x'.repeat(9000) } }],
  ['second-login', loginFrame()],
  ['heartbeat-unasked', { op: 0 }],
  ['seq-missing', { op: 8, body: {} }],
  ['seq-gap', { op: 8, seq: 2, body: {} }],
  ['seq-gap', { op: 8, seq: 1, body: {} }, { op: 8, seq: 3, body: {} }],
  ['seq-order', { op: 8, seq: 0, body: {} }],
  ['seq-reused', { op: 8, seq: 1, body: {} }, { op: 8, seq: 1, body: {} }],
  ['sub-id-reused', { op: 3, id: '1' }, { op: 3, id: '1' }],
  ['sub-id-reused', { op: 3, id: '1' }, { op: 5, id: '1' }, { op: 3, id: '1' }],
  ['unknown-subscription', { op: 5, id: '9' }],
  ['unknown-subscription', { op: 28, id: '9', seq: 0 }],
  ['unknown-subscription', { op: 9, id: '9', seq: 1 }],
  ['gone-subscription', { op: 3, id: '1' }, { op: 5, id: '1' }, { op: 9, id: '1', seq: 1 }],
  ['stop-twice', { op: 3, id: '1' }, { op: 28, id: '1', seq: 0 }, { op: 28, id: '1', seq: 0 }],
  ['stop-seq', { op: 3, id: '1' }, { op: 28, id: '1', seq: 3 }],
  ['stop-seq', { op: 3, id: '1' }, { op: 28, id: '1', seq: -1 }],
  ['start-not-stopped', { op: 3, id: '1' }, { op: 30, id: '1' }],
  ['ack-unknown', { op: 9, seq: 5 }],
  ['ack-unknown', { op: 3, id: '1' }, { op: 9, seq: 5, id: '1' }],
  ['reply-to', { op: 15, seq: 1, to: 'x', req: 1, body: {} }],
  ['after-disconnect', { op: 11 }, { op: 8, seq: 1, body: {} }],
  ...[
    ['body-name', '{"":1}'],
    ['body-null', '{"a":null}'],
    ['body-boolean', '{"a":true}'],
    ['body-fraction', '{"a":1.5}'],
    ['body-fraction', '{"a":1e3}'],
    ['body-fraction', '{"a":[1,2.0]}'],
    ['body-long', '{"a":9223372036854775808}'],
    ['body-double', '{"a":{"_d_":"Inf"}}'],
    ['body-date', '{"a":{"_m_":1.5}}'],
    ['body-date', '{"a":{"_m_":"1"}}'],
    ['body-opaque', '{"a":{"_o_":"AAE"}}'],
    ['body-special', '{"a":{"_d_":1,"b":2}}'],
    ['body-array', '{"a":[1,"x"]}'],
    ['body-array', '{"a":[[1]]}'],
    ['body-array', '{"a":[{"_o_":"AAE="}]}'],
    ['body-reserved', '{"_eftl:seq":1}'],
    ['repeated-member', '{"a":1.0,"a":2}'],
    ['body-null', '{"in":{"deep":[{"x":null}]}}'],
  ].map(([kind, body]) => [kind, `{"op":8,"seq":1,"body":${body}}`]),
];

test('each breach by a frame is recorded', async (t) => {
  for (const [kind, ...frames] of frameBreaches) {
    await t.test(`${kind}: ${JSON.stringify(frames.at(-1)).slice(0, 70)}`, async () => {
      await post('/reset');
      const peer = await open();
      peer.send(...frames);
      await peer.settled();
      await until(async () => (await kindsOf()).includes(kind));
      shown.add(kind);
      const { breaches } = await get('/breaches');
      assert.equal(breaches[0].client_id, peer.welcome.client_id);
      assert.equal(
        new Set(breaches.map((one) => one.kind)).size,
        kind === 'too-large' ? breaches.length : new Set(breaches.map((one) => one.kind)).size,
      );
      peer.socket.terminate();
    });
  }
});

// Each: the breach, and what commits it.
const otherBreaches = [
  [
    'server-error',
    async () => {
      await config({ max_size: 0 });
      const p = await open();
      p.send(`{"op":8,"seq":1,"body":{"a":1.5,"b":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`);
      assert.equal((await p.closed).code, 1011);
    },
  ],
  [
    'before-login',
    async () => {
      const p = new Peer();
      await p.opened;
      p.send({ op: 8, seq: 1, body: {} });
      assert.equal((await p.closed).code, 1002);
    },
  ],
  [
    'before-welcome',
    async () => {
      await config({ welcome_delay: 200 });
      const p = new Peer();
      await p.opened;
      p.send(loginFrame(), { op: 3, id: '1' });
      assert.equal((await p.closed).code, 1002);
    },
  ],
  [
    'binary',
    async () => {
      const p = await open();
      p.socket.send(Buffer.from('{}'));
      await p.settled();
    },
  ],
  [
    'query',
    async () => {
      await open({ client_id: 'a' }, { where: '/channel?client_id=a&more=1' });
    },
  ],
  [
    'subprotocol',
    async () => {
      await open({}, { protocols: [] });
    },
  ],
  [
    'subprotocol',
    async () => {
      await open({}, { protocols: ['other', subprotocol] });
    },
  ],
  [
    'authorization',
    async () => {
      await open({}, { headers: {} });
    },
  ],
  [
    'authorization',
    async () => {
      await config({ anonymous: true });
      await open({ user: undefined, password: undefined });
    },
  ],
  [
    'upgrade',
    async () => {
      const s = await rawUpgrade({ version: 12 });
      s.destroy();
    },
  ],
  [
    'client-id',
    async () => {
      await open({ client_id: 'b' }, { where: '/channel?client_id=a' });
    },
  ],
  [
    'token',
    async () => {
      await open({ id_token: 'x' });
    },
  ],
  [
    'token',
    async () => {
      const first = await open();
      await lose(first);
      const second = await again(first);
      second.send({ op: 8, seq: 1, body: {} });
      await second.next(9);
      await lose(second);
      await again(first);
    },
  ],
  [
    'type',
    async () => {
      await open({ login_options: { _qos: 'true', x: 1 } });
    },
  ],
  [
    'value',
    async () => {
      await open({ login_options: {} });
    },
  ],
  [
    'value',
    async () => {
      await open({ max_pending_acks: 0 });
    },
  ],
  [
    'missing',
    async () => {
      const p = new Peer();
      await p.opened;
      p.send(loginFrame({ login_options: undefined }));
      assert.equal((await p.closed).code, 1002);
    },
  ],
  [
    'not-supported',
    async () => {
      await config({ protocol: 0 });
      const p = await open();
      p.send({ op: 13, seq: 1, body: {} });
      await p.settled();
    },
  ],
  [
    'not-supported',
    async () => {
      const p = await open({ protocol: 0 });
      p.send({ op: 3, id: '1' }, { op: 5, id: '1', del: false });
      await p.settled();
    },
  ],
  [
    'not-supported',
    async () => {
      await config({ stop: false });
      const p = await open();
      p.send({ op: 3, id: '1' }, { op: 28, id: '1', seq: 0 });
      await p.settled();
    },
  ],
  [
    'heartbeat-late',
    async () => {
      await config({ heartbeat: 0.02, echo_limit: 0.04 });
      await open({}, { echo: false });
    },
  ],
  [
    'heartbeat-changed',
    async () => {
      const p = await open({}, { echo: false });
      await fault('heartbeat', { on: 'now' });
      await p.next(0);
      p.send({ op: 0 });
      await p.settled();
    },
  ],
  [
    'heartbeat-missing',
    async () => {
      await config({ heartbeat: 0.02, timeout: 0.1, echo_limit: 9 });
      const p = await open({}, { echo: false });
      await p.closed;
    },
  ],
  [
    'seq-resent',
    async () => {
      const first = await open({}, { echo: false });
      first.send({ op: 8, seq: 1, body: {} });
      await first.next(9);
      await fault('heartbeat', { on: 'now' });
      await first.next(0);
      first.send('{"op":0,"beat":1}');
      await first.settled();
      await lose(first);
      const second = await again(first);
      second.send({ op: 8, seq: 1, body: {} });
      await second.settled();
    },
  ],
  [
    'seq-resent',
    async () => {
      const first = await open();
      first.send({ op: 8, seq: 1, body: {} });
      await first.next(9);
      await lose(first);
      const second = await again(first);
      second.send({ op: 22, seq: 1, map: 'm', key: 'k' });
      await second.settled();
    },
  ],
  [
    'seq-order',
    async () => {
      const first = await open();
      first.send({ op: 8, seq: 1, body: {} }, { op: 8, seq: 2, body: {} });
      await first.many(9, 2);
      await lose(first);
      const second = await again(first);
      second.send({ op: 8, seq: 2, body: {} }, { op: 8, seq: 1, body: {} });
      await second.settled();
    },
  ],
  [
    'resubscribe-changed',
    async () => {
      const first = await open();
      await subscribe(first, '1', { matcher: '{"a":1}' });
      await lose(first);
      await subscribe(await again(first), '1', { matcher: '{"a":2}' });
    },
  ],
  [
    'resubscribe-late',
    async () => {
      const first = await open();
      await subscribe(first, '1');
      await lose(first);
      const second = await again(first);
      second.send({ op: 8, seq: 1, body: {} });
      await subscribe(second, '1');
    },
  ],
  [
    'ack-stale',
    async () => {
      const first = await open();
      await subscribe(first, '1');
      await post('/publish', { body: {} });
      const event = await first.next(7);
      await lose(first);
      const second = await again(first);
      second.send({ op: 9, seq: event.seq });
      await second.settled();
    },
  ],
  [
    'ack-wrong-subscription',
    async () => {
      const p = await open();
      await subscribe(p, '1');
      await subscribe(p, '2');
      await post('/publish', { body: {} });
      await p.many(7, 2);
      p.send({ op: 9, seq: 1, id: '2' });
      await p.settled();
    },
  ],
  [
    'ack-in-mode-none',
    async () => {
      const p = await open();
      await subscribe(p, '1', { ack: 'none' });
      p.send({ op: 9, seq: 1, id: '1' });
      await p.settled();
    },
  ],
  [
    'ack-without-qos',
    async () => {
      await config({ qos: false });
      const p = await open();
      p.send({ op: 9, seq: 1 });
      await p.settled();
    },
  ],
  [
    'ack-while-stopped',
    async () => {
      const p = await open();
      await subscribe(p, '1');
      await post('/publish', { count: 2, body: {} });
      await p.many(7, 2);
      p.send({ op: 28, id: '1', seq: 1 }, { op: 9, seq: 2, id: '1' });
      await p.settled();
    },
  ],
  [
    'reply-req',
    async () => {
      const p = await open();
      await subscribe(p, '1');
      p.send({ op: 13, seq: 1, body: {} });
      const event = await p.next(7);
      p.send({ op: 15, seq: 2, to: event.reply_to, req: event.req + 1, body: {} });
      assert.equal((await p.next(9)).err, 41);
    },
  ],
  [
    'no-close',
    async () => {
      const p = await open();
      p.send({ op: 11 });
      await p.closed;
    },
  ],
  [
    'close-without-disconnect',
    async () => {
      const p = await open();
      p.socket.close(1000);
      await p.closed;
    },
  ],
  [
    'close-not-answered',
    async () => {
      const s = await rawLogin();
      await fault('close', { on: 'now', code: 1012 });
      await pause(30);
      s.destroy();
    },
  ],
  [
    'ws-pong',
    async () => {
      await config({ echo_limit: 0.03 });
      await rawLogin();
      await fault('ping', { on: 'now' });
    },
  ],
];

// Below what ws can do wrong.
async function rawUpgrade({ version = 13 } = {}) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    `GET /channel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n` +
      `Sec-WebSocket-Version: ${version}\r\nSec-WebSocket-Protocol: ${subprotocol}\r\nAuthorization: ${authorization}\r\n\r\n`,
  );
  await new Promise((resolve) => {
    socket.once('data', resolve);
  });
  socket.on('data', () => {});
  return socket;
}

let maskNumber = 1;
function frame(first, payload, { mask = [maskNumber++ & 255, 2, 3, 4], length } = {}) {
  const body = Buffer.from(payload);
  const head = length ?? (body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255]);
  if (mask === null) return Buffer.concat([Buffer.from([first, head[0] & 0x7f, ...head.slice(1)]), body]);
  return Buffer.concat([Buffer.from([first, ...head, ...mask]), body.map((byte, i) => byte ^ mask[i & 3])]);
}

async function rawLogin() {
  const socket = await rawUpgrade();
  const welcomed = new Promise((resolve) => {
    socket.once('data', resolve);
  });
  socket.write(frame(0x81, JSON.stringify(loginFrame())));
  await welcomed;
  return socket;
}

const framing = [
  ['ws-unmasked', frame(0x81, '{"op":11}', { mask: null })],
  ['ws-reserved', frame(0xc1, '{}')],
  ['ws-control', frame(0x09, '')],
  ['ws-control', frame(0x89, 'x'.repeat(126))],
  ['ws-opcode', frame(0x83, '')],
  ['ws-opcode', frame(0x8b, '')],
  ['ws-fragment', frame(0x80, 'x')],
  ['ws-fragment', Buffer.concat([frame(0x01, '{'), frame(0x81, '}')])],
  ['ws-utf8', frame(0x81, Buffer.from([0x22, 0xc3, 0x28, 0x22]))],
  ['ws-close', frame(0x88, [3])],
  ['ws-close', frame(0x88, [0x03, 0xed])],
  ['ws-length', frame(0x81, '{"op":11}', { length: [0x80 | 126, 0, 9] })],
  ['ws-mask', Buffer.concat(Array.from({ length: 8 }, () => frame(0x8a, '', { mask: [0, 0, 0, 0] })))],
];

test('each breach of RFC 6455 is recorded', async (t) => {
  for (const [kind, bytes] of framing) {
    await t.test(kind, async () => {
      await post('/reset');
      const socket = await rawLogin();
      socket.write(bytes);
      await until(async () => (await kindsOf()).includes(kind));
      shown.add(kind);
      socket.destroy();
    });
  }
});

test('frames in any pieces are put together', async () => {
  const socket = await rawUpgrade();
  const bytes = Buffer.concat([frame(0x81, JSON.stringify(loginFrame({ client_id: 'pieces' }))), frame(0x89, 'ping')]);
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await until(async () => (await get('/state')).clients.length === 1);
  await pause(20);
  socket.write(
    Buffer.concat([
      frame(0x01, '{"op":8,"seq":1,"bo'),
      frame(0x89, 'p'),
      frame(0x00, 'dy":{"n":'),
      frame(0x80, '1}}'),
      frame(0x81, '{"op":11}'),
      frame(0x88, [3, 232]),
    ]),
  );
  await until(async () => (await get('/messages?count=1')).count === 1);
  await until(async () => (await get('/state')).connections.length === 0);
  await noBreach();
});

test('each other breach is recorded', async (t) => {
  for (const [kind, commit] of otherBreaches) {
    await t.test(kind, async () => {
      await post('/reset');
      await commit();
      await until(async () => (await kindsOf()).includes(kind), 7000);
      shown.add(kind);
    });
  }
});

test('what is only worth a note is no breach', async () => {
  const peer = await open({}, { more: { perMessageDeflate: true } });
  assert.deepEqual(await notesOf(), ['extension']);
  await subscribe(peer, '1');
  await post('/publish', { body: {} });
  const event = await peer.next(7);
  peer.send(ack(event), ack(event));
  await peer.settled();
  assert.ok((await notesOf()).includes('ack-again'));
  peer.socket.close(1002, 'you are wrong');
  await peer.closed;
  await until(async () => (await notesOf()).includes('close'));
  await noBreach();
});

test('every kind of breach that the head of eftl.mjs lists was shown', () => {
  const head = readFileSync(`${here}/eftl.mjs`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('//'))
    .map((line) => line.slice(3))
    .join('\n');
  const list = head.slice(head.indexOf('KINDS of breaches:') + 18, head.indexOf('WHERE THE PROTOCOL')).replace(/\([^)]*\)/g, ' ');
  const kinds = list.match(/[a-z0-9]+(?:-[a-z0-9]+)*/g);
  assert.ok(kinds.length > 50);
  assert.deepEqual(
    kinds.filter((kind) => !shown.has(kind)),
    [],
  );
  assert.deepEqual(
    [...shown].filter((kind) => !kinds.includes(kind)),
    [],
  );
});

test('the control says what is wrong with what it is asked', async () => {
  await assert.rejects(get('/nothing'), { status: 404 });
  await assert.rejects(fault('nonsense'), { status: 400, message: /there are none, refuse/ });
  await assert.rejects(fault('close', { codes: 1 }), { status: 400, message: /takes no codes/ });
  await assert.rejects(fault('silent', { after_bytes_in: 1 }), { status: 400 });
  await assert.rejects(config({ heartbeats: 1 }), { status: 400 });
  await assert.rejects(post('/publish', { bodies: {} }), { status: 400 });
});

test('a reset closes with the code that is asked for, and forgets all', async () => {
  const peer = await open();
  await subscribe(peer, '1', { durable: 'd' });
  peer.send({ op: 9, seq: 7 });
  await peer.settled();
  await post('/reset', { close: 1012 });
  assert.equal((await peer.closed).code, 1012);
  const { clients, durables } = await get('/state');
  assert.deepEqual([clients, durables], [[], []]);
  await noBreach();
});

test('the server ends with 1001', async () => {
  const peer = await open();
  const ended = new Promise((resolve) => {
    server.once('exit', resolve);
  });
  server.kill('SIGTERM');
  assert.equal((await peer.closed).code, 1001);
  assert.equal(await ended, 0);
});
