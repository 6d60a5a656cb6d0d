// SPDX-License-Identifier: Apache-2.0
#include "eftl/frame.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/text.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn::eftl {

namespace {

constexpr std::size_t k_most_ignored = 200;  // nesting of what is skipped

enum class Member : std::uint8_t {
    op,
    to,
    seq,
    body,
    id,
    sid,
    cnt,
    err,
    reason,
    reply_to,
    req,
    value,
    client_id,
    id_token,
    timeout,
    heartbeat,
    max_size,
    protocol,
    qos,
    resume,
    stop_supported,
    none,
};
constexpr std::array<std::pair<std::string_view, Member>, 21> k_members{{{"op", Member::op},
                                                                         {"to", Member::to},
                                                                         {"seq", Member::seq},
                                                                         {"body", Member::body},
                                                                         {"id", Member::id},
                                                                         {"sid", Member::sid},
                                                                         {"cnt", Member::cnt},
                                                                         {"err", Member::err},
                                                                         {"reason", Member::reason},
                                                                         {"reply_to", Member::reply_to},
                                                                         {"req", Member::req},
                                                                         {"value", Member::value},
                                                                         {"client_id", Member::client_id},
                                                                         {"id_token", Member::id_token},
                                                                         {"timeout", Member::timeout},
                                                                         {"heartbeat", Member::heartbeat},
                                                                         {"max_size", Member::max_size},
                                                                         {"protocol", Member::protocol},
                                                                         {"_qos", Member::qos},
                                                                         {"_resume", Member::resume},
                                                                         {"stop_supported", Member::stop_supported}}};

Member member_of(std::string_view name) noexcept {
    for (const auto& [known, member] : k_members)
        if (known == name) return member;
    return Member::none;
}

/// Scalars as servers may spell them: numbers as numbers or in quotes, truth in quotes or not.
class Scalars {
public:
    explicit Scalars(MessageScanner& scanner) : scanner_{scanner} {}

    std::optional<double> number() {
        if (scanner_.peek() == '"') return parsed(scanner_.string());
        if (scanner_.peek() == '-' || text::is_digit(scanner_.peek())) return parsed(scanner_.number().text);
        other();
        return std::nullopt;
    }
    std::optional<std::int64_t> integer() {
        if (scanner_.peek() == '-' || text::is_digit(scanner_.peek())) {
            const auto n = scanner_.number();
            return n.small ? std::optional{n.value} : whole(n.text);
        }
        if (scanner_.peek() == '"') return whole(scanner_.string());
        other();
        return std::nullopt;
    }
    std::string text() {
        if (scanner_.peek() == '"') return std::string{scanner_.string()};
        if (scanner_.peek() == '-' || text::is_digit(scanner_.peek())) return std::string{scanner_.number().text};
        other();
        return {};
    }
    bool truth() {
        if (scanner_.peek() == '"') return text::iequals(scanner_.string(), "true");
        const bool yes = scanner_.peek() == 't';
        other();
        return yes;
    }

private:
    void other() { scanner_.skip(k_most_ignored); }
    static std::optional<double> parsed(std::string_view text) noexcept {
        double d = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
        if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(d)) return std::nullopt;
        return d;
    }
    static std::optional<std::int64_t> whole(std::string_view text) noexcept {
        std::int64_t i = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), i);
        if (error == std::errc{} && end == text.data() + text.size()) return i;
        constexpr double k_limit = 9007199254740992.0;  // as 5.0 for 5; not beyond what a double has exactly
        const std::optional<double> d = parsed(text);
        if (!d || std::fabs(*d) > k_limit) return std::nullopt;
        return static_cast<std::int64_t>(*d);
    }

    MessageScanner& scanner_;
};

/// A frame that is being written.
class FrameWriter {
public:
    explicit FrameWriter(Op op) {
        out_.put(R"({"op":)");
        json::put_integer(out_, static_cast<int>(op));
    }
    FrameWriter& text(std::string_view name, std::string_view value) {
        member(name);
        json::put_quoted(out_, value);
        return *this;
    }
    /// Where it is not empty.
    FrameWriter& optional_text(std::string_view name, std::string_view value) { return value.empty() ? *this : text(name, value); }
    FrameWriter& number(std::string_view name, std::int64_t value) {
        member(name);
        json::put_integer(out_, value);
        return *this;
    }
    FrameWriter& message(std::string_view name, const EftlMessage& value) {
        member(name);
        put_message(out_, value.fields());
        return *this;
    }
    FrameWriter& raw(std::string_view name, std::string_view json) {
        member(name);
        out_.put(json);
        return *this;
    }
    std::string end() {
        out_.put('}');
        return out_.take();
    }
    /// For finish().
    std::string open() { return out_.take(); }

private:
    void member(std::string_view name) {
        out_.put(",\"");
        out_.put(name);
        out_.put("\":");
    }
    json::TextBuffer out_;
};

