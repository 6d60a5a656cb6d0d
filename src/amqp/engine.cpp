// SPDX-License-Identifier: Apache-2.0
// The connection, its sessions, and links as far as no messages are concerned.
#include "amqp/engine.hpp"

#include <algorithm>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/outcome.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

constexpr std::uint8_t k_protocol_amqp = 0;
constexpr std::uint8_t k_protocol_tls = 2;
constexpr std::uint8_t k_protocol_sasl = 3;
constexpr std::size_t k_header = 8;
constexpr std::uint32_t k_small_handles = 4096;
constexpr std::uint32_t k_none = k_uint_max;
constexpr auto k_grace = std::chrono::milliseconds{100};
constexpr std::chrono::milliseconds k_least_heartbeat{10};

std::string_view sasl_code(std::uint8_t code) noexcept {
    switch (code) {
        case 1: return "user or password are wrong";
        case 2: return "a fault of the server's";
        case 3: return "a fault of the server's that will last";
        case 4: return "a fault of the server's that may pass";
        default: return "for no known reason";
    }
}

void put_symbols(Fields& fields, const std::vector<std::string>& names) {
    if (names.empty()) return fields.absent();
    if (names.size() == 1) return put_symbol(fields.next(), names.front());
    std::string& to = fields.next();
    Compound array{to, code::k_array8};
    // Elements of one array have one constructor, so all are long or all are short.
    const bool small = std::all_of(names.begin(), names.end(), [](const std::string& name) { return name.size() <= 0xff; });
    put_code(to, small ? code::k_sym8 : code::k_sym32);
    for (const std::string& name : names) {
        if (small)
            to.push_back(static_cast<char>(name.size()));
        else
            put(to, static_cast<std::uint32_t>(name.size()));
        to += name;
    }
    array.close(names.size());
}

void put_encoded(Fields& fields, std::string_view encoded) {
    if (encoded.empty()) return fields.absent();
    fields.next().append(encoded);
}

std::string pending_key(bool receiver, std::string_view name) {
    std::string key{receiver ? "r" : "s"};
    key += name;
    return key;
}

std::string hex_of(std::string_view bytes) {
    static constexpr std::string_view k_digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes.substr(0, 16)) {
        const auto byte = static_cast<std::uint8_t>(c);
        out += k_digits[byte >> 4U];
        out += k_digits[byte & 0xfU];
    }
    return out;
}

}  // namespace

Engine::Engine(EngineOptions options, Host& host) : options_{std::move(options)}, host_{host} {}

Engine::~Engine() = default;

Phase Engine::phase() const noexcept {
    switch (stage_) {
        // Before the peer has answered with SASL's header nothing has come to a log-in.
        case Stage::sasl_mechanisms:
        case Stage::sasl_outcome: return Phase::auth;
        default: return Phase::protocol;
    }
}

// ---- frames out ----

void Engine::send_header(std::uint8_t protocol) {
    const char bytes[k_header]{'A', 'M', 'Q', 'P', static_cast<char>(protocol), 1, 0, 0};
    out_.append(bytes, k_header);
}

std::size_t Engine::begin_frame(std::uint16_t channel, std::uint8_t type) {
    const std::size_t begin = out_.size();
    char head[k_header]{0, 0, 0, 0, 2, static_cast<char>(type), 0, 0};
    store(head + 6, channel);
    out_.append(head, k_header);
    return begin;
}

void Engine::end_frame(std::size_t begin) {
    store(&out_[begin], static_cast<std::uint32_t>(out_.size() - begin));
    if (!trace_) return;
    const std::string_view body = std::string_view{out_}.substr(begin + k_header);
    const auto channel = load<std::uint16_t>(&out_[begin + 6]);
    Descriptor what = Descriptor::none;
    if (!body.empty()) {
        Reader reader{body};
        Raw raw;
        if (reader.read(raw)) what = descriptor_of(raw);
    }
    const std::string copy{body};  // the host may send
    host_.on_frame(true, channel, what, copy, 0);
}

void Engine::send_open() {
    const std::size_t begin = begin_frame(0);
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::open)};
    put_string(fields.next(), options_.container_id);
    if (options_.hostname.empty())
        fields.absent();
    else
        put_string(fields.next(), options_.hostname);
    put_uint(fields.next(), options_.max_frame_size);
    put_ushort(fields.next(), options_.channel_max);
    if (options_.idle_time_out.count() > 0)
        put_uint(fields.next(), static_cast<std::uint32_t>(std::min<std::int64_t>(options_.idle_time_out.count() / 2, k_uint_max)));
    else
        fields.absent();
    fields.absent();
    fields.absent();
    put_symbols(fields, options_.offered_capabilities);
    put_symbols(fields, options_.desired_capabilities);
    put_encoded(fields, options_.properties);
    fields.close();
    end_frame(begin);
}

