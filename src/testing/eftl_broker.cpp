// SPDX-License-Identifier: Apache-2.0
#include "testing/eftl_broker.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace qconn::testing {

namespace {

// The numbers of frames.
constexpr std::int64_t k_heartbeat = 0;
constexpr std::int64_t k_log_in = 1;
constexpr std::int64_t k_welcome = 2;
constexpr std::int64_t k_subscribe = 3;
constexpr std::int64_t k_subscribed = 4;
constexpr std::int64_t k_unsubscribe = 5;
constexpr std::int64_t k_unsubscribed = 6;
constexpr std::int64_t k_event = 7;
constexpr std::int64_t k_publish = 8;
constexpr std::int64_t k_acknowledge = 9;
constexpr std::int64_t k_disconnect = 11;
constexpr std::int64_t k_request = 13;
constexpr std::int64_t k_request_reply = 14;
constexpr std::int64_t k_reply = 15;
constexpr std::int64_t k_map_destroy = 18;
constexpr std::int64_t k_map_set = 20;
constexpr std::int64_t k_map_get = 22;
constexpr std::int64_t k_map_remove = 24;
constexpr std::int64_t k_map_response = 26;
constexpr std::int64_t k_stop = 28;
constexpr std::int64_t k_start = 30;
constexpr std::int64_t k_started = 31;

/// Answers that are kept for what a client sends again.
constexpr std::size_t k_most_answers = 50'000;
constexpr std::string_view k_reply_to = "_reply";

// A frame is read and written as the message that it looks like: a JSON object with longs, texts and messages.

std::string text_of(const EftlMessage& frame, std::string_view name) { return std::string{frame.get_string(name).value_or("")}; }

/// Booleans come as such, which are the longs 1 and 0 of a message, or as texts.
bool flag_of(const EftlMessage& frame, std::string_view name, bool otherwise) {
    if (const auto number = frame.get_long(name)) return *number != 0;
    const std::string text = text_of(frame, name);
    return text.empty() ? otherwise : text == "true" || text == "True" || text == "TRUE";
}

EftlMessage frame_with(std::int64_t op) {
    EftlMessage frame;
    frame.set_long("op", op);
    return frame;
}

/// @param more  further members, each with a comma in front
std::string text_of_frame(const EftlMessage& frame, std::string_view more = {}) {
    std::string out = frame.to_json();
    out.pop_back();
    return out.append(more) + '}';
}

std::string seconds_text(std::chrono::milliseconds time) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<double>(time.count()) / 1000).ptr;
    return {text.data(), end};
}

}  // namespace

EftlBroker::EftlBroker(TestEftlServerOptions options, EftlFaults what, EftlOutlet& outlet)
    : faults{std::move(what)}, options_{std::move(options)}, outlet_{outlet} {}

// ---- sessions ----

EftlBroker::Sessions::iterator EftlBroker::session_of(std::uint64_t link) {
    return std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& one) { return one.second.link == link; });
}

std::vector<std::uint64_t> EftlBroker::links() const {
    std::vector<std::uint64_t> out;
    for (const auto& [client_id, session] : sessions_)
        if (session.link != 0) out.push_back(session.link);
    return out;
}

void EftlBroker::received(std::uint64_t link, std::string_view text) {
    if (options_.max_size > 0 && text.size() > static_cast<std::size_t>(options_.max_size)) {
        lost(link);
        return outlet_.close(link, eftl_code::k_too_large, "message too large");
    }
    EftlMessage frame;
    try {
        frame = EftlMessage::from_json(text);
    } catch (const Error& error) {
        lost(link);
        return outlet_.close(link, eftl_code::k_bad_payload, std::string{error.message()}.substr(0, 100));
    }
    const std::int64_t op = frame.get_long("op").value_or(-1);
    const auto session = session_of(link);
    if (session == sessions_.end()) {
        if (op == k_log_in) return on_log_in(link, frame);
        return outlet_.close(link, eftl_code::k_protocol_error, "a log-in comes first");
    }
    on_frame(session, op, frame);
}

