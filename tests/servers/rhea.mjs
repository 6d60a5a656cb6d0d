// SPDX-License-Identifier: Apache-2.0
// rhea.mjs PORT TLS_PORT TLSDIR USER PASSWORD: see rhea.sh.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const rhea = createRequire(process.env.NPM_DIR + "/")("rhea");
const [port, tlsPort, tls, user, password] = process.argv.slice(2);
const environment = process.env;
const credit = Number(environment.AMQP_CREDIT || 100);
const modes = new Set((environment.AMQP_SASL || "anonymous,plain,external").split(","));

const say = (event, what = {}) => console.log(JSON.stringify({ event, ...what }, plain));
function plain(key, value) {
  // A buffer has become { type: "Buffer" } before we see it.
  if (value && value.type === "Buffer") return Buffer.from(value.data).toString("hex");
  return typeof value === "bigint" ? String(value) : value;
}

const container = rhea.create_container({ id: "rhea" });
const mechanisms = container.sasl_server_mechanisms;
if (modes.has("anonymous")) mechanisms.enable_anonymous();
if (modes.has("plain")) mechanisms.enable_plain((name, secret) => (name === user && secret === password) || (name === "alice" && secret === "secret"));
if (modes.has("xoauth2")) mechanisms.XOAUTH2 = () => new TokenLogIn();

/** Lets in who shows a token that OAUTH_RESOURCE takes. */
class TokenLogIn {
  async start(response) {
    const [, name, token] = /^user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01$/.exec(Buffer.from(response).toString()) ?? [];
    const answer = token ? await fetch(environment.OAUTH_RESOURCE, { headers: { Authorization: `Bearer ${token}` } }) : { ok: false };
    say("token", { user: name, accepted: answer.ok });
    this.outcome = answer.ok;
    this.username = name;
  }
}