// ---- what the owner wants ----

void Engine::start(Clock::time_point now) {
    last_received_ = last_sent_ = now;
    if (!options_.mechanisms.empty()) {
        send_header(k_protocol_sasl);
        stage_ = Stage::sasl_header;
        return;
    }
    send_header(k_protocol_amqp);
    stage_ = Stage::header;
    send_open();
}

Result<std::uint32_t> Engine::begin(const SessionOptions& options) {
    if (stage_ != Stage::open) return amqp_error(AmqpErrc::not_connected, "a session was not begun: there is no connection");
    // channel-max is the highest number, and so one less than the count (2.7.1).
    const std::size_t most = std::size_t{std::min(options_.channel_max, remote_channel_max_)} + 1;
    std::size_t channel = 0;
    while (channel < sessions_.size() && sessions_[channel] && sessions_[channel]->stage != SessionStage::unused) ++channel;
    if (channel >= most)
        return amqp_error(AmqpErrc::session, "a session was not begun: the peer takes no more than " + std::to_string(most) + " on a connection");
    if (channel == sessions_.size()) sessions_.emplace_back();
    sessions_[channel] = std::make_unique<Session>();
    Session& session = *sessions_[channel];
    session.stage = SessionStage::beginning;
    session.options = options;
    session.incoming_left = options.incoming_window;
    ++sessions_in_use_;
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(channel));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::begin)};
    fields.absent();
    put_uint(fields.next(), session.next_outgoing_id);
    put_uint(fields.next(), options.incoming_window);
    put_uint(fields.next(), options.outgoing_window);
    put_uint(fields.next(), options.handle_max);
    fields.close();
    end_frame(begin);
    return static_cast<std::uint32_t>(channel);
}

Result<std::uint32_t> Engine::attach(std::uint32_t number, const LinkOptions& options) {
    Session* const session = number < sessions_.size() ? sessions_[number].get() : nullptr;
    if (session == nullptr || session->stage != SessionStage::mapped)
        return amqp_error(AmqpErrc::link, "link \"" + text::printable(options.name) + "\" was not attached: its session is not open");
    std::size_t handle = 0;
    while (handle < session->by_handle.size() && session->by_handle[handle] != 0) ++handle;
    const std::uint32_t highest = std::min(session->options.handle_max, session->remote_handle_max);
    if (handle > highest)
        return amqp_error(AmqpErrc::link, "link \"" + text::printable(options.name) + "\" was not attached: the peer takes no more than " +
                                              std::to_string(std::uint64_t{highest} + 1) + " on a session");
    std::uint32_t id = 0;
    if (free_links_.empty()) {
        id = static_cast<std::uint32_t>(links_.size());
        links_.emplace_back();
    } else {
        id = free_links_.back();
        free_links_.pop_back();
        links_[id] = Link{};
    }
    if (handle == session->by_handle.size()) session->by_handle.push_back(0);
    session->by_handle[handle] = id + 1;
    Link& link = links_[id];
    link.stage = LinkStage::attaching;
    link.receiver = options.receiver;
    link.session = number;
    link.handle = static_cast<std::uint32_t>(handle);
    link.max_message_size = options.max_message_size;
    link.target_credit = options.credit;
    link.threshold = options.threshold;
    session->attaching[pending_key(options.receiver, options.name)] = id;
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(number));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::attach)};
    put_string(fields.next(), options.name);
    put_uint(fields.next(), link.handle);
    put_boolean(fields.next(), options.receiver);
    put_ubyte(fields.next(), options.snd_settle_mode);
    put_ubyte(fields.next(), 0);
    put_encoded(fields, options.source);
    put_encoded(fields, options.target);
    fields.absent();
    fields.absent();
    if (options.receiver)
        fields.absent();
    else
        put_uint(fields.next(), 0);
    if (options.max_message_size > 0)
        put_ulong(fields.next(), options.max_message_size);
    else
        fields.absent();
    fields.absent();
    put_symbols(fields, options.desired_capabilities);
    put_encoded(fields, options.properties);
    fields.close();
    end_frame(begin);
    return id;
}