constexpr std::array<std::string_view, 3> k_durable_types{"", "shared", "last-value"};
constexpr std::array<std::string_view, 3> k_ack_modes{"auto", "client", "none"};

}  // namespace

FrameReader::FrameReader(std::string_view text) : scanner_{text} {
    if (const std::size_t bad = text::invalid_utf8(text); bad != npos) {
        error_ = eftl_error(EftlErrc::protocol, "the server sent a frame that is not UTF-8");
        return;
    }
    scanner_.blanks();
    array_ = scanner_.peek() == '[';
    if (array_) {
        scanner_.take('[');
        scanner_.blanks();
        over_ = scanner_.take(']');
    }
}

bool FrameReader::stop() {
    over_ = true;
    scanner_.blanks();
    if (!scanner_.failed() && !scanner_.at_end()) scanner_.fail("there is something behind the frame");
    if (scanner_.failed()) error_ = eftl_error(EftlErrc::protocol, "the server sent what is no frame: " + std::string{scanner_.error()->message()});
    return false;
}

bool FrameReader::next(ServerFrame& frame) {
    if (error_) return false;
    if (over_ || (!array_ && !first_)) return stop();
    if (array_ && !first_) {
        if (!scanner_.take(',')) {
            if (!scanner_.take(']')) scanner_.unexpected();
            return stop();
        }
        scanner_.blanks();
    }
    first_ = false;
    frame = ServerFrame{};
    read(frame);
    if (scanner_.failed()) return stop();
    if (array_) {
        frame.op = static_cast<int>(Op::event);
        scanner_.blanks();
        return true;
    }
    // What follows is looked at before the frame counts.
    scanner_.blanks();
    if (!scanner_.at_end()) return stop();
    return true;
}

void FrameReader::read(ServerFrame& f) {
    Scalars scalars{scanner_};
    if (!scanner_.take('{')) return scanner_.unexpected();
    scanner_.blanks();
    if (scanner_.take('}')) return;
    do {
        scanner_.blanks();
        if (scanner_.peek() != '"') return scanner_.unexpected();
        const Member member = member_of(scanner_.string());
        if (scanner_.failed()) return;
        scanner_.blanks();
        if (!scanner_.take(':')) return scanner_.unexpected();
        scanner_.blanks();
        switch (member) {
            case Member::op: {
                const auto op = scalars.integer();
                f.op = op && *op >= 0 && *op <= 1000 ? static_cast<int>(*op) : -1;
                break;
            }
            case Member::to: f.to = scalars.text(); break;
            case Member::id: f.id = scalars.text(); break;
            case Member::seq: f.seq = scalars.integer(); break;
            case Member::sid: f.store_message_id = scalars.integer().value_or(0); break;
            case Member::cnt: f.delivery_count = scalars.integer().value_or(0); break;
            case Member::req: f.request_id = scalars.integer().value_or(0); break;
            case Member::err:
                if (const auto err = scalars.integer())
                    f.err = static_cast<int>(std::min<std::int64_t>(std::max<std::int64_t>(*err, -1'000'000), 1'000'000));
                break;
            case Member::reason: f.reason = scalars.text(); break;
            case Member::reply_to: f.reply_to = scalars.text(); break;
            case Member::body:
            case Member::value:
                if (scanner_.peek() == '{')
                    f.body = EftlMessage::from_fields(scanner_.message());
                else
                    scanner_.skip(k_most_ignored);
                break;
            case Member::client_id: f.client_id = scalars.text(); break;
            case Member::id_token: f.id_token = scalars.text(); break;
            case Member::timeout: f.timeout = scalars.number().value_or(0); break;
            case Member::heartbeat: f.heartbeat = scalars.number().value_or(0); break;
            case Member::max_size: f.max_size = scalars.integer().value_or(0); break;
            case Member::protocol: f.protocol = scalars.integer().value_or(0); break;
            case Member::qos: f.quality_of_service = scalars.truth(); break;
            case Member::resume: f.resume = scalars.truth(); break;
            case Member::stop_supported: f.stop_supported = scalars.truth(); break;
            case Member::none: scanner_.skip(k_most_ignored); break;
        }
        if (scanner_.failed()) return;
        scanner_.blanks();
    } while (scanner_.take(','));
    if (!scanner_.take('}')) scanner_.unexpected();
}