const queues = new Map();
const bare = (address) => String(address ?? "").replace(/^\//, "");
const queue = (address) => queues.get(bare(address)) ?? queues.set(bare(address), []).get(bare(address));
const senders = new Set(); // links to receivers of our clients
let dynamic = 0;

const parts = (address) => bare(address).split("/");

function next(sender) {
  let [kind, ...rest] = parts(sender.address);
  if (kind === "settled") [kind, ...rest] = rest;
  if (kind === "numbered") return sender.number < Number(rest[0] ?? 10) ? { message_id: sender.number, body: String(sender.number++) } : undefined;
  if (kind === "large") {
    if (sender.number >= Number(rest[1] ?? 1)) return undefined;
    return { message_id: sender.number, body: rhea.message.data_section(Buffer.alloc(Number(rest[0]), 97 + (sender.number++ % 26))) };
  }
  return queue(sender.address).shift();
}

function give(sender) {
  // rhea lowers its credit only when it writes: what is on its way counts too.
  let room = sender.credit - sender.pending;
  while (room-- > 0 && sender.session.outgoing.available() > 0) {
    const message = next(sender);
    if (message === undefined) break;
    sender.pending += 1;
    const delivery = sender.send(message);
    delivery.message = message;
    if (sender.local.attach.snd_settle_mode !== 1) sender.waiting.add(delivery);
    setImmediate(() => (sender.pending -= 1));
  }
  if (sender.is_draining) {
    sender.set_drained(true);
    sender.connection._register(); // or its flow would wait for something else to be written
  }
}

// Never at once: rhea would send transfers before its own attach.
function pump(sender) {
  if (sender.planned) return;
  sender.planned = true;
  setImmediate(() => {
    sender.planned = false;
    if (senders.has(sender) && sender.is_open()) give(sender);
  });
}

function put(address, message, front = false) {
  if (front) queue(address).unshift(message);
  else queue(address).push(message);
  for (const sender of senders) if (bare(sender.address) === bare(address)) pump(sender);
}

function takeBack(sender) {
  senders.delete(sender);
  if (["numbered", "large", "settled"].includes(parts(sender.address)[0])) return;
  for (const delivery of [...sender.waiting].reverse()) put(sender.address, delivery.message, true);
  sender.waiting.clear();
}

// The keys of an error's info have to be symbols; rhea would make strings of them, and takes no ready map.
const wrapMap = rhea.types.wrap_map;
rhea.types.wrap_map = (map, key) => (typeof map?.toRheaTyped === "function" ? map.toRheaTyped() : wrapMap(map, key));
const redirection = rhea.types.wrap_symbolic_map({
  hostname: "other.example", "network-host": "127.0.0.2", port: rhea.types.wrap_ushort(5673), address: "elsewhere",
});
const pleasesNot = { condition: "example:bad-message", description: "the message does not please", info: rhea.types.wrap_symbolic_map({ field: "subject" }) };

function refusal(address) {
  const [kind] = parts(address);
  if (kind === "refused") return { condition: "amqp:not-found", description: "there is no such node" };
  if (kind === "redirect") return { condition: "amqp:link:redirect", description: "it has moved", info: redirection };
  return undefined;
}

container.on("connection_open", ({ connection }) => {
  const certificate = connection.socket.getPeerCertificate?.();
  say("open", {
    container_id: connection.container_id, hostname: connection.hostname, max_frame_size: connection.max_frame_size, channel_max: connection.channel_max,
    idle_time_out: connection.idle_time_out, properties: connection.properties, mechanism: connection.sasl_transport?.selected?.mechanism?.constructor?.name,
    user: connection.sasl_transport?.username ?? connection.sasl_transport?.selected?.username, certificate: certificate?.subject?.CN,
  });
  if (connection.hostname === "redirect.example") connection.close({ condition: "amqp:connection:redirect", description: "go there", info: redirection });
  if (connection.hostname === "forbidden.example") connection.close({ condition: "amqp:unauthorized-access", description: "not you" });
});

function attached(link, address, options) {
  say("attach", {
    role: link.is_receiver() ? "sender" : "receiver", name: link.name, address, snd_settle_mode: link.snd_settle_mode, rcv_settle_mode: link.rcv_settle_mode,
    source: link.source, target: link.target, properties: link.properties, ...options,
  });
}

container.on("sender_open", ({ sender }) => {
  const asked = sender.source ?? {};
  const address = asked.dynamic ? `dynamic-${++dynamic}` : asked.address;
  attached(sender, address, { dynamic: asked.dynamic });
  const refused = refusal(address);
  if (refused || address === undefined || address === null) return sender.close(refused ?? { condition: "amqp:invalid-field", description: "no address" });
  sender.address = address;
  Object.assign(sender, { number: 0, pending: 0, waiting: new Set(), planned: false });
  sender.set_source({ ...asked, address });
  if (sender.target) sender.set_target(sender.target);
  sender.local.attach.snd_settle_mode = parts(address)[0] === "settled" ? 1 : sender.snd_settle_mode;
  sender.local.attach.rcv_settle_mode = sender.rcv_settle_mode;
  senders.add(sender);
});

container.on("receiver_open", ({ receiver }) => {
  const asked = receiver.target ?? {};
  const address = asked.dynamic ? `dynamic-${++dynamic}` : asked.address;
  attached(receiver, address, { dynamic: asked.dynamic });
  const refused = refusal(address);
  if (refused || receiver.target === undefined || receiver.target === null) {
    return receiver.close(refused ?? { condition: "amqp:invalid-field", description: "no target" });
  }
  receiver.address = address;
  receiver.set_target({ ...asked, address });
  if (receiver.source) receiver.set_source(receiver.source);
  receiver.local.attach.snd_settle_mode = receiver.snd_settle_mode;
  receiver.local.attach.rcv_settle_mode = parts(address)[0] === "second" ? 1 : receiver.rcv_settle_mode;
  receiver.add_credit(credit);
});

container.on("sendable", ({ sender }) => pump(sender));
container.on("sender_draining", ({ sender }) => {
  sender.is_draining = true;
  pump(sender);
});
container.on("sender_flow", ({ sender }) => {
  sender.is_draining = Boolean(sender._draining);
  say("flow", { address: sender.address, credit: sender.credit, drain: sender.is_draining });
});

const failure = (level) => ({ condition: "amqp:resource-limit-exceeded", description: `as the address ${level} asks for` });
const answers = {
  reject: ({ delivery }) => delivery.reject(pleasesNot),
  release: ({ delivery }) => delivery.release(),
  modify: ({ delivery }) => delivery.modified({ delivery_failed: true, undeliverable_here: true, message_annotations: { "x-opt-why": "busy" } }),
  silent: () => {},
  second: ({ delivery }) => delivery.update(false, rhea.message.accepted().described()),
  echo: ({ message, delivery }) => {
    const to = message.reply_to;
    if (to) put(to, { ...message, to, reply_to: undefined, correlation_id: message.correlation_id ?? message.message_id });
    delivery.accept();
  },
  "close-connection": ({ connection }) => connection.close(failure("close-connection")),
  "end-session": ({ session }) => session.close(failure("end-session")),
  detach: ({ receiver }) => receiver.close(failure("detach")),
};

container.on("message", (context) => {
  const { receiver, delivery, message } = context;
  const body = message.body?.content ?? message.body;
  const size = Buffer.isBuffer(body) || typeof body === "string" ? body.length : undefined;
  // The sender's settled flag is in delivery.remote_settled.
  say("message", {
    address: receiver.address ?? message.to, delivery: delivery.id, settled: Boolean(delivery.remote_settled), format: delivery.format,
    section: message.body?.typecode, size, message: size > 4096 ? { ...message, body: "..." } : message,
  });
  const answer = answers[parts(receiver.address)[0]];
  if (answer) answer(context);
  else {
    put(receiver.address ?? message.to, message);
    delivery.accept();
  }
  if (receiver.is_open() && receiver.credit * 2 <= credit) receiver.add_credit(credit - receiver.credit);
});

for (const outcome of ["accepted", "rejected", "released", "modified", "settled"]) {
  container.on(outcome, ({ sender, receiver, delivery }) => {
    const link = sender ?? receiver;
    say("outcome", { outcome, address: link.address, delivery: delivery.id, settled: Boolean(delivery.remote_settled), state: delivery.remote_state });
    if (!sender?.waiting?.delete(delivery) && outcome !== "settled") return;
    const again = outcome === "released" || (outcome === "modified" && !delivery.remote_state?.undeliverable_here);
    if (again) put(sender.address, delivery.message, true);
  });
}

container.on("sender_close", ({ sender }) => {
  say("detach", { address: sender.address, error: sender.error });
  if (sender.waiting) takeBack(sender);
});
container.on("sender_error", () => {});
container.on("receiver_close", ({ receiver }) => say("detach", { address: receiver.address, error: receiver.error }));
container.on("receiver_error", () => {});
const gone = (connection) => {
  for (const sender of senders) if (sender.connection === connection) takeBack(sender);
};
container.on("session_close", ({ session }) => {
  say("end", { error: session.error });
  for (const sender of senders) if (sender.session === session) takeBack(sender);
});
container.on("session_error", () => {});
container.on("connection_close", ({ connection }) => {
  say("close", { error: connection.error });
  gone(connection);
});
container.on("connection_error", () => {});
container.on("disconnected", ({ connection, error }) => {
  say("disconnected", { error: error?.message });
  gone(connection);
});
container.on("protocol_error", (error) => say("protocol_error", { error: String(error) }));
container.on("error", (error) => say("error", { error: String(error?.message ?? error) }));

const number = (name) => (environment[name] === undefined ? undefined : Number(environment[name]));
const options = {
  host: "127.0.0.1", require_sasl: !modes.has("none") && modes.size > 0, disable_sasl: modes.has("none") && modes.size === 1,
  credit_window: 0, autoaccept: false, autosettle: true, treat_modified_as_released: false, tcp_no_delay: true,
  max_frame_size: number("AMQP_MAX_FRAME_SIZE"), channel_max: number("AMQP_CHANNEL_MAX"), idle_time_out: number("AMQP_IDLE_TIMEOUT"), reconnect: false,
};
for (const name of Object.keys(options)) if (options[name] === undefined) delete options[name];
const certificate = environment.AMQP_CERT || "server";
container.listen({ ...options, port: Number(port) });
container.listen({
  ...options, port: Number(tlsPort), transport: "tls", cert: readFileSync(`${tls}/${certificate}.crt`),
  key: readFileSync(`${tls}/${certificate === "self" ? "self" : "server"}.key`), ca: [readFileSync(`${tls}/ca.crt`)], requestCert: true,
  rejectUnauthorized: environment.AMQP_CLIENT_CERT === "1", enable_sasl_external: modes.has("external"),
});