void Engine::send_detach(Link& link, bool closed, const AmqpCondition& why) {
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(link.session));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::detach)};
    put_uint(fields.next(), link.handle);
    put_boolean(fields.next(), closed);
    if (!why.name.empty()) put_condition(fields.next(), why);
    fields.close();
    end_frame(begin);
}

void Engine::detach(std::uint32_t id, bool closed, const AmqpCondition& why) {
    Link& link = links_[id];
    if (stage_ != Stage::open || (link.stage != LinkStage::attached && link.stage != LinkStage::attaching)) return;
    flush_session(link.session);  // answers come before the end of their link
    send_detach(link, closed, why);
    link.closed = closed;
    if (!why.name.empty()) link.why = std::make_unique<AmqpCondition>(why);
    link.stage = LinkStage::detaching;
}

void Engine::send_end(std::uint32_t number, const AmqpCondition& why) {
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(number));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::end)};
    if (!why.name.empty()) put_condition(fields.next(), why);
    fields.close();
    end_frame(begin);
}

void Engine::end(std::uint32_t number, const AmqpCondition& why) {
    Session* const session = number < sessions_.size() ? sessions_[number].get() : nullptr;
    if (stage_ != Stage::open || session == nullptr) return;
    if (session->stage != SessionStage::mapped && session->stage != SessionStage::beginning) return;
    flush_session(number);
    send_end(number, why);
    session->why = why;
    session->stage = SessionStage::ending;
}

void Engine::close(const AmqpCondition& why) {
    if (stage_ == Stage::over || stage_ == Stage::closing) return;
    if (stage_ != Stage::open && stage_ != Stage::opening && stage_ != Stage::header) return over(nullptr);
    flush();
    const std::size_t begin = begin_frame(0);
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::close)};
    if (!why.name.empty()) put_condition(fields.next(), why);
    fields.close();
    end_frame(begin);
    stage_ = Stage::closing;
}

// ---- bytes in ----

std::size_t Engine::received(std::string_view bytes, Clock::time_point now) {
    if (!bytes.empty()) {
        last_received_ = now;
        suspected_ = false;
    }
    std::size_t taken = 0;
    while (stage_ != Stage::over) {
        const std::string_view rest = bytes.substr(taken);
        wanted_ = k_header;
        if (rest.size() < k_header) break;
        if (stage_ == Stage::sasl_header || stage_ == Stage::header) {
            if (!on_protocol_header(rest.substr(0, k_header))) break;
            taken += k_header;
            continue;
        }
        const auto size = load<std::uint32_t>(rest.data());
        const auto offset = static_cast<std::size_t>(static_cast<std::uint8_t>(rest[4])) * 4;
        const auto type = static_cast<std::uint8_t>(rest[5]);
        if (size < k_header || offset < k_header || offset > size) {
            breach(amqp_condition::k_framing_error, "a frame's head is wrong: " + hex_of(rest.substr(0, k_header)));
            break;
        }
        if (size > options_.max_frame_size) {
            breach(amqp_condition::k_framing_error,
                   "a frame of " + std::to_string(size) + " bytes came, where " + std::to_string(options_.max_frame_size) + " were allowed");
            break;
        }
        wanted_ = size;
        if (rest.size() < size) break;
        const std::string_view body = rest.substr(offset, size - offset);
        const auto channel = load<std::uint16_t>(rest.data() + 6);
        taken += size;
        const bool in_sasl = stage_ == Stage::sasl_mechanisms || stage_ == Stage::sasl_outcome;
        if (type != (in_sasl ? 1 : 0)) {
            breach(amqp_condition::k_framing_error, "a frame of type " + std::to_string(type) + " came, where none may");
            break;
        }
        in_sasl ? on_sasl(body) : on_frame(channel, body);
    }
    return taken;
}

void Engine::received_end() {
    if (stage_ == Stage::over) return;
    if (stage_ == Stage::closing) return over(nullptr);
    const bool early = stage_ != Stage::open;
    Error error = amqp_error(AmqpErrc::connection,
                             early ? "the peer closed the connection before it had opened it" : "the peer closed the connection without a word");
    error.with_phase(phase());
    over(&error);
}