void EftlBroker::on_log_in(std::uint64_t link, const EftlMessage& frame) {
    if (faults.ignore_log_in) return;
    if (faults.refuse_log_in) {
        const int code = faults.refuse_log_in->code != 0 ? faults.refuse_log_in->code : eftl_code::k_not_authenticated;
        return outlet_.close(link, code, faults.refuse_log_in->reason);
    }
    if ((!options_.username.empty() || !options_.password.empty()) &&
        (text_of(frame, "user") != options_.username || text_of(frame, "password") != options_.password.reveal()))
        return outlet_.close(link, eftl_code::k_not_authenticated, "not authenticated");

    std::string client_id = text_of(frame, "client_id");
    if (client_id.empty()) client_id = "CLIENT-" + std::to_string(++last_client_);
    const EftlMessage wishes = frame.get_message("login_options").value_or(EftlMessage{});
    auto found = sessions_.find(client_id);
    bool resumed = false;
    if (found != sessions_.end()) {
        if (found->second.link != 0) {
            const std::uint64_t older = found->second.link;
            lost(older);
            outlet_.close(older, eftl_code::k_forced, "another client has this client id");
        }
        resumed = !faults.forget_sessions && flag_of(wishes, "_resume", false) && text_of(frame, "id_token") == found->second.token;
        if (!resumed) end_session(found);
    }
    Session& session = sessions_[client_id];
    session.link = link;
    session.token = "TOKEN-" + std::to_string(++last_token_);
    const std::int64_t wanted = frame.get_long("max_pending_acks").value_or(0);
    session.max_pending_acks = wanted > 0 ? static_cast<std::size_t>(wanted) : options_.max_pending_acks;
    for (auto& [id, one] : session.subscriptions) one.asked = false;
    ++log_ins;

    EftlMessage welcome = frame_with(k_welcome);
    welcome.set_string("client_id", client_id).set_string("id_token", session.token).set_long("max_size", options_.max_size);
    welcome.set_string("_qos", options_.quality_of_service ? "true" : "false").set_string("_resume", resumed ? "true" : "false");
    if (options_.protocol > 0) welcome.set_long("protocol", options_.protocol);
    welcome.set_string("stop_supported", options_.stop_supported && options_.protocol > 0 ? "true" : "false");
    outlet_.send(link,
                 text_of_frame(welcome, ",\"timeout\":" + seconds_text(options_.timeout) + ",\"heartbeat\":" + seconds_text(options_.heartbeat)));
}

void EftlBroker::lost(std::uint64_t link) {
    const auto found = session_of(link);
    if (found == sessions_.end()) return;
    found->second.link = 0;
    // Who shares a durable does not wait for another to come back.
    for (auto& [id, one] : found->second.subscriptions) {
        if (one.store->durable.empty() || one.store->type != EftlDurable::shared) continue;
        give_back(found->second, one);
        pump(*one.store);
    }
}

void EftlBroker::forget_sessions() {
    for (auto one = sessions_.begin(); one != sessions_.end();) {
        const auto session = one++;
        if (session->second.link == 0) end_session(session);
    }
}

void EftlBroker::end_session(Sessions::iterator session) {
    Session over = std::move(session->second);
    const std::string client_id = session->first;
    sessions_.erase(session);
    for (auto& [id, one] : over.subscriptions) {
        give_back(over, one);
        leave(client_id, id, one);
    }
    std::erase_if(requests_, [&](const auto& one) { return one.second.client_id == client_id; });
}

void EftlBroker::give_back(Session& session, Subscribed& one) {
    session.open -= one.open.size();
    for (auto back = one.open.rbegin(); back != one.open.rend(); ++back) one.store->waiting.push_front(std::move(back->what));
    one.open.clear();
}

void EftlBroker::leave(const std::string& client_id, const std::string& id, Subscribed& one) {
    std::erase_if(one.store->readers, [&](const Reader& reader) { return reader.client_id == client_id && reader.id == id; });
    if (one.store->durable.empty())
        remove(one.store);
    else
        pump(*one.store);
}

/// Of a durable that is nobody else's there is one subscription at a time.
void EftlBroker::take_over(Store& store) {
    for (const Reader& reader : std::exchange(store.readers, {})) {
        const auto session = sessions_.find(reader.client_id);
        if (session == sessions_.end()) continue;
        const auto one = session->second.subscriptions.find(reader.id);
        if (one != session->second.subscriptions.end()) give_back(session->second, one->second);
    }
}

void EftlBroker::remove(const std::shared_ptr<Store>& store) { std::erase(stores_, store); }

// ---- what clients send ----