std::string login_frame(const Login& login) {
    FrameWriter frame{Op::login};
    frame.number("protocol", 1).text("client_type", "C").text("client_version", login.client_version);
    frame.optional_text("user", login.user).optional_text("password", login.password);
    frame.optional_text("client_id", login.client_id).optional_text("id_token", login.id_token);
    if (login.max_pending_acks > 0) frame.number("max_pending_acks", login.max_pending_acks);
    frame.raw("login_options", login.resume ? R"({"_qos":"true","_resume":"true"})" : R"({"_qos":"true"})");
    return frame.end();
}

std::string subscribe_frame(std::string_view id, const EftlSubscription& s, bool stopped) {
    if (s.type == EftlDurable::last_value) {
        if (s.key.empty())
            throw eftl_error(EftlErrc::matcher, "a last-value subscription needs the name of the field whose newest values count (key)");
        if (!s.matcher.has_text_for(s.key))
            throw eftl_error(EftlErrc::matcher, "a last-value subscription needs a matcher with a text for its key, the field \"" +
                                                    text::printable(text::shorten(s.key, 60)) + '"');
    }
    if (s.type != EftlDurable::standard && s.durable.empty())
        throw eftl_error(EftlErrc::matcher, "a shared or last-value subscription needs the name of a durable");
    FrameWriter frame{Op::subscribe};
    frame.text("id", id);
    if (stopped) frame.raw("stopped", "true");
    frame.optional_text("matcher", s.matcher.to_json()).optional_text("durable", s.durable);
    if (s.ack != EftlAck::automatic) frame.text("ack", k_ack_modes[static_cast<std::size_t>(s.ack)]);
    frame.optional_text("type", k_durable_types[static_cast<std::size_t>(s.type)]);
    if (s.type == EftlDurable::last_value) frame.text("key", s.key);
    return frame.end();
}

std::string unsubscribe_frame(std::string_view id, bool keep) {
    FrameWriter frame{Op::unsubscribe};
    frame.text("id", id);
    if (keep) frame.raw("del", "false");
    return frame.end();
}

std::string ack_frame(std::int64_t seq, std::string_view id) {
    FrameWriter frame{Op::ack};
    frame.number("seq", seq).optional_text("id", id);
    return frame.end();
}

std::string stop_frame(std::string_view id, std::int64_t last_seq) { return FrameWriter{Op::stop}.text("id", id).number("seq", last_seq).end(); }
std::string start_frame(std::string_view id) { return FrameWriter{Op::start}.text("id", id).end(); }
std::string disconnect_frame(std::string_view reason) { return FrameWriter{Op::disconnect}.optional_text("reason", reason).end(); }
std::string map_destroy_frame(std::string_view map) { return FrameWriter{Op::map_destroy}.text("map", map).end(); }

std::string publish_frame(const EftlMessage& message) { return FrameWriter{Op::publish}.message("body", message).open(); }
std::string request_frame(const EftlMessage& message) { return FrameWriter{Op::request}.message("body", message).open(); }
std::string reply_frame(const EftlMessage& request, const EftlMessage& reply) {
    return FrameWriter{Op::reply}.text("to", request.receipt().reply_to).number("req", request.receipt().request_id).message("body", reply).open();
}
std::string map_set_frame(std::string_view map, std::string_view key, const EftlMessage& value) {
    return FrameWriter{Op::map_set}.text("map", map).text("key", key).message("value", value).open();
}
std::string map_get_frame(std::string_view map, std::string_view key) { return FrameWriter{Op::map_get}.text("map", map).text("key", key).open(); }
std::string map_remove_frame(std::string_view map, std::string_view key) {
    return FrameWriter{Op::map_remove}.text("map", map).text("key", key).open();
}

std::size_t finish(std::string& frame, std::int64_t seq) {
    const std::size_t begin = frame.size();
    std::array<char, 32> tail{',', '"', 's', 'e', 'q', '"', ':'};
    char* const end = std::to_chars(tail.data() + 7, tail.data() + tail.size(), seq).ptr;
    *end = '}';
    frame.append(tail.data(), end + 1);
    return begin;
}

void strip(std::string& frame, std::size_t begin) {
    frame.resize(begin);
    frame += '}';
}

}  // namespace qconn::eftl