bool Engine::on_protocol_header(std::string_view header) {
    const bool sasl = stage_ == Stage::sasl_header;
    if (header.substr(0, 4) == "AMQP" && static_cast<std::uint8_t>(header[4]) == (sasl ? k_protocol_sasl : k_protocol_amqp) &&
        header.substr(5, 3) == std::string_view{"\1\0\0", 3}) {
        stage_ = sasl ? Stage::sasl_mechanisms : Stage::opening;
        return true;
    }
    std::string what;
    if (header.substr(0, 4) != "AMQP") {
        what = "the peer speaks no AMQP: it answered " + hex_of(header);
    } else if (header.substr(4, 4) == std::string_view{"\0\0\x09\1", 4} || header[4] == 1) {
        what = "the peer speaks AMQP 0-9-1 and not 1.0 (RabbitMQ before 4.0 needs its plug-in rabbitmq_amqp1_0)";
    } else if (static_cast<std::uint8_t>(header[4]) == k_protocol_sasl) {
        what = "the peer wants a log-in (SASL), and none was to be made";
    } else if (static_cast<std::uint8_t>(header[4]) == k_protocol_tls) {
        what = "the peer wants TLS: use the scheme amqps";
    } else if (static_cast<std::uint8_t>(header[4]) == k_protocol_amqp && sasl) {
        what = "the peer makes no log-in (SASL): leave it out with sasl: none";
    } else {
        what = "the peer speaks another version: " + std::to_string(static_cast<std::uint8_t>(header[5])) + '.' +
               std::to_string(static_cast<std::uint8_t>(header[6])) + '.' + std::to_string(static_cast<std::uint8_t>(header[7]));
    }
    Error error = amqp_error(AmqpErrc::connection, std::move(what));
    error.with_reason(Reason::bad_answer).with_retryable(false).with_phase(phase());
    over(&error);
    return false;
}

void Engine::on_sasl(std::string_view body) {
    const auto fail = [this](AmqpErrc code, std::string what) {
        Error error = amqp_error(code, std::move(what));
        error.with_phase(Phase::auth);
        over(&error);
    };
    Reader reader{body};
    Raw raw;
    if (body.empty() || !reader.read(raw)) return fail(AmqpErrc::protocol, "a frame of the log-in cannot be read");
    const Descriptor what = descriptor_of(raw);
    if (trace_) host_.on_frame(false, 0, what, what == Descriptor::sasl_challenge ? std::string_view{} : body, 0);
    if (what == Descriptor::sasl_mechanisms && stage_ == Stage::sasl_mechanisms) {
        SaslMechanisms mechanisms;
        if (parse(raw, mechanisms) != nullptr) return fail(AmqpErrc::protocol, "the list of SASL mechanisms cannot be read");
        mechanism_ = 0;
        while (mechanism_ < options_.mechanisms.size() && !mechanisms.offers(options_.mechanisms[mechanism_].name)) ++mechanism_;
        if (mechanism_ == options_.mechanisms.size()) {
            std::string ours;
            for (const SaslMechanism& one : options_.mechanisms) ours += (ours.empty() ? "" : ", ") + one.name;
            return fail(AmqpErrc::auth, "no way to log in is common to both: the peer offers " + text::printable(mechanisms.shown()) +
                                            ", and this client has " + ours);
        }
        const SaslMechanism& chosen = options_.mechanisms[mechanism_];
        const bool traced = std::exchange(trace_, false);
        const std::size_t begin = begin_frame(0, 1);
        Fields fields{out_, static_cast<std::uint8_t>(Descriptor::sasl_init)};
        put_symbol(fields.next(), chosen.name);
        put_binary(fields.next(), chosen.response.reveal());
        if (!options_.hostname.empty()) put_string(fields.next(), options_.hostname);
        fields.close();
        end_frame(begin);
        trace_ = traced;
        if (trace_) host_.on_frame(true, 0, Descriptor::sasl_init, {}, 0);  // its body is a secret
        stage_ = Stage::sasl_outcome;
        return;
    }
    if (what == Descriptor::sasl_challenge && stage_ == Stage::sasl_outcome) {
        // The mechanisms of this side say all at once. A challenge of XOAUTH2 holds the reason of a refusal, and wants an empty response.
        const std::size_t begin = begin_frame(0, 1);
        Fields fields{out_, static_cast<std::uint8_t>(Descriptor::sasl_response)};
        put_binary(fields.next(), {});
        fields.close();
        end_frame(begin);
        return;
    }
    if (what != Descriptor::sasl_outcome || stage_ != Stage::sasl_outcome)
        return fail(AmqpErrc::protocol, "a frame came in the log-in that does not belong there: " + std::string{to_string(what)});
    SaslOutcome outcome;
    if (const char* const wrong = parse(raw, outcome))
        return fail(AmqpErrc::protocol, "the outcome of the log-in cannot be read: " + std::string{wrong});
    if (outcome.code != 0) {
        Error error = amqp_error(
            AmqpErrc::auth, "the peer refused the log-in by " + options_.mechanisms[mechanism_].name + ": " + std::string{sasl_code(outcome.code)});
        if (outcome.code == 4) error.with_retryable(true).with_reason(Reason::status);
        error.with_phase(Phase::auth);
        return over(&error);
    }
    send_header(k_protocol_amqp);
    send_open();
    stage_ = Stage::header;
}