void EftlBroker::on_frame(Sessions::iterator session, std::int64_t op, const EftlMessage& frame) {
    Session& own = session->second;
    const bool answered = op == k_publish || op == k_request || op == k_reply || op == k_map_set || op == k_map_get || op == k_map_remove;
    if (answered) {  // what is sent again after a loss was carried out
        const auto known = own.answers.find(frame.get_long("seq").value_or(-1));
        if (known != own.answers.end()) {
            if (!faults.withhold_answers) outlet_.send(own.link, known->second);
            return;
        }
    }
    switch (op) {
        case k_heartbeat: return;
        case k_subscribe: return on_subscribe(session, frame);
        case k_unsubscribe: return on_unsubscribe(session, frame);
        case k_acknowledge: return on_acknowledge(own, frame);
        case k_publish: return on_publish(session, frame);
        case k_request: return on_request(session, frame);
        case k_reply: return on_reply(own, frame);
        case k_map_destroy:
        case k_map_set:
        case k_map_get:
        case k_map_remove: return on_map(own, op, frame);
        case k_stop: return on_start_or_stop(own, true, frame);
        case k_start: return on_start_or_stop(own, false, frame);
        case k_disconnect: return end_session(session);
        default: return;
    }
}

void EftlBroker::on_subscribe(Sessions::iterator session, const EftlMessage& frame) {
    const std::string id = text_of(frame, "id");
    const std::uint64_t link = session->second.link;
    const auto refuse = [&](int code, std::string_view reason) {
        outlet_.send(link, text_of_frame(frame_with(k_unsubscribed).set_string("id", id).set_long("err", code).set_string("reason", reason)));
    };
    if (faults.refuse_subscribe) {
        const int code = faults.refuse_subscribe->code != 0 ? faults.refuse_subscribe->code : eftl_code::k_subscribe_failed;
        return refuse(code, faults.refuse_subscribe->reason);
    }
    auto known = session->second.subscriptions.find(id);
    if (known == session->second.subscriptions.end()) {
        Subscribed made;
        EftlSubscription& what = made.what;
        try {
            if (const auto matcher = frame.get_string("matcher")) what.matcher = EftlMatcher::parse(*matcher);
        } catch (const Error& error) { return refuse(eftl_code::k_subscribe_bad, error.message()); }
        what.durable = text_of(frame, "durable");
        const std::string type = text_of(frame, "type");
        what.type = type == "shared" ? EftlDurable::shared : type == "last-value" ? EftlDurable::last_value : EftlDurable::standard;
        what.key = text_of(frame, "key");
        const std::string ack = text_of(frame, "ack");
        what.ack = ack == "client" ? EftlAck::client : ack == "none" ? EftlAck::none : EftlAck::automatic;
        if (what.type == EftlDurable::last_value && what.key.empty()) return refuse(eftl_code::k_subscribe_bad, "a last-value durable needs a key");
        const std::string owner = what.type == EftlDurable::shared ? std::string{} : session->first;
        if (!what.durable.empty()) {
            const auto found = std::find_if(stores_.begin(), stores_.end(), [&](const auto& one) {
                return one->durable == what.durable && one->client_id == owner && (one->type == EftlDurable::shared) == owner.empty();
            });
            if (found != stores_.end()) made.store = *found;
            if (made.store && what.matcher != EftlMatcher{} && what.matcher != made.store->matcher)
                return refuse(eftl_code::k_subscribe_bad, "the durable has another matcher");
            if (made.store && !owner.empty()) take_over(*made.store);
        }
        if (!made.store) {
            made.store = std::make_shared<Store>();
            made.store->matcher = what.matcher;
            made.store->durable = what.durable;
            made.store->type = what.type;
            made.store->key = what.key;
            made.store->client_id = owner;
            stores_.push_back(made.store);
        }
        made.store->readers.push_back({session->first, id});
        made.made = ++last_made_;
        known = session->second.subscriptions.emplace(id, std::move(made)).first;
    }
    Subscribed& one = known->second;
    one.asked = true;
    one.stopped = flag_of(frame, "stopped", false);
    outlet_.send(link, text_of_frame(frame_with(k_subscribed).set_string("id", id)));
    for (Open& again : one.open) {
        ++again.what.count;
        send_event(session->second, id, again.seq, again.what);
    }
    pump(*one.store);
}

void EftlBroker::on_unsubscribe(Sessions::iterator session, const EftlMessage& frame) {
    const auto found = session->second.subscriptions.find(text_of(frame, "id"));
    if (found == session->second.subscriptions.end()) return;
    Subscribed one = std::move(found->second);
    const std::string id = found->first;
    session->second.subscriptions.erase(found);
    give_back(session->second, one);
    if (flag_of(frame, "del", true)) remove(one.store);
    leave(session->first, id, one);
    pump_all(session->second);
}

