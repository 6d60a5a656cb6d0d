// SPDX-License-Identifier: Apache-2.0
/// The other end of an amqp::Engine, frame by frame; and what the engine tells its host, line by line.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amqp/amqp_error.hpp"
#include "amqp/engine.hpp"
#include "amqp/outcome.hpp"
#include "unit/amqp/bytes.hpp"

namespace qconn::test {

using namespace qconn::amqp;

/// A list of fields, each already encoded; an empty one is absent.
using Parts = std::vector<std::string>;

inline std::string u32(std::uint32_t v) { return encoded(AmqpValue{v}); }
inline std::string u16(std::uint16_t v) { return encoded(AmqpValue{v}); }
inline std::string flag(bool v) { return encoded(AmqpValue{v}); }
inline std::string str(std::string_view v) { return encoded(AmqpValue{v}); }
inline std::string sym(std::string_view v) { return encoded(AmqpValue{AmqpSymbol{std::string{v}}}); }
inline std::string bin(std::string_view v) { return encoded(AmqpValue{AmqpBinary{std::string{v}}}); }

inline std::string composite(Descriptor descriptor, const Parts& parts) {
    std::string out;
    Fields fields{out, static_cast<std::uint8_t>(descriptor)};
    for (const std::string& part : parts) {
        if (part.empty())
            fields.absent();
        else
            fields.next() += part;
    }
    fields.close();
    return out;
}
inline std::string frame(std::uint16_t channel, std::string_view body, std::uint8_t type = 0) {
    std::string out;
    put(out, static_cast<std::uint32_t>(8 + body.size()));
    put_code(out, 2);
    put_code(out, type);
    put(out, channel);
    return out += body;
}
inline std::string frame(std::uint16_t channel, Descriptor descriptor, const Parts& parts, std::string_view payload = {}) {
    return frame(channel, composite(descriptor, parts) + std::string{payload}, descriptor >= Descriptor::sasl_mechanisms ? 1 : 0);
}
inline std::string error_of(std::string_view condition, std::string_view words = {}) {
    return composite(Descriptor::error, {sym(condition), words.empty() ? std::string{} : str(words)});
}
inline const std::string k_sasl_header{"AMQP\3\1\0\0", 8};
inline const std::string k_amqp_header{"AMQP\0\1\0\0", 8};

/// Notes what happens; does what it was told to do then.
class NotingHost : public Host {
public:
    std::vector<std::string> lines;
    Answer answer{Answer::accepted};
    std::function<void(std::uint32_t link)> when_sendable;
    std::function<void(std::uint32_t link, const Incoming&)> when_delivered;
    std::function<void(std::uint64_t number)> when_told;
    std::optional<Error> error;

    void on_open(const Open& remote) override { lines.push_back("open " + std::string{remote.container_id}); }
    void on_begun(std::uint32_t session) override { lines.push_back("begun " + std::to_string(session)); }
    void on_ended(std::uint32_t session, const AmqpCondition& why) override { lines.push_back("ended " + std::to_string(session) + told(why)); }
    void on_attached(std::uint32_t link, const Attach& remote) override {
        lines.push_back("attached " + std::to_string(link) + ' ' + std::string{remote.name});
    }
    void on_detached(std::uint32_t link, bool closed, const AmqpCondition& why) override {
        lines.push_back((closed ? "closed " : "detached ") + std::to_string(link) + told(why));
    }
    void on_sendable(std::uint32_t link) override {
        lines.push_back("sendable " + std::to_string(link));
        if (when_sendable) when_sendable(link);
    }
    void on_drained(std::uint32_t link) override { lines.push_back("drained " + std::to_string(link)); }
    Answer on_delivery(std::uint32_t link, const Incoming& message) override {
        lines.push_back("message " + std::to_string(link) + " #" + std::to_string(message.delivery_id) + (message.settled ? " settled " : " ") +
                        (message.payload.size() > 40 ? std::to_string(message.payload.size()) + " bytes" : std::string{message.payload}));
        if (when_delivered) when_delivered(link, message);
        return answer;
    }
    void on_outcome(std::uint32_t link, std::uint64_t number, const Outcome& outcome) override {
        lines.push_back("outcome " + std::to_string(link) + " #" + std::to_string(number) + ' ' + outcome_of(outcome.kind, outcome.state).shown());
        if (when_told) when_told(number);
    }
    void on_end(const Error* why) override {
        if (why != nullptr) error = *why;
        lines.push_back(why == nullptr ? "over" : "over: " + std::string{why->message()});
    }

    /// What was noted since the last question.
    std::vector<std::string> take() { return std::exchange(lines, {}); }

private:
    static std::string told(const AmqpCondition& why) { return why.name.empty() ? std::string{} : ' ' + why.name; }
};

/// An engine with its host, and the wire between it and the test.
class Bench {
public:
    explicit Bench(EngineOptions options = {}) : engine{std::move(options), host} { engine.start(now); }