void Engine::on_frame(std::uint16_t channel, std::string_view body) {
    if (body.empty()) {
        if (trace_) host_.on_frame(false, channel, Descriptor::none, body, 0);
        return;
    }
    Reader reader{body};
    Raw raw;
    if (!reader.read(raw)) return breach(amqp_condition::k_decode_error, std::string{"a frame cannot be read: "} + reader.fault());
    const Descriptor what = descriptor_of(raw);
    if (trace_) host_.on_frame(false, channel, what, raw.whole(), reader.rest().size());
    if (stage_ == Stage::opening && what != Descriptor::open && what != Descriptor::close)
        return breach(amqp_condition::k_illegal_state, "the first frame is " + std::string{to_string(what)} + " and not open");
    switch (what) {
        case Descriptor::open: return on_open(raw);
        case Descriptor::close: return on_close(raw);
        default: break;
    }
    if (stage_ == Stage::closing) return;  // what was under way when close was sent
    if (what == Descriptor::begin) return on_begin(channel, raw);
    const std::uint32_t session = find_session(channel);
    if (session == k_none)
        return breach(amqp_condition::k_not_allowed,
                      std::string{to_string(what)} + " came on channel " + std::to_string(channel) + ", on which there is no session");
    if (what == Descriptor::end) return on_end(session, raw);
    const SessionStage stage = sessions_[session]->stage;
    if (stage == SessionStage::ending || stage == SessionStage::refused) return;
    switch (what) {
        case Descriptor::attach: return on_attach(session, raw);
        case Descriptor::flow: return on_flow(session, raw);
        case Descriptor::transfer: return on_transfer(session, raw, reader.rest());
        case Descriptor::disposition: return on_disposition(session, raw);
        case Descriptor::detach: return on_detach(session, raw);
        default: return breach(amqp_condition::k_not_implemented, "a frame came that is no performative of AMQP");
    }
}

void Engine::on_open(const Raw& raw) {
    if (stage_ == Stage::closing) return;
    if (stage_ != Stage::opening) return breach(amqp_condition::k_illegal_state, "a second open came");
    Open remote;
    if (const char* const wrong = parse(raw, remote)) return breach(amqp_condition::k_decode_error, std::string{"the open cannot be read: "} + wrong);
    if (remote.max_frame_size < 512)
        return breach(amqp_condition::k_invalid_field,
                      "the open allows frames of " + std::to_string(remote.max_frame_size) + " bytes, and the least is 512");
    remote_max_frame_size_ = remote.max_frame_size;
    remote_channel_max_ = remote.channel_max;
    remote_idle_ = std::chrono::milliseconds{remote.idle_time_out};
    stage_ = Stage::open;
    host_.on_open(remote);
}

void Engine::on_close(const Raw& raw) {
    Ending ending;
    if (const char* const wrong = parse(raw, ending))
        return breach(amqp_condition::k_decode_error, std::string{"the close cannot be read: "} + wrong);
    const AmqpCondition why = condition_of(ending.error);
    if (stage_ == Stage::closing) {
        close_reason_ = why;
        return over(nullptr);
    }
    const std::size_t begin = begin_frame(0);
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::close)};
    fields.close();
    end_frame(begin);
    const bool redirect = why.name == amqp_condition::k_connection_redirect;
    Error error = amqp_error(redirect ? AmqpErrc::redirect : AmqpErrc::connection,
                             stage_ == Stage::opening ? "the peer refused to open the connection" : "the peer closed the connection", why);
    over(&error);
}

// ---- sessions ----

std::uint32_t Engine::find_session(std::uint16_t remote_channel) const noexcept {
    return remote_channel < by_channel_.size() && by_channel_[remote_channel] != 0 ? by_channel_[remote_channel] - 1 : k_none;
}

