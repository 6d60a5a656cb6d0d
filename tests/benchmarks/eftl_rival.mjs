// SPDX-License-Identifier: Apache-2.0
// eftl_rival.mjs URL CONTROL_PORT USER PASSWORD [MESSAGES [IN_FLIGHT]]: an eFTL client as TIBCO's JavaScript one is built (Node, npm's ws, JSON, an
// object for each message, a table of what was not answered), written for this comparison. Against tests/servers/eftl.sh it publishes MESSAGES
// (50,000) bodies of 100 bytes, each with its completion, at most IN_FLIGHT (1,000) at a time, and then receives as many, which the server makes,
// with automatic acknowledgement. Each half is run in once with a fifth of that. Prints one line of JSON: {"rival", "messages", "publish",
// "receive"}, both halves {"cpu_us", "seconds"}: microseconds of this process's CPU (user and system) a message, and the time that passed.
// Environment: NPM_DIR, as for the test servers.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [url, controlPort, user, password, messages = '50000', window = '1000'] = process.argv.slice(2);
if (password === undefined) {
  console.error('usage: eftl_rival.mjs URL CONTROL_PORT USER PASSWORD [MESSAGES [IN_FLIGHT]]');
  process.exit(2);
}
const servers = path.join(path.dirname(fileURLToPath(import.meta.url)), '../servers');
const packages = process.env.NPM_DIR ?? execFileSync('bash', ['-c', '. "$1"; npm_folder', 'npm', `${servers}/lib.sh`], { encoding: 'utf8' }).trim();
const { WebSocket } = await import(pathToFileURL(`${packages}/node_modules/ws/wrapper.mjs`));

const op = { heartbeat: 0, login: 1, welcome: 2, subscribe: 3, subscribed: 4, event: 7, publish: 8, ack: 9 };

// Fields by name; what is not a string or a long is in an object that tells its type.
class Message {
  constructor(fields) {
    this.fields = fields === undefined ? {} : { ...fields };
  }

  set(name, value) {
    if (value === undefined || value === null) delete this.fields[name];
    else if (typeof value === 'number' && !Number.isInteger(value)) this.fields[name] = { _d_: value };
    else if (value instanceof Date) this.fields[name] = { _m_: value.getTime() };
    else this.fields[name] = value instanceof Message ? value.fields : value;
  }

  get(name) {
    const value = this.fields[name];
    if (value === null || typeof value !== 'object') return value;
    if (value._d_ !== undefined) return Number(value._d_);
    if (value._m_ !== undefined) return new Date(value._m_);
    return Array.isArray(value) ? value : new Message(value);
  }
}

class Connection {
  constructor() {
    this.lastSeq = 0;
    this.lastSubscription = 0;
    this.requests = {};
    this.subscriptions = {};
  }