void EftlBroker::on_acknowledge(Session& session, const EftlMessage& frame) {
    const std::int64_t seq = frame.get_long("seq").value_or(0);
    const auto id = frame.get_string("id");  // with one all before it too
    auto from = session.subscriptions.begin();
    auto to = session.subscriptions.end();
    if (id) std::tie(from, to) = session.subscriptions.equal_range(std::string{*id});
    for (; from != to; ++from) {
        auto& [name, one] = *from;
        for (auto open = one.open.begin(); open != one.open.end() && open->seq <= seq;) {
            if (!id && open->seq != seq) {
                ++open;
                continue;
            }
            EftlMessage& done = acknowledged.emplace_back(open->what.what->message);
            done.receipt().subscription = name;
            done.receipt().sequence = open->seq;
            done.receipt().delivery_count = open->what.count;
            open = one.open.erase(open);
            --session.open;
        }
    }
    pump_all(session);
}

void EftlBroker::on_publish(Sessions::iterator session, const EftlMessage& frame) {
    if (!faults.refuse_publish) {
        const EftlMessage body = frame.get_message("body").value_or(EftlMessage{});
        note(body, 0);
        route(body, 0);
    }
    answer_to(session->second, frame.get_long("seq"), k_acknowledge, faults.refuse_publish);
}

void EftlBroker::on_request(Sessions::iterator session, const EftlMessage& frame) {
    const std::int64_t seq = frame.get_long("seq").value_or(0);
    if (faults.refuse_request) return answer_to(session->second, seq, k_request_reply, faults.refuse_request);
    for (const auto& [number, one] : requests_)
        if (one.client_id == session->first && one.seq == seq && !one.reply) return;  // sent again
    requests_[++last_request_] = {session->first, seq, {}};
    const EftlMessage body = frame.get_message("body").value_or(EftlMessage{});
    note(body, last_request_);
    route(body, last_request_);
}

void EftlBroker::on_reply(Session& session, const EftlMessage& frame) {
    const std::int64_t request = frame.get_long("req").value_or(0);
    const bool known = requests_.contains(request);
    if (known) replied(request, frame.get_message("body").value_or(EftlMessage{}));
    answer_to(session, frame.get_long("seq"), k_acknowledge,
              known ? std::nullopt : std::optional{EftlRefusal{eftl_code::k_request_failed, "nobody waits for that reply"}});
}

void EftlBroker::on_map(Session& session, std::int64_t op, const EftlMessage& frame) {
    const auto seq = frame.get_long("seq");
    if (faults.refuse_map) return answer_to(session, seq, k_map_response, faults.refuse_map);
    const std::string map = text_of(frame, "map");
    const std::pair key{map, text_of(frame, "key")};
    if (op == k_map_destroy) std::erase_if(maps, [&](const auto& one) { return one.first.first == map; });
    if (op == k_map_remove) maps.erase(key);
    if (op == k_map_set) maps[key] = frame.get_message("value").value_or(EftlMessage{});
    const auto there = maps.find(key);
    answer_to(session, seq, k_map_response, {}, op == k_map_get && there != maps.end() ? &there->second : nullptr, "value");
}

void EftlBroker::on_start_or_stop(Session& session, bool stop, const EftlMessage& frame) {
    const auto found = session.subscriptions.find(text_of(frame, "id"));
    if (found == session.subscriptions.end()) return;
    found->second.stopped = stop;
    if (stop) return;
    outlet_.send(session.link, text_of_frame(frame_with(k_started).set_string("to", found->first)));
    pump(*found->second.store);
}

void EftlBroker::answer_to(Session& session, const std::optional<std::int64_t>& seq, int op, const std::optional<EftlRefusal>& refusal,
                           const EftlMessage* body, std::string_view body_name) {
    if (!seq) return;
    EftlMessage frame = frame_with(op);
    frame.set_long("seq", *seq);
    if (refusal) frame.set_long("err", refusal->code).set_string("reason", refusal->reason);
    std::string text = text_of_frame(frame, body != nullptr ? ",\"" + std::string{body_name} + "\":" + body->to_json() : std::string{});
    if (!faults.withhold_answers && session.link != 0) outlet_.send(session.link, text);
    session.answers[*seq] = std::move(text);
    if (session.answers.size() > k_most_answers) session.answers.erase(session.answers.begin());
}

// ---- the ways of messages ----

void EftlBroker::note(const EftlMessage& message, std::int64_t request) {
    EftlMessage& one = messages.emplace_back(message);
    if (request != 0) {
        one.receipt().reply_to = k_reply_to;
        one.receipt().request_id = request;
    }
}

void EftlBroker::publish(const EftlMessage& message) { route(message, 0); }

std::int64_t EftlBroker::request(const EftlMessage& message) {
    requests_[++last_request_] = {};
    route(message, last_request_);
    return last_request_;
}