void Engine::on_begin(std::uint16_t channel, const Raw& raw) {
    Begin remote;
    if (const char* const wrong = parse(raw, remote)) return breach(amqp_condition::k_decode_error, std::string{"a begin cannot be read: "} + wrong);
    if (channel > options_.channel_max)
        return breach(amqp_condition::k_framing_error,
                      "a begin came on channel " + std::to_string(channel) + ", beyond the highest that was allowed");
    if (find_session(channel) != k_none)
        return breach(amqp_condition::k_illegal_state, "a begin came on channel " + std::to_string(channel) + ", which is in use");
    if (by_channel_.size() <= channel) by_channel_.resize(std::size_t{channel} + 1);
    if (!remote.has(Begin::i_remote_channel)) {
        // The peer begins a session: answered, as it must be, and ended, as this side serves nobody.
        std::size_t own = 0;
        while (own < sessions_.size() && sessions_[own] && sessions_[own]->stage != SessionStage::unused) ++own;
        if (own > remote_channel_max_) return breach(amqp_condition::k_not_allowed, "the peer begins more sessions than it takes");
        if (own == sessions_.size()) sessions_.emplace_back();
        sessions_[own] = std::make_unique<Session>();
        sessions_[own]->stage = SessionStage::refused;
        sessions_[own]->remote_channel = channel;
        ++sessions_in_use_;
        by_channel_[channel] = static_cast<std::uint32_t>(own) + 1;
        const std::size_t begin = begin_frame(static_cast<std::uint16_t>(own));
        Fields fields{out_, static_cast<std::uint8_t>(Descriptor::begin)};
        put_ushort(fields.next(), channel);
        put_uint(fields.next(), 0);
        put_uint(fields.next(), 0);
        put_uint(fields.next(), 0);
        fields.close();
        end_frame(begin);
        return send_end(static_cast<std::uint32_t>(own),
                        {std::string{amqp_condition::k_not_allowed}, "this is a client: it takes no sessions of its peer's", {}});
    }
    Session* const session = remote.remote_channel < sessions_.size() ? sessions_[remote.remote_channel].get() : nullptr;
    const bool expected = session != nullptr && (session->stage == SessionStage::beginning || session->stage == SessionStage::ending) &&
                          find_session(session->remote_channel) != remote.remote_channel;
    if (!expected)
        return breach(amqp_condition::k_not_allowed, "a begin came for channel " + std::to_string(remote.remote_channel) + ", which was not begun");
    session->remote_channel = channel;
    by_channel_[channel] = std::uint32_t{remote.remote_channel} + 1;
    session->next_incoming_id = remote.next_outgoing_id;
    session->remote_incoming_window = remote.incoming_window;
    session->remote_handle_max = remote.handle_max;
    if (session->stage != SessionStage::beginning) return;
    session->stage = SessionStage::mapped;
    host_.on_begun(remote.remote_channel);
}

void Engine::on_end(std::uint32_t number, const Raw& raw) {
    Ending ending;
    if (const char* const wrong = parse(raw, ending)) return breach(amqp_condition::k_decode_error, std::string{"an end cannot be read: "} + wrong);
    Session& session = *sessions_[number];
    const bool answered = session.stage == SessionStage::ending || session.stage == SessionStage::refused;
    const bool unknown = session.stage == SessionStage::refused;
    AmqpCondition why = condition_of(ending.error);
    if (why.name.empty()) why = session.why;
    if (!answered) {
        flush_session(number);
        send_end(number, {});
    }
    session.stage = SessionStage::ending;
    for (std::uint32_t id = 0; id < links_.size(); ++id) {
        if (links_[id].stage == LinkStage::unused || links_[id].session != number) continue;
        drop_link(id);
    }
    drop_session(number);
    if (!unknown) host_.on_ended(number, why);
}

void Engine::drop_session(std::uint32_t number) {
    Session& session = *sessions_[number];
    if (find_session(session.remote_channel) == number) by_channel_[session.remote_channel] = 0;
    sessions_[number].reset();
    --sessions_in_use_;
}

// ---- links ----

std::uint32_t Engine::find_link(const Session& session, std::uint32_t remote_handle) const noexcept {
    if (remote_handle < session.by_remote_small.size()) {
        const std::uint32_t found = session.by_remote_small[remote_handle];
        if (found != 0) return found - 1;
    }
    if (remote_handle < k_small_handles) return k_none;
    const auto found = session.by_remote.find(remote_handle);
    return found == session.by_remote.end() ? k_none : found->second;
}

