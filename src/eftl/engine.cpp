// SPDX-License-Identifier: Apache-2.0
#include "eftl/engine.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/text.hpp"
#include "eftl/eftl_error.hpp"
#include "net/waiting.hpp"

namespace qconn::eftl {

namespace {

using std::chrono::milliseconds;
using TimePoint = Clock::time_point;

constexpr TimePoint k_never = TimePoint::max();
constexpr milliseconds k_second_look{100};
constexpr milliseconds k_close_after_error{2'000};
constexpr std::size_t k_longest_words = 300;

TimePoint after(TimePoint now, milliseconds wait) { return wait > std::chrono::hours{24 * 365 * 10} ? k_never : now + wait; }

milliseconds milliseconds_of_seconds(double seconds) {
    if (!(seconds > 0)) return milliseconds{0};
    return milliseconds{static_cast<std::int64_t>(std::min(seconds, 1e9) * 1000)};
}

struct KindWords {
    EftlErrc code;
    std::string_view doing;
};
// In the order of Kind.
constexpr std::array<KindWords, 6> k_kinds{{{EftlErrc::publish, "publishing a message"},
                                            {EftlErrc::request, "a request"},
                                            {EftlErrc::reply, "a reply"},
                                            {EftlErrc::map, "setting a key of a map"},
                                            {EftlErrc::map, "looking a key of a map up"},
                                            {EftlErrc::map, "removing a key of a map"}}};
const KindWords& words_of(Kind kind) noexcept { return k_kinds[static_cast<std::size_t>(kind)]; }

std::string doing(Kind kind) { return std::string{words_of(kind).doing}; }
std::string shown_words(std::string_view words) { return text::printable(text::shorten(std::string{words}, k_longest_words)); }

/// "12 (not allowed)"
std::string shown_code(int code, std::string_view words) {
    return words.empty() ? std::to_string(code) : std::to_string(code) + " (" + shown_words(words) + ')';
}

bool is_reconnectable(int code) noexcept { return code == eftl_code::k_connection_error || code == eftl_code::k_restart || code == eftl_code::k_tls; }

}  // namespace

milliseconds reconnect_delay(int round, milliseconds most, double random) noexcept {
    const double wait = std::ldexp(1000.0, std::min(round, 60)) * (0.5 + random);
    if (wait <= static_cast<double>(most.count())) return milliseconds{static_cast<std::int64_t>(wait)};
    // Clients that lost one server together do not come back together, also when all wait for the longest time.
    return milliseconds{static_cast<std::int64_t>(static_cast<double>(most.count()) * (0.5 + random / 2))};
}

Engine::Engine(EngineOptions options, Host& host, UniqueFunction<double()> random)
    : options_{std::move(options)}, host_{host}, random_{std::move(random)}, order_(std::max<std::size_t>(options_.servers, 1)) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
}

Engine::~Engine() = default;

std::string Engine::client_id() const {
    if (!session_.client_id.empty() || order_[at_] >= options_.client_ids.size()) return session_.client_id;
    return options_.client_ids[order_[at_]];
}

void Engine::set_state(EftlState state) {
    if (std::exchange(state_, state) != state) host_.on_state(state);
}

Error Engine::not_connected(std::string_view what) const {
    return eftl_error(EftlErrc::not_connected, std::string{what} + " failed: " +
                                                   (state_ == EftlState::disconnecting ? "the connection is being closed"
                                                                                       : "there is no connection; call connect() or reconnect()"));
}

// ---- the life of a connection ----

std::uint64_t Engine::connect(TimePoint now, UniqueFunction<void(Result<EftlSession>)> done) {
    if (state_ == EftlState::connected) {
        done(eftl_error(EftlErrc::already_connected, "connecting failed: this client is connected already, to " + session_.server));
        return 0;
    }
    if (state_ == EftlState::disconnecting) {
        done(not_connected("connecting"));
        return 0;
    }
    connects_.push_back({++last_connect_, std::move(done)});
    const std::uint64_t number = last_connect_;
    if (state_ != EftlState::disconnected) return number;
    if (options_.shuffle && !std::exchange(shuffled_, true)) {
        for (std::size_t i = order_.size(); i > 1; --i)
            std::swap(order_[i - 1], order_[std::min(static_cast<std::size_t>(random_() * static_cast<double>(i)), i - 1)]);
    }
    automatic_ = false;
    at_ = 0;
    rounds_ = 0;
    set_state(EftlState::connecting);
    walk(now);
    return number;
}

void Engine::cancel_connect(std::uint64_t number, Error why) {
    const auto found = std::find_if(connects_.begin(), connects_.end(), [&](const Waiting& one) { return one.number == number; });
    if (found == connects_.end()) return;
    auto done = std::move(found->done);
    connects_.erase(found);
    if (connects_.empty() && state_ == EftlState::connecting && pending_.empty() && subscriptions_.empty()) {
        host_.drop(eftl_code::k_normal);
        last_code_ = eftl_code::k_normal;
        finish(eftl_code::k_normal, "connecting was broken off", why);
    }
    done(std::move(why));
}

/// Begins with the server whose turn it is.
void Engine::walk(TimePoint) {
    link_up_ = false;
    said_goodbye_ = false;
    server_words_.clear();
    server_code_ = 0;
    retry_at_ = k_never;
    if (at_ == 0) failures_.clear();
    host_.dial(order_[at_]);
}

void Engine::link_up(TimePoint now) {
    if (!is_kept()) return;
    link_up_ = true;
    last_received_ = now;
    suspected_ = false;
    const std::size_t server = order_[at_];
    const auto of = [&](const std::vector<std::string>& all) { return server < all.size() ? std::string_view{all[server]} : std::string_view{}; };
    Login login;
    login.client_version = options_.client_version;
    login.user = of(options_.users);
    login.password = server < options_.passwords.size() ? options_.passwords[server].reveal() : std::string_view{};
    login.client_id = session_.link > 0 ? std::string_view{session_.client_id} : of(options_.client_ids);
    login.id_token = id_token_;
    login.max_pending_acks = options_.max_pending_acks;
    login.resume = session_.link > 0;  // another process's session is not ours, even under the same name
    std::string frame = login_frame(login);
    host_.send(frame);
    wipe(frame);
    login_deadline_ = options_.login_timeout.count() > 0 ? after(now, options_.login_timeout) : k_never;
}

void Engine::link_down(int code, std::string_view reason, const Error* error, TimePoint now) {
    link_up_ = false;
    login_deadline_ = k_never;
    switch (state_) {
        case EftlState::disconnected: return;
        case EftlState::disconnecting:
            return finish(
                eftl_code::k_normal, {},
                eftl_error(EftlErrc::disconnected, "the connection was closed before the server had answered", eftl_code::k_failed, "Disconnected"));
        case EftlState::connected: return lost(code, error != nullptr && reason.empty() ? error->message() : reason, now);
        case EftlState::connecting:
        case EftlState::reconnecting: break;
    }
    last_code_ = code;
    last_reason_ = std::string{reason};
    last_error_.reset();
    if (error != nullptr) last_error_ = *error;
    if (last_reason_.empty() && error != nullptr) last_reason_ = std::string{error->message()};
    if (!server_words_.empty()) last_reason_ = last_reason_.empty() ? server_words_ : server_words_ + "; " + last_reason_;
    const std::size_t server = order_[at_];
    if (!failures_.empty()) failures_ += "; ";
    failures_ += server < options_.shown.size() ? options_.shown[server] : std::string{"the server"};
    failures_ += ": ";
    if (error != nullptr)
        failures_ += std::string{error->message()};
    else
        failures_ += "the connection was closed with " + shown_code(code, last_reason_);
    next_server(now);
}

void Engine::next_server(TimePoint now) {
    if (++at_ < order_.size()) return walk(now);
    at_ = 0;
    if (state_ == EftlState::connecting || !is_reconnectable(last_code_)) {
        const bool denied = last_code_ == eftl_code::k_not_authenticated;
        Error why = eftl_error(denied ? EftlErrc::login : EftlErrc::connect, (denied ? "logging in failed: " : "connecting failed: ") + failures_,
                               last_code_, last_reason_);
        if (last_error_ && !denied) why.with_phase(last_error_->phase()).with_reason(last_error_->reason()).with_retryable(last_error_->retryable());
        return finish(last_code_, last_reason_, why);
    }
    attempt_failed(now);
}

/// The list was walked, or has yet to be after a loss.
void Engine::attempt_failed(TimePoint now) {
    if (rounds_ >= options_.attempts) {
        if (garbled_) {
            return finish(last_code_, last_reason_,
                          eftl_error(EftlErrc::protocol,
                                     "the connection was given up after " + std::to_string(rounds_) +
                                         " attempts to make it anew: " + (failures_.empty() ? session_.server + ": " + last_reason_ : failures_)));
        }
        const std::string count = std::to_string(rounds_);
        return finish(last_code_, last_reason_,
                      eftl_error(EftlErrc::disconnected,
                                 failures_.empty() ? "the connection was lost, and none of " + count + " attempts to make it anew lasted: " +
                                                         session_.server + ": " + shown_code(last_code_, last_reason_)
                                                   : "the connection was lost, and " + count + " attempts to make it anew failed: " + failures_,
                                 eftl_code::k_failed, "Disconnected"));
    }
    retry_at_ = after(now, reconnect_delay(rounds_++, options_.max_delay, random_()));
}

void Engine::lost(int code, std::string_view reason, TimePoint now) {
    last_code_ = code;
    last_reason_ = std::string{reason};
    last_error_.reset();
    failures_.clear();
    link_up_ = false;
    unacknowledged_.clear();
    for (auto& [number, one] : subscriptions_) one.to_acknowledge = 0;
    if (!is_reconnectable(code) || options_.attempts <= 0) {
        return finish(code, last_reason_,
                      eftl_error(EftlErrc::disconnected,
                                 "the connection to " + session_.server + " ended before the server had answered: " + shown_code(code, reason),
                                 eftl_code::k_failed, "Disconnected"));
    }
    set_state(EftlState::disconnected);
    set_state(EftlState::reconnecting);
    automatic_ = true;
    at_ = 0;
    // A server that lets in and then breaks the connection each time has to be waited for longer and longer, as one that cannot be reached.
    if ((served_ && !garbled_) || now - let_in_at_ >= options_.max_delay) rounds_ = 0;
    attempt_failed(now);
}

void Engine::finish(int code, const std::string& reason, const Error& why) {
    link_up_ = false;
    said_goodbye_ = false;
    login_deadline_ = retry_at_ = drain_deadline_ = k_never;
    suspected_ = false;
    at_ = 0;
    unacknowledged_.clear();
    later_.clear();
    leavings_.clear();
    for (auto& [number, one] : subscriptions_) one.to_acknowledge = 0;
    set_state(EftlState::disconnected);
    auto connects = std::exchange(connects_, {});
    auto disconnects = std::exchange(disconnects_, {});
    fail_all(why, true);
    host_.on_disconnect(code, reason);
    for (Waiting& one : connects) one.done(why);
    for (auto& done : disconnects) done();
}

void Engine::abandon(const Error& why) {
    const bool let_in = link_up_ && (state_ == EftlState::connected || state_ == EftlState::disconnecting);
    if (let_in) {
        flush_acks();
        if (!said_goodbye_) host_.send(disconnect_frame({}));
        host_.leave(eftl_code::k_normal);
    }
    const bool active = state_ != EftlState::disconnected && !let_in;
    state_ = EftlState::disconnected;
    link_up_ = false;
    login_deadline_ = retry_at_ = drain_deadline_ = k_never;
    if (active) host_.drop(eftl_code::k_going_away);
    auto connects = std::exchange(connects_, {});
    auto disconnects = std::exchange(disconnects_, {});
    fail_all(why, true);
    for (Waiting& one : connects) one.done(why);
    for (auto& done : disconnects) done();
    subscriptions_.clear();
}

void Engine::disconnect(TimePoint deadline, UniqueFunction<void()> done) {
    if (state_ == EftlState::disconnected) return done();
    disconnects_.push_back(std::move(done));
    if (state_ == EftlState::disconnecting) {
        drain_deadline_ = std::min(drain_deadline_, deadline);
        return;
    }
    if (is_kept()) {
        set_state(EftlState::disconnecting);
        host_.drop(eftl_code::k_normal);
        return finish(eftl_code::k_normal, {},
                      eftl_error(EftlErrc::disconnected, "the connection was closed while it was being made", eftl_code::k_failed, "Disconnected"));
    }
    set_state(EftlState::disconnecting);
    drain_deadline_ = deadline;
    drained();
}

/// Says good-bye as soon as nothing is open.
void Engine::drained() {
    if (state_ != EftlState::disconnecting || said_goodbye_ || !pending_.empty()) return;
    for (const auto& [number, one] : subscriptions_)
        if (one.done) return;
    goodbye();
}

void Engine::goodbye() {
    flush_acks();
    host_.send(disconnect_frame({}));
    said_goodbye_ = true;
    host_.close(eftl_code::k_normal, {});
}

void Engine::broken(std::string_view what, int number, std::uint16_t close_code, TimePoint now) {
    const std::string words{what};
    if (state_ == EftlState::connected || state_ == EftlState::disconnecting) host_.on_error(number, words);
    host_.drop(close_code);
    const Error error = eftl_error(EftlErrc::protocol, words);
    garbled_ = true;
    link_down(eftl_code::k_connection_error, {}, &error, now);
    garbled_ = false;
}

// ---- time ----

void Engine::remember(TimePoint deadline, std::int64_t number, bool subscription) {
    if (deadline == k_never) return;
    // Most answers come long before their deadline: what is left of those goes when it is more than what is alive.
    if (deadlines_.size() > 64 + 2 * (pending_.size() + subscriptions_.size())) {
        std::erase_if(deadlines_, [this](const Deadlined& one) {
            if (one.subscription) {
                const auto found = subscriptions_.find(one.number);
                return found == subscriptions_.end() || !found->second.done;
            }
            return !pending_.contains(one.number);
        });
        std::make_heap(deadlines_.begin(), deadlines_.end());
    }
    deadlines_.push_back({deadline, number, subscription});
    std::push_heap(deadlines_.begin(), deadlines_.end());
}

std::string Engine::trouble() const {
    if (!is_kept() || last_reason_.empty()) return {};
    return shown_code(last_code_, last_reason_);
}

void Engine::expire(TimePoint now) {
    while (!deadlines_.empty() && deadlines_.front().when <= now) {
        const Deadlined one = deadlines_.front();
        std::pop_heap(deadlines_.begin(), deadlines_.end());
        deadlines_.pop_back();
        if (one.subscription) {
            const auto found = subscriptions_.find(one.number);
            if (found != subscriptions_.end() && found->second.done && found->second.deadline == one.when)
                cancel_subscribe(found->second.own.id, net::stopped(false, "subscribing", trouble()));
            continue;
        }
        const auto found = pending_.find(one.number);
        if (found == pending_.end() || found->second.deadline != one.when) continue;
        if (found->second.kind == Kind::request)
            complete(one.number, eftl_error(EftlErrc::request_timeout, "a request failed: nobody replied before the deadline",
                                            eftl_code::k_request_timeout, "request timeout"));
        else
            complete(one.number, net::stopped(false, words_of(found->second.kind).doing, trouble()));
    }
}

TimePoint Engine::next_deadline() const noexcept {
    TimePoint next = std::min({login_deadline_, retry_at_, drain_deadline_});
    if (!deadlines_.empty()) next = std::min(next, deadlines_.front().when);
    if (link_up_ && (state_ == EftlState::connected || state_ == EftlState::disconnecting)) {
        const milliseconds limit = session_.timeout.count() > 0 ? session_.timeout : session_.heartbeat * 3;
        if (limit.count() > 0) next = std::min(next, suspected_ ? suspected_at_ : last_received_ + limit);
    }
    return next;
}

void Engine::tick(TimePoint now) {
    if (login_deadline_ <= now) {
        login_deadline_ = k_never;
        host_.drop(eftl_code::k_normal);
        Error late = net::stopped(false, "the log-in");
        late.with_phase(Phase::auth);
        link_down(eftl_code::k_connection_error, {}, &late, now);
    }
    if (retry_at_ <= now) walk(now);
    if (drain_deadline_ <= now) {
        drain_deadline_ = k_never;
        if (state_ == EftlState::disconnecting) {
            if (said_goodbye_) {
                host_.drop(eftl_code::k_normal);
            } else {
                flush_acks();
                host_.send(disconnect_frame({}));
                host_.leave(eftl_code::k_normal);
            }
            finish(
                eftl_code::k_normal, {},
                eftl_error(EftlErrc::disconnected, "the connection was closed before the server had answered", eftl_code::k_failed, "Disconnected"));
        }
    }
    go_silent(now);
    expire(now);
}

void Engine::go_silent(TimePoint now) {
    if (!link_up_ || (state_ != EftlState::connected && state_ != EftlState::disconnecting)) return;
    const milliseconds limit = session_.timeout.count() > 0 ? session_.timeout : session_.heartbeat * 3;
    if (limit.count() <= 0 || now < last_received_ + limit) return;
    if (!suspected_) {  // maybe it was this process that slept: what waits in the socket comes first
        suspected_ = true;
        suspected_at_ = now + k_second_look;
        return;
    }
    if (now < suspected_at_) return;
    suspected_ = false;
    host_.drop(0);
    link_down(eftl_code::k_connection_error, "nothing came from the server for " + std::to_string(limit.count()) + " ms", nullptr, now);
}

// ---- operations ----

std::int64_t Engine::submit(Kind kind, std::string frame, TimePoint now, TimePoint deadline, Answered done) {
    if (state_ == EftlState::disconnected || state_ == EftlState::disconnecting) {
        done(not_connected(words_of(kind).doing));
        return 0;
    }
    if (deadline <= now) {
        if (kind == Kind::request)
            done(eftl_error(EftlErrc::request_timeout, "a request failed: its deadline had passed already", eftl_code::k_request_timeout,
                            "request timeout"));
        else
            done(net::stopped(false, words_of(kind).doing));
        return 0;
    }
    Pending pending;
    pending.kind = kind;
    pending.frame = std::move(frame);
    pending.tail = eftl::finish(pending.frame, last_seq_ + 1);
    if (state_ == EftlState::connected) {
        if (auto why = unfit(kind, pending.frame.size())) {  // before it takes a number: servers look for gaps
            done(*std::move(why));
            return 0;
        }
    }
    const std::int64_t seq = ++last_seq_;
    pending.deadline = deadline;
    pending.done = std::move(done);
    const auto place = pending_.emplace_hint(pending_.end(), seq, std::move(pending));
    remember(deadline, seq, false);
    if (state_ == EftlState::connected) send_pending(place->second);
    return pending_.contains(seq) ? seq : 0;
}

/// Why it cannot be sent on this link.
std::optional<Error> Engine::unfit(Kind kind, std::size_t size) const {
    if (session_.protocol < 1 && (kind == Kind::request || kind == Kind::reply))
        return eftl_error(EftlErrc::unsupported, doing(kind) + " failed: " + session_.server + " is too old for requests (it speaks protocol 0)");
    if (session_.max_size > 0 && size > static_cast<std::size_t>(session_.max_size)) {
        return eftl_error(EftlErrc::too_large, doing(kind) + " failed: it takes " + std::to_string(size) + " bytes, and " + session_.server +
                                                   " takes " + std::to_string(session_.max_size) + " at most");
    }
    return std::nullopt;
}

/// May end it.
void Engine::send_pending(Pending& pending) {
    std::int64_t seq = 0;
    const std::string_view tail = std::string_view{pending.frame}.substr(pending.tail + 7);
    std::from_chars(tail.data(), tail.data() + tail.size(), seq);
    if (auto why = unfit(pending.kind, pending.frame.size())) return complete(seq, *std::move(why));
    const bool confirmed =
        session_.quality_of_service || pending.kind == Kind::request || pending.kind == Kind::reply || pending.kind == Kind::map_get;
    if (confirmed) {
        pending.sent = true;
        return host_.send(pending.frame);
    }
    auto node = pending_.extract(seq);
    strip(node.mapped().frame, node.mapped().tail);
    host_.send_and_tell(node.mapped().frame, [done = std::move(node.mapped().done), kind = node.mapped().kind](const Error* error) mutable {
        if (error == nullptr) return done(Answer{});
        done(eftl_error(EftlErrc::disconnected, doing(kind) + " failed: " + std::string{error->message()}, eftl_code::k_failed, "Disconnected"));
    });
    drained();
}

void Engine::cancel(std::int64_t seq, Error why) { complete(seq, std::move(why)); }

void Engine::complete(std::int64_t seq, Result<Answer> result) {
    auto node = pending_.empty() || pending_.begin()->first != seq ? pending_.extract(seq) : pending_.extract(pending_.begin());
    if (node.empty()) return;
    auto done = std::move(node.mapped().done);
    if (done) done(std::move(result));
    drained();
}

void Engine::fail_all(const Error& why, bool with_subscriptions) {
    auto pending = std::exchange(pending_, {});
    for (auto& [seq, one] : pending)
        if (one.done) one.done(why);
    if (!with_subscriptions) return;
    std::vector<UniqueFunction<void(Result<std::string>)>> begun;
    for (auto i = subscriptions_.begin(); i != subscriptions_.end();) {
        if (!i->second.done) {
            ++i;
            continue;
        }
        begun.push_back(std::move(i->second.done));
        i = subscriptions_.erase(i);
    }
    for (auto& done : begun) done(why);
}

void Engine::tell(std::string frame) {
    if (state_ == EftlState::connected) return host_.send(frame);
    if (is_kept()) later_.push_back(std::move(frame));
}

// ---- subscriptions ----

std::int64_t Engine::number_of(std::string_view id) noexcept {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    return error == std::errc{} && end == id.data() + id.size() ? number : -1;
}

Engine::Subscriptions::iterator Engine::find(std::string_view id) noexcept { return subscriptions_.find(number_of(id)); }

void Engine::subscribe(std::string id, EftlSubscription what, bool consumes, TimePoint now, TimePoint deadline,
                       UniqueFunction<void(Result<std::string>)> done) {
    if (state_ == EftlState::disconnected || state_ == EftlState::disconnecting) return done(not_connected("subscribing"));
    if (deadline <= now) return done(net::stopped(false, "subscribing"));
    std::string frame;
    try {
        frame = subscribe_frame(id, what, false);
    } catch (const Error& error) { return done(error); }
    const std::int64_t number = number_of(id);
    Subscription& one = subscriptions_[number];
    one.own = {std::move(id), std::move(what), consumes};
    one.deadline = deadline;
    one.done = std::move(done);
    remember(deadline, number, true);
    if (state_ == EftlState::connected) host_.send(frame);
}

void Engine::cancel_subscribe(std::string_view id, Error why) {
    const auto found = find(id);
    if (found == subscriptions_.end() || !found->second.done) return;
    auto done = std::move(found->second.done);
    const bool durable = !found->second.own.what.durable.empty();
    // What waits in a durable is not ours to remove.
    if (can_talk() && (!durable || session_.protocol >= 1)) host_.send(unsubscribe_frame(found->second.own.id, durable));
    subscriptions_.erase(found);
    done(std::move(why));
    drained();
}

void Engine::unsubscribe(std::string_view id, bool keep_durable) {
    const auto found = find(id);
    if (found == subscriptions_.end()) return;
    flush_acks();
    std::string frame = unsubscribe_frame(found->second.own.id, keep_durable);
    if (can_talk())
        host_.send(frame);
    else if (is_kept())
        leavings_.push_back(std::move(frame));
    auto done = std::move(found->second.done);
    subscriptions_.erase(found);
    if (done) done(eftl_error(EftlErrc::subscription, "subscribing failed: the subscription was ended before the server had taken it"));
    drained();
}

void Engine::stop(std::string_view id) {
    const auto found = find(id);
    if (found == subscriptions_.end() || found->second.flow == Flow::stopped) return;
    flush_acks();
    found->second.flow = Flow::stopped;
    if (can_talk()) host_.send(stop_frame(found->second.own.id, found->second.last_seq));
}

void Engine::start(std::string_view id) {
    const auto found = find(id);
    if (found == subscriptions_.end() || found->second.flow != Flow::stopped) return;
    if (!can_talk()) {
        found->second.flow = Flow::started;
        return;
    }
    found->second.flow = Flow::starting;
    host_.send(start_frame(found->second.own.id));
}

void Engine::mark(Subscription& one, std::int64_t seq) {
    if (!session_.quality_of_service || one.own.what.ack == EftlAck::none) return;
    if (one.to_acknowledge == 0) unacknowledged_.push_back(number_of(one.own.id));
    one.to_acknowledge = std::max(one.to_acknowledge, seq);
}

void Engine::flush_acks() {
    for (const std::int64_t number : unacknowledged_) {
        const auto found = subscriptions_.find(number);
        if (found == subscriptions_.end()) continue;
        const std::int64_t seq = std::exchange(found->second.to_acknowledge, 0);
        if (seq > 0 && can_talk()) host_.send(ack_frame(seq, found->second.own.id));
    }
    unacknowledged_.clear();
}

void Engine::acknowledge(const EftlReceipt& receipt, bool all_up_to) {
    const auto found = find(receipt.subscription);
    // What came by a session that is gone comes again, under another number.
    if (found == subscriptions_.end() || !receipt.sequence || receipt.link < session_began_) return;
    Subscription& one = found->second;
    const std::int64_t seq = *receipt.sequence;
    const auto place = std::lower_bound(one.open.begin(), one.open.end(), seq);
    const bool there = place != one.open.end() && *place == seq;
    bool changed = there;
    if (all_up_to) {
        changed = there || place != one.open.begin();
        one.open.erase(one.open.begin(), there ? place + 1 : place);
    } else if (there) {
        one.open.erase(place);
    }
    // One that this link has not brought is acknowledged when it comes again.
    if (changed && can_talk() && session_.quality_of_service && seq <= one.highest_here)
        host_.send(ack_frame(seq, all_up_to ? one.own.id : std::string{}));
}

void Engine::consumed(const EftlReceipt& receipt) {
    const auto found = find(receipt.subscription);
    if (found == subscriptions_.end() || !receipt.sequence || receipt.link < session_began_) return;
    Subscription& one = found->second;
    if (one.own.what.ack != EftlAck::automatic) return;
    const auto place = std::lower_bound(one.open.begin(), one.open.end(), *receipt.sequence);
    if (place == one.open.end() || *place != *receipt.sequence) return;
    one.open.erase(place);
    if (can_talk() && *receipt.sequence <= one.highest_here) mark(one, *receipt.sequence);
}

// ---- frames ----

void Engine::received(std::string_view text, TimePoint now) {
    if (!link_up_) return;
    last_received_ = now;
    suspected_ = false;
    FrameReader reader{text};
    while (reader.next(frame_)) {
        if (frame_.op == static_cast<int>(Op::heartbeat)) {
            host_.send(text);  // as it came, with whatever more is in it
            continue;
        }
        on_frame(frame_, now);
        if (!link_up_) return;
    }
    if (reader.error()) broken(reader.error()->message(), eftl_code::k_protocol_error, eftl_code::k_bad_payload, now);
}

void Engine::on_frame(ServerFrame& frame, TimePoint now) {
    const bool let_in = state_ == EftlState::connected || state_ == EftlState::disconnecting;
    switch (static_cast<Op>(frame.op)) {
        case Op::welcome: return on_welcome(frame, now);
        case Op::error: return on_server_error(frame, now);
        case Op::goodbye: {
            host_.drop(eftl_code::k_normal);
            return link_down(frame.err.value_or(eftl_code::k_normal), frame.reason, nullptr, now);
        }
        case Op::event:
            if (let_in) on_event(frame);
            return;
        case Op::ack:
        case Op::request_reply:
        case Op::map_response:
            if (let_in) on_answer(frame);
            return;
        case Op::subscribed:
            if (let_in) on_subscribed(frame);
            return;
        case Op::unsubscribed:
            if (let_in) on_unsubscribed(frame);
            return;
        case Op::started: {
            const auto found = find(frame.to.empty() ? frame.id : frame.to);
            if (let_in && found != subscriptions_.end() && found->second.flow == Flow::starting) found->second.flow = Flow::started;
            return;
        }
        default: return;  // of a protocol to come
    }
}

void Engine::on_welcome(const ServerFrame& frame, TimePoint now) {
    if (!frame.client_id.empty()) session_.client_id = frame.client_id;
    id_token_ = frame.id_token;
    if (!is_kept()) return;
    login_deadline_ = k_never;
    let_in_at_ = now;
    served_ = false;
    session_.server = order_[at_] < options_.shown.size() ? options_.shown[order_[at_]] : std::string{"the server"};
    session_.protocol = static_cast<int>(std::clamp<std::int64_t>(frame.protocol, 0, 1'000'000));
    session_.timeout = milliseconds_of_seconds(frame.timeout);
    session_.heartbeat = milliseconds_of_seconds(frame.heartbeat);
    session_.max_size = std::max<std::int64_t>(frame.max_size, 0);
    session_.quality_of_service = frame.quality_of_service;
    session_.stop_supported = frame.stop_supported;
    session_.resumed = frame.resume && session_.link > 0;
    ++session_.link;
    at_ = 0;
    failures_.clear();
    unacknowledged_.clear();
    if (!session_.resumed) session_began_ = session_.link;
    for (auto& [number, one] : subscriptions_) {
        one.to_acknowledge = 0;
        one.highest_here = 0;
        if (session_.resumed) continue;
        one.last_seq = 0;
        one.open.clear();
    }
    set_state(EftlState::connected);
    resubscribe();
    resend();
    if (state_ != EftlState::connected) return;
    const Welcome kind = !std::exchange(ever_connected_, true) ? Welcome::first : automatic_ ? Welcome::automatic : Welcome::manual;
    automatic_ = false;
    host_.on_welcome(kind, session_);
    auto connects = std::exchange(connects_, {});
    for (Waiting& one : connects) one.done(session_);
}

void Engine::resubscribe() {
    auto leavings = std::exchange(leavings_, {});
    if (session_.resumed)
        for (const std::string& frame : leavings) host_.send(frame);
    for (const auto& [number, one] : subscriptions_) host_.send(subscribe_frame(one.own.id, one.own.what, one.flow == Flow::stopped));
    auto later = std::exchange(later_, {});
    for (const std::string& frame : later) host_.send(frame);
}

void Engine::resend() {
    std::vector<std::int64_t> all;
    all.reserve(pending_.size());
    for (const auto& [seq, one] : pending_) all.push_back(seq);
    for (const std::int64_t seq : all) {
        const auto found = pending_.find(seq);
        if (found == pending_.end() || state_ != EftlState::connected) continue;
        if (found->second.sent && !session_.resumed && options_.resend == EftlResend::resumed) {
            complete(seq, eftl_error(EftlErrc::disconnected,
                                     doing(found->second.kind) + " failed: the connection was lost before the answer, and " + session_.server +
                                         " has not kept the session; it may have been carried out",
                                     eftl_code::k_failed, "Reconnect"));
            continue;
        }
        send_pending(found->second);
    }
}

void Engine::on_answer(const ServerFrame& frame) {
    if (!frame.seq) return;
    const auto found = !pending_.empty() && pending_.begin()->first == *frame.seq ? pending_.begin() : pending_.find(*frame.seq);
    if (found == pending_.end()) return;
    const Kind kind = found->second.kind;
    served_ = true;
    if (frame.err) {
        Error error = eftl_error(words_of(kind).code, doing(kind) + " failed: the server answered " + shown_code(*frame.err, frame.reason),
                                 *frame.err, frame.reason);
        return complete(*frame.seq, std::move(error));
    }
    const bool brings = kind == Kind::request || kind == Kind::map_get;
    if (brings && frame.op == static_cast<int>(Op::ack)) return;  // taken; the answer comes by itself
    if (!brings) return complete(*frame.seq, Answer{});
    Answer answer = frame.body;
    if (!answer && kind == Kind::request) answer.emplace();
    complete(*frame.seq, std::move(answer));
}

void Engine::on_event(ServerFrame& frame) {
    const auto found = find(frame.to);
    if (found == subscriptions_.end() || said_goodbye_) return;
    Subscription& one = found->second;
    if (one.flow != Flow::started) return;
    const EftlAck ack = one.own.what.ack;
    if (frame.seq) {
        one.highest_here = std::max(one.highest_here, *frame.seq);
        if (*frame.seq <= one.last_seq) {
            // A repeat: what was done with it is known. One that is still open is acknowledged when it is consumed.
            if (std::binary_search(one.open.begin(), one.open.end(), *frame.seq)) return;
            if (ack == EftlAck::automatic) mark(one, *frame.seq);
            if (ack == EftlAck::client && session_.quality_of_service && can_talk()) host_.send(ack_frame(*frame.seq, {}));
            return;
        }
        one.last_seq = *frame.seq;
    }
    served_ = true;
    EftlMessage message = frame.body ? std::move(*frame.body) : EftlMessage{};
    EftlReceipt& receipt = message.receipt();
    receipt.subscription = one.own.id;
    receipt.sequence = frame.seq;
    receipt.store_message_id = frame.store_message_id;
    receipt.delivery_count = frame.delivery_count;
    receipt.reply_to = std::move(frame.reply_to);
    receipt.request_id = frame.request_id;
    receipt.link = session_.link;
    const bool waits = frame.seq && (ack == EftlAck::client || (ack == EftlAck::automatic && !one.own.consumes));
    if (waits) one.open.push_back(*frame.seq);
    host_.on_message(one.own, std::move(message));
    if (frame.seq && ack == EftlAck::automatic && one.own.consumes) mark(one, *frame.seq);
}

void Engine::on_subscribed(const ServerFrame& frame) {
    const auto found = find(frame.id.empty() ? frame.to : frame.id);
    if (found == subscriptions_.end()) return;
    if (found->second.flow == Flow::starting) found->second.flow = Flow::started;
    auto done = std::move(found->second.done);
    const std::string id = found->second.own.id;
    host_.on_subscribed(found->second.own);
    if (done) done(id);
    drained();
}

void Engine::on_unsubscribed(const ServerFrame& frame) {
    const auto found = find(frame.id.empty() ? frame.to : frame.id);
    if (found == subscriptions_.end()) return;
    const int code = frame.err.value_or(eftl_code::k_subscribe_failed);
    if (auto done = std::move(found->second.done)) {
        subscriptions_.erase(found);
        done(eftl_error(EftlErrc::subscribe, "subscribing failed: the server answered " + shown_code(code, frame.reason), code, frame.reason));
        return drained();
    }
    const bool gone = code == eftl_code::k_subscribe_bad;
    const Subscribed own = found->second.own;
    if (gone) subscriptions_.erase(found);
    host_.on_subscription_error(own, code, frame.reason, gone);
}

void Engine::on_server_error(const ServerFrame& frame, TimePoint now) {
    const int code = frame.err.value_or(0);
    if (!is_kept()) return host_.on_error(code, frame.reason);
    // Before the welcome: what the server says about the end that it is about to make.
    server_code_ = code;
    server_words_ = "the server said " + shown_code(code, frame.reason);
    login_deadline_ = std::min(login_deadline_, after(now, k_close_after_error));
}

}  // namespace qconn::eftl