  connect() {
    return new Promise((resolve, reject) => {
      this.onConnect = resolve;
      const headers = { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
      this.socket = new WebSocket(url, ['v1.eftl.tibco.com'], { headers, perMessageDeflate: false, rejectUnauthorized: false });
      this.socket.on('error', reject);
      this.socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
      this.socket.onopen = () => {
        this.send({ op: op.login, client_type: 'js', client_version: '1', protocol: 1, user, password, login_options: { _qos: 'true' } });
      };
      this.socket.onmessage = (event) => {
        const value = JSON.parse(event.data);
        if (Array.isArray(value)) for (const one of value) this.dispatch(one, event.data);
        else this.dispatch(value, event.data);
      };
    });
  }

  send(value) {
    this.socket.send(JSON.stringify(value));
  }

  dispatch(value, text) {
    switch (value.op) {
      case op.heartbeat:
        this.socket.send(text);
        break;
      case op.welcome:
        this.welcome = value;
        this.onConnect();
        break;
      case op.subscribed:
        this.subscriptions[value.id]?.options.onSubscribe?.(value.id);
        break;
      case op.event:
        this.deliver(value);
        break;
      case op.ack: {
        const request = this.requests[value.seq];
        if (!request) break;
        delete this.requests[value.seq];
        if (value.err !== undefined && value.err !== null) request.options.onError?.(request.message, value.err, value.reason);
        else request.options.onComplete?.(request.message);
        break;
      }
      default:
    }
  }

  deliver(value) {
    const subscription = this.subscriptions[value.to];
    if (!subscription) return;
    if (value.seq === undefined || value.seq > subscription.lastSeq) {
      const message = new Message(value.body);
      message.receipt = { seq: value.seq, id: value.to };
      message.storeId = value.sid ?? 0;
      message.count = value.cnt ?? 0;
      message.replyTo = value.reply_to;
      message.request = value.req;
      try {
        subscription.options.onMessage(message);
      } catch (error) {
        console.error(error);
      }
      if (value.seq !== undefined) subscription.lastSeq = value.seq;
    }
    if (value.seq !== undefined) this.send({ op: op.ack, seq: value.seq, id: value.to });
  }

  publish(message, options) {
    const seq = ++this.lastSeq;
    const text = JSON.stringify({ op: op.publish, seq, body: message.fields });
    if (this.welcome.max_size > 0 && text.length > this.welcome.max_size) throw new Error('the message is too large');
    this.requests[seq] = { seq, message, options, text };
    this.socket.send(text);
  }

  subscribe(options) {
    const id = String(++this.lastSubscription);
    this.subscriptions[id] = { id, options, lastSeq: 0 };
    this.send({ op: op.subscribe, id, matcher: options.matcher, ack: 'auto' });
  }
}

async function control(where, value) {
  const response = await fetch(`http://127.0.0.1:${controlPort}${where}`, { method: value ? 'POST' : 'GET', body: value && JSON.stringify(value) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// With "_dest" and "n" the body has 100 bytes for any n of 100,000 to 999,999.
const first = 100_000;
const filler = 'x'.repeat(100 - '{"_dest":"bench","n":100000,"text":""}'.length);
const inFlight = Number(window);

function publish(connection, count) {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let done = 0;
    const options = {
      onComplete() {
        done += 1;
        if (done === count) resolve();
        else if (sent < count) one();
      },
      onError: (_message, code, reason) => reject(new Error(`${code} ${reason}`)),
    };
    const one = () => {
      const message = new Message();
      message.set('_dest', 'bench');
      message.set('n', first + (sent % 900_000));
      message.set('text', filler);
      sent += 1;
      connection.publish(message, options);
    };
    for (let i = 0; i < Math.min(inFlight, count); ++i) one();
  });
}

let onMessage;
let sum = 0;
function receive(count) {
  return new Promise((resolve, reject) => {
    let got = 0;
    onMessage = (message) => {
      sum += message.get('n') + message.get('text').length;
      got += 1;
      if (got === count) resolve();
    };
    control('/publish', { dest: 'sink', counter: 'n', start: first, count, body: { text: `${filler}x` } }).catch(reject);
  });
}

async function measured(work, count) {
  await work(Math.ceil(count / 5));
  const begun = process.hrtime.bigint();
  const before = process.cpuUsage();
  await work(count);
  const { user: inUser, system } = process.cpuUsage(before);
  return { cpu_us: Number(((inUser + system) / count).toFixed(3)), seconds: Number((Number(process.hrtime.bigint() - begun) / 1e9).toFixed(3)) };
}

const connection = new Connection();
await connection.connect();
const count = Number(messages);
const published = await measured((n) => publish(connection, n), count);
await new Promise((resolve) => {
  connection.subscribe({ matcher: '{"_dest":"sink"}', onMessage: (message) => onMessage(message), onSubscribe: resolve });
});
const received = await measured(receive, count);
console.log(JSON.stringify({ rival: 'node', messages: count, publish: published, receive: received }));
connection.socket.removeAllListeners('close');
connection.send({ op: 11 });
connection.socket.close();
