// SPDX-License-Identifier: Apache-2.0
// The server's side of one WebSocket (RFC 6455). Written here, and not taken from a package, because a test wants to cut the bytes of either
// direction at any place, and to be told of everything that a client does against the RFC.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

const empty = Buffer.alloc(0);
const roomOfBatch = 65536;
const closeLimit = 5000; // ms for the other side to answer a close frame

export const acceptKey = (key) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

// A close frame may carry these codes (section 7.4).
const mayBeSent = (code) => (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

// Calls of `on`: text(string, bytes), binary(bytes), ping(payload), pong(payload), close(code or undefined, reason), breach(kind, words), drained(),
// ended() once the stream is over.
export class WebSocket {
  constructor(stream, raw, on) {
    this.stream = stream;
    this.raw = raw; // the TCP socket below TLS, or the same
    this.on = on;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.cutIn = Infinity; // bytes until which the client is listened to
    this.cutOut = Infinity; // bytes that the client is still given
    this.onCut = {}; // in(), out(): once such a cut is reached
    this.fragmentSize = 0; // messages are cut into frames of that many bytes
    this.rate = 0; // bytes a second, 0: no limit
    this.muted = false; // what is sent gets lost
    this.closeSent = false;
    this.closeReceived = false;
    this.isOver = false;

    this.chunks = [];
    this.have = 0;
    this.need = 2;
    this.parts = null; // of a message in several frames
    this.partsBytes = 0;
    this.lastMask = -1;
    this.sameMask = 0;

    this.batch = Buffer.allocUnsafeSlow(roomOfBatch);
    this.batchBytes = 0;
    this.flushDue = false;
    this.slowly = [];
    this.slowBytes = 0;

    stream.setNoDelay?.(true);
    stream.on('data', (chunk) => this.#received(chunk));
    stream.on('drain', () => this.on.drained?.());
    stream.on('error', () => {});
    stream.on('end', () => stream.end());
    stream.on('close', () => this.#over());
  }

  // Reading -----------------------------------------------------------------------------------------------------------------------------------------

  #received(chunk) {
    // What comes while an end is on its way, TLS's close_notify before it, is the rest of what was cut: it begins anywhere.
    if (this.isOver || this.closeReceived || this.dropped) return;
    let cut = false;
    if (chunk.length >= this.cutIn) {
      chunk = chunk.subarray(0, this.cutIn);
      cut = true;
    }
    this.cutIn -= chunk.length;
    this.bytesIn += chunk.length;
    this.chunks.push(chunk);
    this.have += chunk.length;
    if (this.have >= this.need) {
      const whole = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.have);
      const used = this.#parse(whole);
      const rest = whole.subarray(used);
      this.chunks = rest.length ? [rest] : [];
      this.have = rest.length;
    }
    if (cut) {
      this.cutIn = Infinity;
      this.onCut.in?.();
    }
  }

  // Takes whole frames from the beginning; says how many bytes those were, and leaves in `need` how many the next one wants.
  #parse(bytes) {
    let at = 0;
    for (;;) {
      if (this.isOver || this.closeReceived) return bytes.length;
      const left = bytes.length - at;
      this.need = 2;
      if (left < 2) return at;
      const first = bytes[at];
      const second = bytes[at + 1];
      let length = second & 0x7f;
      let head = 2;
      if (length === 126) {
        head = this.need = 4;
        if (left < head) return at;
        length = bytes.readUInt16BE(at + 2);
        if (length < 126) this.on.breach('ws-length', `${length} bytes told in 16 bits`);
      } else if (length === 127) {
        head = this.need = 10;
        if (left < head) return at;
        length = Number(bytes.readBigUInt64BE(at + 2));
        if (length < 65536) this.on.breach('ws-length', `${length} bytes told in 64 bits`);
        if (length > 2 ** 30) {
          this.on.breach('ws-length', `a frame of ${length} bytes`);
          this.close(1009, 'too large');
          return bytes.length;
        }
      }
      const masked = (second & 0x80) !== 0;
      if (masked) head += 4;
      this.need = head + length;
      if (left < this.need) return at;
      const payload = bytes.subarray(at + head, at + head + length);
      if (masked) this.#unmask(bytes, at + head - 4, payload);
      at += head + length;
      this.#frame(first, masked, payload);
    }
  }

  #unmask(bytes, at, payload) {
    const mask = bytes.readUInt32BE(at);
    if (mask === this.lastMask) {
      this.sameMask += 1;
      if (this.sameMask === 7) this.on.breach('ws-mask', 'the same masking key in eight frames in a row (section 5.3)');
    } else {
      this.sameMask = 0;
      this.lastMask = mask;
    }
    const a = bytes[at];
    const b = bytes[at + 1];
    const c = bytes[at + 2];
    const d = bytes[at + 3];
    const n = payload.length;
    let i = 0;
    for (; i + 3 < n; i += 4) {
      payload[i] ^= a;
      payload[i + 1] ^= b;
      payload[i + 2] ^= c;
      payload[i + 3] ^= d;
    }
    for (; i < n; ++i) payload[i] ^= bytes[at + (i & 3)];
  }

  #refuse(code, kind, words) {
    this.on.breach(kind, words);
    this.close(code, words);
  }

  #frame(first, masked, payload) {
    const fin = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    if (!masked) return this.#refuse(1002, 'ws-unmasked', 'a frame that is not masked (section 5.1)');
    if (first & 0x70) return this.#refuse(1002, 'ws-reserved', 'reserved bits are set (section 5.2)');
    if (opcode >= 8) {
      if (!fin || payload.length > 125)
        return this.#refuse(1002, 'ws-control', 'a control frame that is cut, or longer than 125 bytes (section 5.5)');
      if (opcode === 8) return this.#close(payload);
      if (opcode === 9) {
        this.#append(10, payload);
        return this.on.ping(payload);
      }
      if (opcode === 10) return this.on.pong(payload);
      return this.#refuse(1002, 'ws-opcode', `opcode ${opcode}`);
    }
    if (opcode > 2) return this.#refuse(1002, 'ws-opcode', `opcode ${opcode}`);
    if ((opcode === 0) !== (this.parts !== null)) {
      return this.#refuse(1002, 'ws-fragment', opcode === 0 ? 'a continuation of nothing' : 'a message within another one (section 5.4)');
    }
    if (fin && opcode !== 0) return this.#message(opcode, payload);
    if (opcode !== 0) {
      this.parts = [opcode];
      this.partsBytes = 0;
    }
    this.parts.push(payload);
    this.partsBytes += payload.length;
    if (!fin) return undefined;
    const [kind, ...parts] = this.parts;
    this.parts = null;
    return this.#message(kind, Buffer.concat(parts));
  }

  #message(opcode, payload) {
    if (opcode === 2) return this.on.binary(payload);
    if (!isUtf8(payload)) return this.#refuse(1007, 'ws-utf8', 'a text that is not UTF-8 (section 8.1)');
    return this.on.text(payload.toString('utf8'), payload.length);
  }

  #close(payload) {
    this.closeReceived = true;
    let code;
    if (payload.length === 1) this.on.breach('ws-close', 'a close frame with half a code (section 5.5.1)');
    if (payload.length >= 2) {
      code = payload.readUInt16BE(0);
      if (!mayBeSent(code)) this.on.breach('ws-close', `close code ${code} may not be sent (section 7.4)`);
      if (!isUtf8(payload.subarray(2))) this.on.breach('ws-close', 'a reason that is not UTF-8');
    }
    const isAnswer = this.closeSent;
    this.on.close(code, payload.subarray(2).toString('utf8'), isAnswer);
    if (!isAnswer) {
      this.#append(8, payload.length >= 2 && mayBeSent(code) ? payload.subarray(0, 2) : empty);
      this.closeSent = true;
    }
    this.flush();
    this.stream.end();
    this.#limitClose();
  }

  // Writing -----------------------------------------------------------------------------------------------------------------------------------------

  text(string) {
    if (this.closeSent || this.isOver) return;
    const length = Buffer.byteLength(string);
    if (this.fragmentSize > 0 && length > this.fragmentSize) {
      const bytes = Buffer.from(string);
      for (let i = 0; i < length; i += this.fragmentSize) {
        this.#append(i === 0 ? 1 : 0, bytes.subarray(i, i + this.fragmentSize), i + this.fragmentSize >= length);
      }
      return;
    }
    if (length + 10 > roomOfBatch) {
      this.#append(1, Buffer.from(string));
      return;
    }
    this.#room(length + 10);
    this.#head(0x81, length);
    this.batchBytes += this.batch.write(string, this.batchBytes);
    this.#flushSoon();
  }

  frame(opcode, payload) {
    if (!this.closeSent && !this.isOver) this.#append(opcode, payload);
  }

  // Bytes as they are, whether they are a frame or not.
  bytes(bytes) {
    this.flush();
    this.#write(bytes);
  }

  close(code, reason = '') {
    if (this.closeSent || this.isOver) return;
    const words = Buffer.from(reason).subarray(0, 123);
    const payload = Buffer.alloc(code === undefined ? 0 : 2 + words.length);
    if (code !== undefined) {
      payload.writeUInt16BE(code);
      words.copy(payload, 2);
    }
    this.#append(8, payload);
    this.closeSent = true;
    this.flush();
    this.#limitClose();
  }

  // Ends TCP: at once and with a reset, or by an ordinary end, which may come after what is on its way.
  drop(how) {
    if (this.isOver) return;
    this.batchBytes = 0;
    this.muted = true;
    this.dropped = true;
    if (how === 'fin') {
      this.stream.end(() => this.stream.destroy());
      return;
    }
    if (this.raw.resetAndDestroy) this.raw.resetAndDestroy();
    this.stream.destroy();
    this.#over();
  }

  get waiting() {
    return this.batchBytes + this.slowBytes + this.stream.writableLength;
  }

  flush() {
    this.flushDue = false;
    const n = this.batchBytes;
    if (n === 0) return;
    this.batchBytes = 0;
    this.#write(Buffer.from(this.batch.subarray(0, n)));
  }

  #head(first, length) {
    const { batch } = this;
    batch[this.batchBytes++] = first;
    if (length < 126) {
      batch[this.batchBytes++] = length;
    } else if (length < 65536) {
      batch[this.batchBytes++] = 126;
      this.batchBytes = batch.writeUInt16BE(length, this.batchBytes);
    } else {
      batch[this.batchBytes++] = 127;
      this.batchBytes = batch.writeBigUInt64BE(BigInt(length), this.batchBytes);
    }
  }

  #append(opcode, payload, fin = true) {
    this.#room(10);
    this.#head((fin ? 0x80 : 0) | opcode, payload.length);
    if (payload.length + this.batchBytes <= roomOfBatch) {
      payload.copy(this.batch, this.batchBytes);
      this.batchBytes += payload.length;
    } else {
      this.flush();
      this.#write(payload);
    }
    this.#flushSoon();
  }

  #room(bytes) {
    if (this.batchBytes + bytes > roomOfBatch) this.flush();
  }

  // One write for all that is said until the loop turns.
  #flushSoon() {
    if (this.flushDue) return;
    this.flushDue = true;
    setImmediate(() => this.flush());
  }

  #write(bytes) {
    if (this.muted || this.isOver) return;
    if (this.rate > 0) {
      this.slowly.push(bytes);
      this.slowBytes += bytes.length;
      if (this.slowly.length === 1) this.#writeSlowly();
      return;
    }
    if (bytes.length >= this.cutOut) {
      bytes = bytes.subarray(0, this.cutOut);
      this.cutOut = Infinity;
      this.muted = true;
      this.bytesOut += bytes.length;
      this.stream.write(bytes, () => this.onCut.out?.());
      return;
    }
    this.cutOut -= bytes.length;
    this.bytesOut += bytes.length;
    this.stream.write(bytes);
  }

  #writeSlowly() {
    if (this.isOver || this.muted || this.slowly.length === 0) return;
    const [bytes] = this.slowly;
    const size = this.rate > 0 ? Math.max(1, Math.floor(this.rate / 20)) : bytes.length;
    const piece = bytes.subarray(0, size);
    this.bytesOut += piece.length;
    this.slowBytes -= piece.length;
    this.stream.write(piece);
    if (size < bytes.length) this.slowly[0] = bytes.subarray(size);
    else this.slowly.shift();
    if (this.slowly.length > 0) setTimeout(() => this.#writeSlowly(), 50);
    else this.on.drained();
  }

  #limitClose() {
    setTimeout(() => {
      if (this.isOver) return;
      this.stream.destroy();
      this.raw.destroy();
      this.#over();
    }, closeLimit).unref();
  }

  #over() {
    if (this.isOver) return;
    this.isOver = true;
    this.on.ended();
  }
}
