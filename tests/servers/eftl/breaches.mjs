// SPDX-License-Identifier: Apache-2.0
// What a client did against the protocol (breaches), and what is only worth knowing (notes).
const most = 10_000;

// A password in a frame or a header is nobody's business, not even that of a test's log.
export const masked = (text) => text.replace(/("password"\s*:\s*")(?:[^"\\]|\\.)*"/g, '$1***"');

export class Breaches {
  constructor() {
    this.clear();
  }

  clear() {
    this.breaches = [];
    this.notes = [];
    this.counts = {};
    this.started = Date.now();
  }

  add(severity, kind, words, connection, frame) {
    const list = severity === 'note' ? this.notes : this.breaches;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (list.length >= most) return;
    const entry = { kind, words, at_ms: Date.now() - this.started, connection: connection?.n, client_id: connection?.client?.id };
    if (frame !== undefined) entry.frame = masked(frame.slice(0, 300));
    list.push(entry);
    if (severity !== 'note') console.error(`breach ${kind}: ${words}${entry.frame ? `: ${JSON.stringify(entry.frame)}` : ''}`);
  }
}
