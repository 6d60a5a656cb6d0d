// SPDX-License-Identifier: Apache-2.0
// Writes rhea.txt: values and messages as rhea encodes them. Made once, with rhea 3.0.5; the tests read the file and need no rhea.
//
//     npm install rhea@3.0.5 && node make_rhea.js > rhea.txt
const rhea = require('rhea');
const types = rhea.types;
const message = rhea.message;

const hex_of = (value) => {
    const writer = new types.Writer();
    writer.write(value && value.type ? value : types.wrap(value));
    return writer.toBuffer().toString('hex');
};

const values = [
    [null, 'null'],
    [true, 'true'],
    [types.wrap_ubyte(255), '{"type":"ubyte","value":255}'],
    [types.wrap_ushort(65535), '{"type":"ushort","value":65535}'],
    [types.wrap_uint(0), '{"type":"uint","value":0}'],
    [types.wrap_uint(200), '{"type":"uint","value":200}'],
    [types.wrap_uint(4294967295), '{"type":"uint","value":4294967295}'],
    [types.wrap_ulong(0), '{"type":"ulong","value":0}'],
    [types.wrap_ulong(200), '{"type":"ulong","value":200}'],
    [types.wrap_ulong(70000), '{"type":"ulong","value":70000}'],
    [types.wrap_byte(-128), '{"type":"byte","value":-128}'],
    [types.wrap_short(-32768), '{"type":"short","value":-32768}'],
    [types.wrap_int(-5), '{"type":"int","value":-5}'],
    [types.wrap_int(70000), '{"type":"int","value":70000}'],
    [types.wrap_long(-5), '{"type":"long","value":-5}'],
    [types.wrap_long(70000), '{"type":"long","value":70000}'],
    [types.wrap_float(0.5), '{"type":"float","value":0.5}'],
    [types.wrap_double(0.1), '{"type":"double","value":0.1}'],
    [types.wrap_timestamp(1382520345253), '{"type":"timestamp","value":1382520345253}'],
    [types.wrap_binary(Buffer.from([0, 255])), '{"type":"binary","value":"00FF"}'],
    [types.wrap_string('Grüße'), '"Grüße"'],
    [types.wrap_string('x'.repeat(256)), '"' + 'x'.repeat(256) + '"'],
    [types.wrap_symbol('amqp:link:stolen'), '{"type":"symbol","value":"amqp:link:stolen"}'],
    [types.wrap_list([]), '{"type":"list","value":[]}'],
    [types.wrap_list([true, 'two']), '{"type":"list","value":[true,"two"]}'],
    [types.wrap_symbolic_map({ a: types.wrap_int(1) }), '{"type":"map","value":[{"type":"symbol","value":"a"},{"type":"int","value":1}]}'],
    [types.wrap_array([1, 70000], 0x71), '{"type":"array","value":[{"type":"int","value":1},{"type":"int","value":70000}]}'],
    [types.wrap_array(['a', 'bc'], 0xa3), '{"type":"array","value":[{"type":"symbol","value":"a"},{"type":"symbol","value":"bc"}]}'],
    [types.wrap_described('x', 'a:b'), '{"descriptor":{"type":"symbol","value":"a:b"},"value":"x"}'],
];

const messages = {
    text: { body: 'Hello' },
    data: { body: message.data_sections(['one', 'two'].map((one) => Buffer.from(one))) },
    sequence: { body: message.sequence_sections([['a'], ['b', 'c']]) },
    list: { body: [true, 'two'] },
    full: {
        durable: true, priority: 9, ttl: 5000, first_acquirer: true, delivery_count: 3,
        delivery_annotations: { 'x-opt-d': types.wrap_int(1) }, message_annotations: { 'x-opt-m': 'm' },
        message_id: 'id-1', user_id: Buffer.from('user'), to: 'to', subject: 'subject', reply_to: 'reply-to', correlation_id: types.wrap_ulong(77),
        content_type: 'text/plain', content_encoding: 'gzip', absolute_expiry_time: 1000, creation_time: 2000,
        group_id: 'group', group_sequence: 7, reply_to_group_id: 'reply-group',
        application_properties: { a: types.wrap_int(1) }, body: 'Hello',
    },
};

console.log('# rhea 3.0.5, by make_rhea.js. value HEX JSON, and message NAME HEX');
for (const [value, json] of values) console.log(['value', hex_of(value), json].join('\t'));
for (const name of Object.keys(messages)) console.log(['message', name, message.encode(messages[name]).toString('hex')].join('\t'));