    NotingHost host;
    Engine engine;
    Clock::time_point now{Clock::time_point{} + std::chrono::hours{1}};

    /// Gives the engine bytes, all at once.
    void give(std::string_view bytes) {
        buffer_ += bytes;
        buffer_.erase(0, engine.received(buffer_, now));
        engine.flush();
    }
    void give(std::initializer_list<std::string> frames) {
        std::string all;
        for (const std::string& one : frames) all += one;
        give(all);
    }
    /// Takes what the engine has to write.
    std::string take_bytes() {
        const std::string out{engine.output()};
        engine.written(out.size(), now);
        return out;
    }
    /// The same as lines: "attach {json of the list}" and the like; a header as "header 3"; payloads as "+5 bytes".
    std::vector<std::string> take() {
        std::vector<std::string> out;
        std::string bytes = take_bytes();
        std::string_view rest{bytes};
        while (rest.size() >= 8) {
            if (rest.substr(0, 4) == "AMQP") {
                out.push_back("header " + std::to_string(static_cast<int>(rest[4])));
                rest.remove_prefix(8);
                continue;
            }
            const auto size = load<std::uint32_t>(rest.data());
            const std::string_view body = rest.substr(8, size - 8);
            std::string line = std::to_string(load<std::uint16_t>(rest.data() + 6)) + ' ';
            if (body.empty()) {
                line += "empty";
            } else {
                Reader reader{body};
                Raw raw;
                if (!reader.read(raw)) return {"unreadable"};
                line += to_string(descriptor_of(raw));
                const AmqpValue value = AmqpValue::decode(raw.whole());
                if (const auto* const described = value.get_if<AmqpDescribed>()) line += ' ' + described->value().to_json();
                if (!reader.at_end()) line += " +" + std::to_string(reader.rest().size());
            }
            out.push_back(std::move(line));
            rest.remove_prefix(size);
        }
        return out;
    }
    /// Past the open, without a log-in.
    void open(std::uint32_t max_frame_size = 0, std::uint16_t channel_max = 0xffff, std::uint32_t idle = 0) {
        give(k_amqp_header + frame(0, Descriptor::open,
                                   {str("peer"),
                                    {},
                                    max_frame_size == 0 ? std::string{} : u32(max_frame_size),
                                    u16(channel_max),
                                    idle == 0 ? std::string{} : u32(idle)}));
        take();
        host.take();
    }
    /// A session, which the peer answers on channel `remote`.
    std::uint32_t begin(std::uint16_t remote = 0, std::uint32_t window = 2048, SessionOptions options = {}) {
        const std::uint32_t number = *engine.begin(options);
        give(frame(remote, Descriptor::begin, {u16(static_cast<std::uint16_t>(number)), u32(0), u32(window), u32(2048)}));
        take();
        host.take();
        return number;
    }
    /// A link, which the peer answers with handle `remote`.
    std::uint32_t attach(std::uint32_t session, std::uint16_t channel, LinkOptions options, std::uint32_t remote = 0) {
        const std::uint32_t link = *engine.attach(session, options);
        give(frame(channel, Descriptor::attach,
                   {str(options.name),
                    u32(remote),
                    flag(!options.receiver),
                    {},
                    {},
                    composite(Descriptor::source, {str("q")}),
                    composite(Descriptor::target, {str("q")}),
                    {},
                    {},
                    options.receiver ? u32(0) : std::string{}}));
        take();
        host.take();
        return link;
    }
    std::uint32_t sender(std::uint32_t session = 0, std::uint16_t channel = 0) {
        LinkOptions options;
        options.name = "out";
        options.source = composite(Descriptor::source, {});
        options.target = composite(Descriptor::target, {str("q")});
        return attach(session, channel, options, 5);
    }
    std::uint32_t receiver(std::uint32_t credit, std::uint32_t threshold = 0, std::uint64_t max_message_size = 0) {
        LinkOptions options;
        options.name = "in";
        options.receiver = true;
        options.source = composite(Descriptor::source, {str("q")});
        options.target = composite(Descriptor::target, {});
        options.credit = credit;
        options.threshold = threshold;
        options.max_message_size = max_message_size;
        return attach(0, 0, options, 7);
    }
    /// Credit for the sender (the peer's handle is 5).
    void credit(std::uint32_t amount, std::uint32_t count = 0, bool drain = false, std::uint32_t next_incoming = 0, std::uint32_t window = 2048) {
        give(frame(0, Descriptor::flow, {u32(next_incoming), u32(window), u32(0), u32(2048), u32(5), u32(count), u32(amount), {}, flag(drain)}));
    }
    /// A message for the receiver (the peer's handle is 7).
    static std::string transfer(std::uint32_t id, std::string_view payload, bool settled = false, bool more = false) {
        return frame(0, Descriptor::transfer, {u32(7), u32(id), bin("t" + std::to_string(id)), u32(0), flag(settled), flag(more)}, payload);
    }

private:
    std::string buffer_;
};

using Lines = std::vector<std::string>;

}  // namespace qconn::test