void Engine::map_remote(Session& session, std::uint32_t remote_handle, std::uint32_t link) {
    if (remote_handle >= k_small_handles) {
        session.by_remote[remote_handle] = link;
        return;
    }
    if (session.by_remote_small.size() <= remote_handle) session.by_remote_small.resize(std::size_t{remote_handle} + 1);
    session.by_remote_small[remote_handle] = link + 1;
}

void Engine::unmap_remote(Session& session, std::uint32_t remote_handle) {
    if (remote_handle < session.by_remote_small.size()) session.by_remote_small[remote_handle] = 0;
    session.by_remote.erase(remote_handle);
}

void Engine::on_attach(std::uint32_t number, const Raw& raw) {
    Attach remote;
    if (const char* const wrong = parse(raw, remote))
        return breach(amqp_condition::k_decode_error, std::string{"an attach cannot be read: "} + wrong);
    Session& session = *sessions_[number];
    if (!text::valid_utf8(remote.name)) return breach(amqp_condition::k_decode_error, "the name of a link is not UTF-8");
    if (remote.handle > session.options.handle_max)
        return breach(amqp_condition::k_framing_error,
                      "an attach has handle " + std::to_string(remote.handle) + ", beyond the highest that was allowed");
    if (find_link(session, remote.handle) != k_none)
        return session_breach(number, amqp_condition::k_handle_in_use, "an attach has handle " + std::to_string(remote.handle) + ", which is in use");
    const auto pending = session.attaching.find(pending_key(!remote.receiver, remote.name));
    if (pending == session.attaching.end()) return refuse_attach(number, remote);
    const std::uint32_t id = pending->second;
    session.attaching.erase(pending);
    Link& link = links_[id];
    link.remote_handle = remote.handle;
    map_remote(session, remote.handle, id);
    if (link.receiver) link.delivery_count = remote.initial_delivery_count;
    link.remote_max_message_size = remote.max_message_size;
    if (link.stage != LinkStage::attaching) return;  // detached meanwhile: the peer's detach follows
    link.stage = LinkStage::attached;
    // A peer that refuses says so by leaving out what was asked for, and detaches next (2.6.3).
    link.refused_by_peer = link.receiver ? !remote.has(Attach::i_source) : !remote.has(Attach::i_target);
    host_.on_attached(id, remote);
    if (!link.refused_by_peer && link.stage == LinkStage::attached && link.receiver) top_up(link, id);
}

/// Answered, as it must be, and detached, as this side serves nobody.
void Engine::refuse_attach(std::uint32_t number, const Attach& attach) {
    Session& session = *sessions_[number];
    std::size_t handle = 0;
    while (handle < session.by_handle.size() && session.by_handle[handle] != 0) ++handle;
    if (handle > std::min(session.options.handle_max, session.remote_handle_max))
        return session_breach(number, amqp_condition::k_resource_limit_exceeded, "the peer attaches more links than there may be");
    const auto id = static_cast<std::uint32_t>(links_.size());
    links_.emplace_back();
    if (handle == session.by_handle.size()) session.by_handle.push_back(0);
    session.by_handle[handle] = id + 1;
    Link& link = links_.back();
    link.stage = LinkStage::refused;
    link.receiver = !attach.receiver;
    link.session = number;
    link.handle = static_cast<std::uint32_t>(handle);
    link.remote_handle = attach.handle;
    map_remote(session, attach.handle, id);
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(number));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::attach)};
    put_string(fields.next(), attach.name);
    put_uint(fields.next(), link.handle);
    put_boolean(fields.next(), link.receiver);
    if (!link.receiver) {
        for (int i = 0; i < 6; ++i) fields.absent();
        put_uint(fields.next(), 0);
    }
    fields.close();
    end_frame(begin);
    send_detach(link, true, {std::string{amqp_condition::k_not_allowed}, "this is a client: it takes no links of its peer's", {}});
}

void Engine::on_detach(std::uint32_t number, const Raw& raw) {
    Detach remote;
    if (const char* const wrong = parse(raw, remote)) return breach(amqp_condition::k_decode_error, std::string{"a detach cannot be read: "} + wrong);
    const std::uint32_t id = find_link(*sessions_[number], remote.handle);
    if (id == k_none)
        return session_breach(number, amqp_condition::k_unattached_handle,
                              "a detach has handle " + std::to_string(remote.handle) + ", which is no link");
    Link& link = links_[id];
    const bool refused = link.stage == LinkStage::refused;
    if (link.stage == LinkStage::attached) {
        flush_session(number);
        send_detach(link, remote.closed, {});
    }
    AmqpCondition why = condition_of(remote.error);
    if (why.name.empty() && link.why) why = *link.why;
    const bool closed = remote.closed;
    drop_link(id);
    if (!refused) host_.on_detached(id, closed, why);
}

