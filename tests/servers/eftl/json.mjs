// SPDX-License-Identifier: Apache-2.0
// JSON as a relay needs it: texts of members handed on as they came, and numbers that keep all their digits.

// A number that was not spelled as a whole one.
export class Fraction {
  constructor(text) {
    this.text = text;
  }
}

const isSpace = (c) => c === 32 || c === 9 || c === 10 || c === 13;

function skipSpace(text, at) {
  while (isSpace(text.charCodeAt(at))) ++at;
  return at;
}

function endOfString(text, at) {
  for (;;) {
    at = text.indexOf('"', at + 1);
    let back = at - 1;
    while (text.charCodeAt(back) === 92) --back;
    if ((at - back) % 2 === 1) return at + 1;
  }
}

function endOfValue(text, at) {
  const first = text.charCodeAt(at);
  if (first === 34) return endOfString(text, at);
  if (first !== 123 && first !== 91) {
    for (; ; ++at) {
      const c = text.charCodeAt(at);
      if (c === 44 || c === 125 || c === 93 || isSpace(c) || Number.isNaN(c)) return at;
    }
  }
  let depth = 0;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 34) {
      at = endOfString(text, at);
      continue;
    }
    if (c === 123 || c === 91) ++depth;
    else if ((c === 125 || c === 93) && --depth === 0) return at + 1;
    ++at;
  }
}

// Of a text that is known to be a JSON object: the text of one member, and names that are there more than once.
export function rawMember(text, wanted, repeated) {
  const seen = [];
  let raw;
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  if (text.charCodeAt(at) === 125) return undefined;
  for (;;) {
    const nameEnd = endOfString(text, at);
    let name = text.slice(at + 1, nameEnd - 1);
    if (name.includes('\\')) name = JSON.parse(`"${name}"`);
    if (seen.includes(name)) repeated?.(name);
    seen.push(name);
    const from = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const to = endOfValue(text, from);
    if (name === wanted) raw = text.slice(from, to);
    at = skipSpace(text, to);
    if (text.charCodeAt(at) === 125) return raw;
    at = skipSpace(text, at + 1);
  }
}

// Whether the plain reader would lose something: fractions, exponents, whole numbers beyond 2^53. Texts may look so too; that costs time only.
const isDelicate = (text) => /\d[.eE]|\d{16}/.test(text);

// Of a text that is known to be JSON: whole numbers as number, beyond 2^53 as bigint, others as Fraction. repeated(name) is told of a name twice in
// one object where the text is read with care, which `always` asks for.
export function readExactly(text, repeated, always = false) {
  if (!always && !isDelicate(text)) return JSON.parse(text);
  let at = 0;
  const value = () => {
    at = skipSpace(text, at);
    const from = at;
    switch (text[at]) {
      case '{': {
        const object = {};
        at = skipSpace(text, at + 1);
        while (text[at] !== '}') {
          const nameFrom = at;
          at = endOfString(text, at);
          const name = JSON.parse(text.slice(nameFrom, at));
          if (Object.hasOwn(object, name)) repeated?.(name);
          at = skipSpace(text, at) + 1;
          Object.defineProperty(object, name, { value: value(), enumerable: true, writable: true, configurable: true });
          at = skipSpace(text, at);
          if (text[at] === ',') at = skipSpace(text, at + 1);
        }
        ++at;
        return object;
      }
      case '[': {
        const array = [];
        at = skipSpace(text, at + 1);
        while (text[at] !== ']') {
          array.push(value());
          at = skipSpace(text, at);
          if (text[at] === ',') at = skipSpace(text, at + 1);
        }
        ++at;
        return array;
      }
      default: {
        at = endOfValue(text, at);
        const word = text.slice(from, at);
        if (!/^-?\d/.test(word)) return JSON.parse(word);
        if (/[.eE]/.test(word)) return new Fraction(word);
        const number = Number(word);
        return Number.isSafeInteger(number) ? number : BigInt(word);
      }
    }
  };
  return value();
}