std::optional<EftlMessage> EftlBroker::take_reply(std::int64_t request, bool give_up) {
    const auto found = requests_.find(request);
    if (found == requests_.end()) return std::nullopt;
    std::optional<EftlMessage> out = std::move(found->second.reply);
    if (out || give_up) requests_.erase(found);
    return out;
}

void EftlBroker::answer(EftlMatcher matcher, Reply reply) {
    answers_.emplace(answers_.begin(), std::move(matcher), std::make_shared<const Reply>(std::move(reply)));
}

void EftlBroker::replied(std::int64_t request, const EftlMessage& reply) {
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    if (found->second.client_id.empty()) {
        found->second.reply = reply;
        return;
    }
    const Requested who = std::move(found->second);
    requests_.erase(found);
    const auto session = sessions_.find(who.client_id);
    if (session != sessions_.end()) answer_to(session->second, who.seq, k_request_reply, {}, &reply);
}

void EftlBroker::route(const EftlMessage& message, std::int64_t request) {
    if (request != 0) {
        for (const auto& [matcher, reply] : answers_) {
            if (!matcher.matches(message)) continue;
            asked_.push_back({request, message, reply});
            asked_.back().message.receipt().reply_to = k_reply_to;
            asked_.back().message.receipt().request_id = request;
            return;
        }
    }
    const auto what = std::make_shared<const Published>(Published{++last_number_, message, message.to_json(), request});
    const auto stores = stores_;
    for (const auto& store : stores) {
        if (!store->matcher.matches(message)) continue;
        if (store->type == EftlDurable::last_value) {
            const auto value = message.get_string(store->key);
            std::erase_if(store->waiting, [&](const Delivery& one) { return one.what->message.get_string(store->key) == value; });
        }
        store->waiting.push_back({what, 0});
        pump(*store);
    }
}

void EftlBroker::pump(Store& store) {
    std::size_t passed_over = 0;
    while (!store.waiting.empty() && passed_over < store.readers.size()) {
        const Reader reader = store.readers.front();
        if (store.readers.size() > 1) {
            store.readers.pop_front();
            store.readers.push_back(reader);
        }
        ++passed_over;
        const auto session = sessions_.find(reader.client_id);
        if (session == sessions_.end() || session->second.link == 0) continue;
        const auto one = session->second.subscriptions.find(reader.id);
        if (one == session->second.subscriptions.end() || !one->second.asked || one->second.stopped) continue;
        if (session->second.max_pending_acks != 0 && session->second.open >= session->second.max_pending_acks) continue;
        Delivery next = std::move(store.waiting.front());
        store.waiting.pop_front();
        deliver(session->second, reader.id, one->second, std::move(next));
        passed_over = 0;
    }
}

/// For room that an acknowledgement made, or an end.
void EftlBroker::pump_all(Session& session) {
    if (session.max_pending_acks == 0) return;
    for (auto& [id, one] : session.subscriptions) pump(*one.store);
}

void EftlBroker::deliver(Session& session, const std::string& id, Subscribed& one, Delivery what) {
    ++what.count;
    const std::int64_t seq = ++session.last_seq;
    send_event(session, id, seq, what);
    if (!options_.quality_of_service || one.what.ack == EftlAck::none) return;
    one.open.push_back({seq, std::move(what)});
    ++session.open;
}

void EftlBroker::send_event(const Session& session, const std::string& id, std::int64_t seq, const Delivery& what) {
    EftlMessage frame = frame_with(k_event);
    frame.set_string("to", id);
    if (options_.quality_of_service) frame.set_long("seq", seq).set_long("sid", what.what->number).set_long("cnt", what.count);
    if (what.what->request != 0) frame.set_string("reply_to", k_reply_to).set_long("req", what.what->request);
    outlet_.send(session.link, text_of_frame(frame, ",\"body\":" + what.what->json));
}

// ---- looking ----

std::vector<TestEftlSubscription> EftlBroker::subscriptions() const {
    std::vector<std::pair<std::int64_t, TestEftlSubscription>> all;
    for (const auto& [client_id, session] : sessions_)
        for (const auto& [id, one] : session.subscriptions)
            all.emplace_back(one.made, TestEftlSubscription{client_id, id, one.what, one.stopped, one.open.size()});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<TestEftlSubscription> out;
    for (auto& [made, one] : all) out.push_back(std::move(one));
    return out;
}

std::size_t EftlBroker::waiting(std::string_view durable) const {
    std::size_t count = 0;
    for (const auto& store : stores_)
        if (store->durable == durable) count += store->waiting.size();
    return count;
}

}  // namespace qconn::testing