/// Nothing more is known of it; outcomes that still come for its messages are nobody's.
void Engine::drop_link(std::uint32_t id) {
    Link& link = links_[id];
    Session& session = *sessions_[link.session];
    unmap_remote(session, link.remote_handle);
    session.by_handle[link.handle] = 0;
    std::erase_if(session.attaching, [id](const auto& one) { return one.second == id; });
    std::erase_if(session.unanswered, [id](const auto& one) { return one.second == id; });
    if (!link.receiver && link.unsettled > 0) session.outgoing.erase_if([id](const SentDelivery& one) { return one.link == id; });
    for (std::size_t i = 0; i < marks_.size(); ++i)
        if (marks_[i].link == id) marks_[i].first = marks_[i].last + 1;
    link = Link{};
    free_links_.push_back(id);
}

LinkState Engine::link_state(std::uint32_t id) const noexcept {
    const Link& link = links_[id];
    return {
        link.credit, link.delivery_count, link.available, link.receiver ? link.unanswered : link.unsettled, static_cast<std::uint16_t>(link.session),
        link.handle};
}

// ---- the end ----

void Engine::breach(std::string_view condition, std::string what) {
    if (stage_ == Stage::over) return;
    Error error = amqp_error(AmqpErrc::protocol, "the peer broke the protocol: " + what);
    error.with_phase(phase());
    if (stage_ == Stage::open || stage_ == Stage::opening) {
        const std::size_t begin = begin_frame(0);
        Fields fields{out_, static_cast<std::uint8_t>(Descriptor::close)};
        put_condition(fields.next(), {std::string{condition}, std::move(what), {}});
        fields.close();
        end_frame(begin);
    }
    over(&error);
}

void Engine::session_breach(std::uint32_t session, std::string_view condition, std::string what) {
    end(session, {std::string{condition}, std::move(what), {}});
}

void Engine::link_breach(std::uint32_t link, std::string_view condition, std::string what) {
    detach(link, true, {std::string{condition}, std::move(what), {}});
}

void Engine::over(const Error* why) {
    if (std::exchange(stage_, Stage::over) == Stage::over) return;
    host_.on_end(why);
}

// ---- time ----

/// Well within the peer's patience; a peer that has none costs no more than this.
Clock::duration Engine::heartbeat() const noexcept { return std::max<Clock::duration>(remote_idle_ / 2, k_least_heartbeat); }

Clock::time_point Engine::next_deadline() const noexcept {
    Clock::time_point next = Clock::time_point::max();
    if (stage_ != Stage::open && stage_ != Stage::closing) return next;
    if (remote_idle_.count() > 0) next = std::min(next, last_sent_ + heartbeat());
    if (options_.idle_time_out.count() > 0) next = std::min(next, last_received_ + options_.idle_time_out + (suspected_ ? k_grace : k_grace * 0));
    return next;
}

void Engine::tick(Clock::time_point now) {
    if (stage_ != Stage::open && stage_ != Stage::closing) return;
    if (remote_idle_.count() > 0 && now >= last_sent_ + heartbeat()) {
        if (output().empty()) {
            const std::size_t begin = begin_frame(0);
            end_frame(begin);
        }
        last_sent_ = now;
    }
    if (options_.idle_time_out.count() == 0 || now < last_received_ + options_.idle_time_out) return;
    // Once more after the socket was read: this machine may have been the one that slept.
    if (!suspected_) {
        suspected_ = true;
        return;
    }
    if (now < last_received_ + options_.idle_time_out + k_grace) return;
    const std::string words = "nothing came for " + std::to_string(options_.idle_time_out.count()) + " ms";
    Error error = make_error(Errc::timeout, "the peer is silent: " + words);
    error.with_phase(Phase::protocol).with_retryable(true);
    if (stage_ == Stage::open) {
        const std::size_t begin = begin_frame(0);
        Fields fields{out_, static_cast<std::uint8_t>(Descriptor::close)};
        put_condition(fields.next(), {std::string{amqp_condition::k_resource_limit_exceeded}, words, {}});
        fields.close();
        end_frame(begin);
    }
    over(&error);
}

}  // namespace qconn::amqp
