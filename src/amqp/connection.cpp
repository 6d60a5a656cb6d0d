// SPDX-License-Identifier: Apache-2.0
#include "amqp/connection.hpp"

#include <algorithm>
#include <exception>
#include <future>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/outcome.hpp"
#include "amqp/transaction.hpp"
#include "auth/sasl.hpp"
#include "base/text.hpp"
#include "net/backoff.hpp"

namespace qconn::amqp {

namespace {

using TimePoint = Clock::time_point;

std::uint64_t amqp_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

template <class T>
void finish_all(std::list<std::shared_ptr<T>>& waits, const Error& why) {
    const auto all = std::exchange(waits, {});
    for (const auto& one : all) one->finish(why);
}

template <class T>
void remove_done(std::list<std::shared_ptr<T>>& waits) {
    waits.remove_if([](const auto& one) { return one->done(); });
}

std::string address_of(const Raw& terminus) {
    TerminusFields fields;
    const Descriptor kind = descriptor_of(terminus);
    if ((kind != Descriptor::source && kind != Descriptor::target) || parse(terminus, fields) != nullptr) return {};
    return std::string{fields.address};
}

}  // namespace

// ---- links, as far as they are alike ----

Link::Link(std::shared_ptr<Connection> owner, std::string name_, std::string session_)
    : name{name_.empty() ? random_name("qconn-link-") : std::move(name_)}, session{std::move(session_)}, owner_{std::move(owner)} {}

// ---- making and ending ----

std::shared_ptr<Connection> Connection::make(AmqpOptions options, const Runtime& runtime) {
    return std::make_shared<Connection>(Key{}, make_settings(std::move(options)), runtime);
}

Connection::Connection(Key, std::shared_ptr<const Settings> settings, const Runtime& runtime)
    : settings_{std::move(settings)},
      runtime_{runtime},
      loop_{runtime.impl().loop().shared_from_this()},
      handlers_{std::make_shared<const AmqpHandlers>()},
      random_{amqp_seed()} {}

Connection::~Connection() = default;

void Connection::set_holder(UniqueFunction<std::shared_ptr<void>()> holder) {
    const std::scoped_lock lock{mutex_};
    holder_ = std::move(holder);
}

void Connection::shut() noexcept {
    silenced_.store(true);
    {
        const std::scoped_lock lock{mutex_};
        holder_ = nullptr;
    }
    try {
        post([self = shared_from_this()] {
            self->over_ = true;
            self->open_.store(false);
            const Error why = self->stopped(true, "the operation");
            if (self->engine_ && self->stage_ == Stage::open) self->engine_->close();
            self->end_transport(true);
            self->stage_ = Stage::idle;
            const auto links = std::exchange(self->links_, {});
            for (const auto& [name, link] : links) {
                link->stage = Link::Stage::ended;
                link->why = self->not_connected("link \"" + link->name + '"');
                link->on_lost(why);
                link->on_ended(why);
                finish_all(link->opening, why);
                finish_all(link->closing, why);
            }
            self->fail_waits(why);
            for (auto& [name, session] : self->sessions_) finish_all(session.closing, why);
            self->sessions_.clear();
            self->token_call_.cancel();
            self->pause_timer_.reset();
            self->close_timer_.reset();
            self->connect_timer_.reset();
            self->timer_.reset();
        });
    } catch (const std::exception&) {}  // without memory it ends with its last user
    if (loop_->on_thread()) return;
    const std::scoped_lock running{calling_};
}

void Connection::refuse_on_loop() const {
    if (!runtime_.on_io_thread()) return;
    throw labelled(make_error(
        Errc::invalid_argument,
        "a blocking AMQP call was made on an I/O thread of its runtime, where it would hold up everything else; use the asynchronous form, "
        "or post_blocking"));
}

Error Connection::labelled(Error error) const {
    if (error.connection().empty() && !label().empty()) error.with_connection(label());
    return error;
}

Error Connection::stopped(bool cancelled, std::string_view what) const {
    return net::stopped(cancelled, what, trouble_ && !is_open() ? trouble_->message() : std::string_view{});
}

void Connection::callback_threw(const char* what) const { log(LogLevel::error, "callback-threw", what); }

void Connection::log(LogLevel level, std::string_view event, const std::string& text) const {
    const Log& to = loop_->log();
    if (!to.enabled(level)) return;
    LogRecord record;
    record.level = level;
    record.connection = label();
    record.event = event;
    record.text = text;
    to.write(record);
}

void Connection::set_handlers(AmqpHandlers handlers) {
    auto all = std::make_shared<const AmqpHandlers>(std::move(handlers));
    const bool trace = static_cast<bool>(all->on_frame);
    {
        const std::scoped_lock lock{mutex_};
        handlers_.swap(all);
    }
    post([self = shared_from_this(), trace] {
        if (self->engine_) self->engine_->trace(trace);
    });
}

std::optional<AmqpInfo> Connection::info() const {
    const std::scoped_lock lock{mutex_};
    return info_;
}

Error Connection::not_connected(std::string_view what) const {
    std::string message{what};
    message += " is of no use: ";
    message += over_ || silenced_.load() ? "its client has ended" : closed_by_user_ ? "the connection was closed here" : "there is no connection";
    if (trouble_ && !over_) message.append(" (").append(trouble_->message()).append(")");
    return amqp_error(AmqpErrc::not_connected, std::move(message));
}

// ---- commands ----

void Connection::post(UniqueFunction<void()> command) {
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        commands_.push_back(std::move(command));
        first = !std::exchange(scheduled_, true);
    }
    if (first) loop_->post([self = shared_from_this()] { self->run_commands(); });
}

void Connection::run_commands() {
    std::vector<UniqueFunction<void()>> commands;
    {
        const std::scoped_lock lock{mutex_};
        commands.swap(commands_);
        scheduled_ = false;
    }
    for (auto& one : commands) {
        try {
            one();
        } catch (const std::exception& e) { callback_threw(e.what()); }
        one = nullptr;
    }
    settled();
}

/// After anything that may have changed the engine.
void Connection::settled() {
    turn_ = false;
    if (over_) return;
    former_.clear();
    if (!closes_.empty()) try_close();
    poke();
}

void Connection::poke() {
    if (engine_ && !engine_->is_over()) engine_->flush();
    if (transport_ && engine_ && !engine_->output().empty()) transport_->poke();
    rearm();
}

void Connection::poke_later() {
    if (turn_) return;
    turn_ = true;
    loop_->post([self = shared_from_this()] { self->settled(); });
}

void Connection::rearm() {
    const TimePoint next = engine_ && !engine_->is_over() ? engine_->next_deadline() : TimePoint::max();
    if (next >= armed_) return;
    if (!timer_) timer_ = std::make_unique<net::Timer>(*loop_);
    armed_ = next;
    timer_->arm(Deadline{next}, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->armed_ = TimePoint::max();
        if (self->engine_ && !self->engine_->is_over()) {
            // Sockets are read before deadlines are judged.
            if (self->transport_ && Clock::now() >= self->engine_->next_deadline()) self->transport_->read_now();
            if (self->engine_ && !self->engine_->is_over()) self->engine_->tick(Clock::now());
        }
        self->settled();
    });
}

// ---- the connection ----

Operation Connection::connect(Deadline deadline, Callback<AmqpInfo> callback) {
    const auto wait = std::make_shared<Wait<AmqpInfo>>(shared_from_this(), "connecting", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (wait->done()) return;
        if (self->over_) return wait->give_up(true);
        self->closed_by_user_ = false;
        if (self->is_open()) return wait->finish(*self->info());
        remove_done(self->connects_);
        self->connects_.push_back(wait);
        wait->arm(deadline);
        // Who asks now does not wait for a pause to end.
        if (self->stage_ == Stage::pausing || self->stage_ == Stage::idle) {
            self->pause_timer_.reset();
            self->tried_ = 0;
            self->host_ = 0;
            self->dial();
        }
    });
    return Operation{wait};
}

void Connection::ensure_connection() {
    if (over_ || closed_by_user_ || stage_ != Stage::idle || !live_.connect_on_use) return;
    tried_ = 0;
    host_ = 0;
    attempt_ = 0;
    dial();
}

void Connection::dial() {
    stage_ = Stage::dialing;
    fresh_ = false;
    if (!options().tokens) return dial_now();
    token_ = options().tokens->current();
    token_ ? dial_now() : ask_token(nullptr);
}

void Connection::ask_token(TokenPtr refused) {
    const auto limit = live_.connect_timeout.load();
    const Deadline by = limit.count() > 0 ? Deadline{limit} : Deadline{};
    auto done = [weak = weak_from_this(), round = ++token_round_](Result<TokenPtr> result) {
        const auto self = weak.lock();
        if (!self) return;
        self->post([self, round, result = std::move(result)]() mutable {
            if (round != self->token_round_ || self->over_ || self->stage_ != Stage::dialing) return;
            if (!result) {
                Error why = result.error();
                why.with_prefix("there is no token for the log-in: ");
                return self->attempt_failed(std::move(why));
            }
            self->token_ = std::move(*result);
            if (!self->token_) return self->attempt_failed(*self->refusal_);
            self->dial_now();
        });
    };
    token_call_ =
        refused ? options().tokens->async_renew(std::move(refused), by, std::move(done)) : options().tokens->async_token(by, std::move(done));
}

void Connection::dial_now() {
    EngineOptions engine = settings_->engine;
    if (token_) {
        const std::string_view token = token_->access.reveal();
        if (options().sasl == AmqpSasl::plain)
            engine.mechanisms = {{"PLAIN", sasl::plain(options().authorization_id, options().username, token)}};
        else
            engine.mechanisms = {{"XOAUTH2", sasl::xoauth2(options().username, token)}};
    }
    engine.hostname = options().virtual_host.empty() ? settings_->endpoints[host_].host : options().virtual_host;
    if (engine_) former_.push_back(std::move(engine_));
    engine_ = std::make_unique<Engine>(std::move(engine), static_cast<Host&>(*this));
    {
        const std::scoped_lock lock{mutex_};
        engine_->trace(static_cast<bool>(handlers_->on_frame));
    }
    tls_.reset();
    if (const auto limit = live_.connect_timeout.load(); limit.count() > 0) {
        connect_timer_ = std::make_unique<net::Timer>(*loop_);
        connect_timer_->arm(Deadline{limit}, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_connect_timeout();
        });
    }
    auto& handler = static_cast<TransportHandler&>(*this);
#ifndef QCONN_WITHOUT_WEBSOCKET
    if (!settings_->sockets.empty()) {
        transport_ = Transport::open_websocket(*loop_, settings_->sockets[host_], handler);
        return;
    }
#endif
    transport_ = Transport::open(*loop_, settings_->endpoints[host_], label(), handler);
}

void Connection::on_connect_timeout() {
    if (stage_ != Stage::dialing || over_) return;
    const auto self = shared_from_this();
    const auto transport = transport_;
    transport->expire();
    if (stage_ != Stage::dialing || transport != transport_) return;
    transport->read_now();
    if (stage_ != Stage::dialing || transport != transport_) return;
    Error error = make_error(Errc::timeout, "the peer did not answer " + std::string{engine_->phase() == Phase::auth ? "the log-in" : "the open"} +
                                                " within " + std::to_string(live_.connect_timeout.load().count()) + " ms");
    error.with_phase(engine_->phase()).with_retryable(true);
    lost(std::move(error));
    settled();
}

void Connection::on_up(const std::string&, const std::optional<TlsInfo>& tls) {
    tls_ = tls;
    engine_->start(Clock::now());
}

void Connection::on_open(const Open& remote) {
    AmqpInfo info;
    info.host = settings_->endpoints[host_].host;
    info.port = settings_->endpoints[host_].port;
    info.container_id = remote.container_id;
    if (remote.has(Open::i_properties)) info.properties = map_of(remote.properties);
    info.max_frame_size = remote.max_frame_size;
    info.channel_max = remote.channel_max;
    info.idle_timeout = std::chrono::milliseconds{remote.idle_time_out};
    info.tls = tls_;
    info.connection = static_cast<int>(generation_) + 1;
    {
        const std::scoped_lock lock{mutex_};
        info_ = std::move(info);
    }
    fresh_ = true;
}

/// What came with the open has been looked at: a peer that refuses a connection opens and closes it at once (2.4.3).
void Connection::opened() {
    token_renewed_ = false;
    fresh_ = false;
    const AmqpInfo info = *this->info();
    std::shared_ptr<const AmqpHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    stage_ = Stage::open;
    ++generation_;
    // RabbitMQ's 1.0 plug-in ends the session where a queue without messages is drained (3.10: function_clause in rabbit_classic_queue).
    const AmqpValue properties{info.properties};
    const auto text_of = [&](std::string_view key) {
        const AmqpValue* const value = properties.find(key);
        return value == nullptr ? std::string_view{} : value->text().value_or(std::string_view{});
    };
    // And its queues count on before what they have sent was counted: it sends more than it has credit for.
    drains_ = text_of("product") != "RabbitMQ" || text_of("version").substr(0, 2) != "3.";
    engine_->allow_excess(!drains_);
    connect_timer_.reset();
    open_.store(true, std::memory_order_release);
    opened_at_ = Clock::now();
    tried_ = 0;
    trouble_.reset();
    log(LogLevel::info, "amqp-open", "connected to " + shown() + " (" + text::printable(text::shorten(info.container_id, 60)) + ')');
    if (handlers->on_connect) tell_user([&] { handlers->on_connect(info); });
    const auto waits = std::exchange(connects_, {});
    for (const auto& one : waits) one->finish(info);
    if (engine_ && engine_->is_open()) resume_links();
}

/// Sessions and links as they were wanted.
void Connection::resume_links() {
    for (auto& [name, session] : sessions_) session.stage = SessionEntry::Stage::wanted;
    std::vector<std::string> wanted;
    for (const auto& [name, link] : links_)
        if (link->stage == Link::Stage::wanted) wanted.push_back(link->session);
    for (const std::string& name : wanted) want_session(name);
}

void Connection::want_session(const std::string& name) {
    SessionEntry& session = sessions_[name];
    if (!is_open() || session.stage != SessionEntry::Stage::wanted) return;
    const SessionOptions how{options().incoming_window, options().outgoing_window, options().max_links_per_session - 1};
    const Result<std::uint32_t> number = engine_->begin(how);
    if (!number) {
        const auto links = links_;
        for (const auto& [key, link] : links)
            if (link->session == name && link->stage == Link::Stage::wanted) end_link(*link, number.error());
        sessions_.erase(name);
        return;
    }
    session.stage = SessionEntry::Stage::beginning;
    session.number = *number;
}

void Connection::on_begun(std::uint32_t number) {
    for (auto& [name, session] : sessions_) {
        if (session.stage != SessionEntry::Stage::beginning || session.number != number) continue;
        session.stage = SessionEntry::Stage::open;
        const std::string key = name;
        const auto links = links_;
        for (const auto& [link_name, link] : links)
            if (link->session == key && link->stage == Link::Stage::wanted) attach(*link);
        if (!pings_.empty()) engine_->echo(number);
        return;
    }
}

void Connection::on_ended(std::uint32_t number, const AmqpCondition& why) {
    for (auto& [name, session] : sessions_) {
        if (session.number != number || session.stage == SessionEntry::Stage::wanted) continue;
        const std::string key = name;
        const bool asked = session.stage == SessionEntry::Stage::ending;
        const auto closing = std::exchange(session.closing, {});
        sessions_.erase(key);
        Error error = amqp_error(AmqpErrc::session, asked ? "session \"" + key + "\" was closed here" : "the peer ended session \"" + key + '"', why);
        const auto links = links_;
        for (const auto& [link_name, link] : links)
            if (link->session == key && link->stage != Link::Stage::ended) end_link(*link, error);
        for (const auto& one : closing) one->finish({});
        return;
    }
}

void Connection::attach(Link& link) {
    const auto session = sessions_.find(link.session);
    if (session == sessions_.end() || session->second.stage != SessionEntry::Stage::open) return;
    const Result<std::uint32_t> number = engine_->attach(session->second.number, link.engine_options());
    if (!number) return end_link(link, number.error());
    link.stage = Link::Stage::attaching;
    link.number = *number;
    link.refused = false;
    if (by_number_.size() <= *number) by_number_.resize(std::size_t{*number} + 1);
    by_number_[*number] = &link;
}

void Connection::on_attached(std::uint32_t number, const Attach& remote) {
    Link* const link = link_of(number);
    if (link == nullptr) return;
    const bool given = link->is_receiver() ? remote.has(Attach::i_source) : remote.has(Attach::i_target);
    if (!given) {
        link->refused = true;
        return;
    }
    const auto keep = link->shared_from_this();
    link->stage = Link::Stage::attached;
    link->address = address_of(link->is_receiver() ? remote.source : remote.target);
    link->agreed_settle_mode = remote.snd_settle_mode;
    link->on_attached();
    // Some peers refuse by an attach that looks good, and a detach right behind it.
    if (!link->opening.empty()) fresh_links_.push_back(keep);
}

void Connection::on_detached(std::uint32_t number, bool, const AmqpCondition& why) {
    Link* const link = link_of(number);
    if (link == nullptr) return;
    by_number_[number] = nullptr;
    link->number = k_uint_max;
    const bool asked = link->stage == Link::Stage::detaching;
    std::string what = "link \"" + text::printable(text::shorten(link->name, 80)) + '"';
    if (!link->address.empty()) what += " (" + text::printable(text::shorten(link->address, 80)) + ')';
    const bool redirect = why.name == amqp_condition::k_link_redirect;
    end_link(*link, amqp_error(redirect ? AmqpErrc::redirect : AmqpErrc::link,
                               asked           ? what + " was closed here"
                               : link->refused ? "the peer refused " + what
                                               : "the peer detached " + what,
                               why));
}

/// For good.
void Connection::end_link(Link& link, const Error& why) {
    if (link.stage == Link::Stage::ended) return;
    const auto keep = link.shared_from_this();
    const bool asked = link.stage == Link::Stage::detaching;
    const bool waited_for = !link.opening.empty();
    if (link.number < by_number_.size() && by_number_[link.number] == &link) by_number_[link.number] = nullptr;
    link.number = k_uint_max;
    link.stage = Link::Stage::ended;
    link.why = why;
    const auto found = links_.find(link.name);
    if (found != links_.end() && found->second == keep) links_.erase(found);
    link.on_lost(why);
    link.on_ended(why);
    finish_all(link.opening, why);
    const auto closing = std::exchange(link.closing, {});
    for (const auto& one : closing) one->finish({});
    if (asked || waited_for || over_ || closed_by_user_) return;
    log(LogLevel::warning, "amqp-link-ended", std::string{why.message()});
    std::shared_ptr<const AmqpHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    if (handlers->on_link_error) tell_user([&] { handlers->on_link_error(link.name, labelled(why)); });
}

void Connection::on_sendable(std::uint32_t number) {
    Link* const link = link_of(number);
    if (link != nullptr && !link->is_receiver()) static_cast<SenderLink*>(link)->on_sendable();
}

void Connection::on_drained(std::uint32_t number) {
    Link* const link = link_of(number);
    if (link != nullptr && link->is_receiver()) static_cast<ReceiverLink*>(link)->on_drained();
}

Answer Connection::on_delivery(std::uint32_t number, const Incoming& message) {
    Link* const link = link_of(number);
    if (link == nullptr || !link->is_receiver()) return Answer::later;
    return static_cast<ReceiverLink*>(link)->on_delivery(message);
}

void Connection::on_outcome(std::uint32_t number, std::uint64_t message, const Outcome& outcome) {
    Link* const link = link_of(number);
    if (link != nullptr && !link->is_receiver()) static_cast<SenderLink*>(link)->on_outcome(message, outcome);
}

bool Connection::answer(const std::string& session, std::uint64_t generation, std::uint32_t delivery_id, const AmqpOutcome& outcome) {
    if (generation != generation_ || !is_open()) return false;
    const auto found = sessions_.find(session);
    if (found == sessions_.end() || found->second.stage != SessionEntry::Stage::open) return false;
    std::string state;
    const auto& transaction = outcome.transaction();
    const bool late = transaction && (!transaction->takes_more() || transaction->owner().get() != this || transaction->session != session);
    (late ? AmqpOutcome::released() : outcome).encode(state);
    const bool done = engine_->answer(found->second.number, delivery_id, state);
    poke();
    return done;
}

// ---- bytes ----

/// Handlers are called meanwhile; whoever destroys the client waits for the end of that.
class Connection::Calls {
public:
    explicit Calls(Connection& owner) : owner_{owner}, running_{owner.calling_, std::defer_lock} {
        if (owner_.calls_) return;
        running_.lock();
        owner_.calls_ = true;
    }
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls() {
        if (running_.owns_lock()) owner_.calls_ = false;
    }

private:
    Connection& owner_;
    std::unique_lock<std::mutex> running_;
};

std::size_t Connection::on_bytes(std::string_view bytes) {
    const auto keep = shared_from_this();
    const Calls calls{*this};
    turn_ = true;
    return engine_->received(bytes, Clock::now());
}

void Connection::on_turn() {
    const auto keep = shared_from_this();
    if (fresh_ && engine_ && engine_->is_open()) opened();
    const auto fresh = std::exchange(fresh_links_, {});
    for (const auto& link : fresh) {
        if (link->stage != Link::Stage::attached) continue;
        const auto waits = std::exchange(link->opening, {});
        for (const auto& one : waits) one->finish(link);
    }
    if (engine_ && !pings_.empty() && is_open()) {
        const auto waits = std::exchange(pings_, {});
        for (const auto& one : waits) one->finish({});
    }
    settled();
}

void Connection::on_written(std::size_t size) {
    const auto keep = shared_from_this();
    const Calls calls{*this};
    engine_->written(size, Clock::now());
    rearm();
}

void Connection::on_eof() {
    const auto keep = shared_from_this();
    engine_->received_end();
    settled();
}

void Connection::on_down(Error error) {
    const auto keep = shared_from_this();
    if (engine_->is_over()) return;
    if (stage_ == Stage::closing) return on_end(nullptr);
    if (stage_ == Stage::open && error.phase() == Phase::none) error.with_phase(Phase::protocol);
    lost(std::move(error));
    settled();
}

void Connection::on_end(const Error* why) {
    if (over_) return;
    if (why == nullptr) {
        // As asked for.
        open_.store(false);
        end_transport(true);
        stage_ = Stage::idle;
        trouble_.reset();
        const Error error = not_connected("the operation");
        const auto links = links_;
        for (const auto& [name, link] : links) end_link(*link, error);
        sessions_.clear();
        std::shared_ptr<const AmqpHandlers> handlers;
        {
            const std::scoped_lock lock{mutex_};
            handlers = handlers_;
        }
        if (handlers->on_disconnect) tell_user([&] { handlers->on_disconnect(nullptr, false); });
        end_closes();
        return;
    }
    lost(*why);
}

void Connection::end_transport(bool finish) {
    connect_timer_.reset();
    armed_ = TimePoint::max();
    if (timer_) timer_->cancel();
    const auto transport = std::exchange(transport_, nullptr);
    if (transport) finish ? transport->finish(runtime_) : transport->drop();
    if (engine_) former_.push_back(std::move(engine_));
    // Engine and transport may be on the stack.
    loop_->post([weak = weak_from_this(), transport] {
        if (const auto self = weak.lock()) self->former_.clear();
    });
}

/// The connection broke, or could not be made.
void Connection::lost(Error why) {
    const bool stood = open_.exchange(false);
    const bool closing = stage_ == Stage::closing;
    if (why.phase() == Phase::none && transport_) why.with_phase(transport_->phase());
    why.with_prefix((stood ? "the AMQP connection to " : "connecting to ") + shown() + (stood ? " ended: " : " failed: "));
    trouble_ = why;
    end_transport(true);
    if (stood) {
        for (auto& [name, session] : sessions_) {
            session.stage = SessionEntry::Stage::wanted;
            const auto ended = std::exchange(session.closing, {});
            for (const auto& one : ended) one->finish({});
        }
        by_number_.clear();
        const auto links = links_;
        for (const auto& [name, link] : links) {
            link->number = k_uint_max;
            if (link->stage == Link::Stage::detaching) {
                end_link(*link, why);
                continue;
            }
            link->stage = Link::Stage::wanted;
            link->on_lost(why);
        }
        finish_all(pings_, why);
    }
    if (closing || closed_by_user_) {
        stage_ = Stage::idle;
        const auto links = links_;
        for (const auto& [name, link] : links) end_link(*link, why);
        finish_all(connects_, why);
        return end_closes();
    }
    const bool again = live_.reconnect.load() && (stood || !connects_.empty() || !links_.empty());
    if (stood) {
        log(LogLevel::warning, "amqp-lost", std::string{why.message()});
        std::shared_ptr<const AmqpHandlers> handlers;
        {
            const std::scoped_lock lock{mutex_};
            handlers = handlers_;
        }
        const bool tries = live_.reconnect.load();
        if (handlers->on_disconnect) {
            const Error shown_why = labelled(why);
            tell_user([&] { handlers->on_disconnect(&shown_why, tries); });
        }
        if (over_) return;
        host_ = tried_ = 0;
        // A peer that lets in and throws out each time is waited for longer and longer.
        attempt_ = Clock::now() - opened_at_ < live_.reconnect_max_delay.load() ? attempt_ + 1 : 0;
        if (!again) {
            stage_ = Stage::idle;
            return fail_waits(why);
        }
        stage_ = Stage::pausing;
        return attempt_failed(std::move(why));
    }
    attempt_failed(std::move(why));
}

/// The next host, or the next round after a wait.
void Connection::attempt_failed(Error why) {
    if (token_ && why.phase() == Phase::auth && !why.retryable() && !std::exchange(token_renewed_, true)) {
        refusal_ = std::move(why);
        return ask_token(token_);
    }
    const bool dialed = stage_ == Stage::dialing;
    if (dialed && ++tried_ < settings_->endpoints.size() && why.reason() != Reason::cancelled) {
        host_ = tried_;
        return dial();
    }
    if (dialed) {
        ++attempt_;
        // Those who asked are told; what is wanted goes on being wanted.
        finish_all(connects_, why);
        const bool hopeless = !why.retryable() && (why.phase() == Phase::auth || why.phase() == Phase::secret);
        const int most = live_.reconnect_attempts;
        const bool wanted = std::any_of(links_.begin(), links_.end(), [](const auto& one) { return one.second->opening.empty(); });
        if (!live_.reconnect || hopeless || (most > 0 && attempt_ >= most) || (generation_ == 0 && !wanted)) {
            stage_ = Stage::idle;
            return fail_waits(why);
        }
        // A link that never was open does not wait longer than this.
        const auto links = links_;
        for (const auto& [name, link] : links)
            if (!link->opening.empty()) end_link(*link, why);
    }
    host_ = tried_ = 0;
    stage_ = Stage::pausing;
    const auto wait = net::backoff(live_.reconnect_delay.load(), live_.reconnect_max_delay.load(), std::max(attempt_, 1),
                                   std::uniform_real_distribution<double>{}(random_));
    pause_timer_ = std::make_unique<net::Timer>(*loop_);
    pause_timer_->arm(Deadline{wait}, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->over_ || self->stage_ != Stage::pausing) return;
        self->dial();
    });
}

void Connection::fail_waits(const Error& why) {
    finish_all(connects_, why);
    finish_all(pings_, why);
    const auto links = links_;
    for (const auto& [name, link] : links) end_link(*link, why);
    end_closes();
}

// ---- closing ----

Operation Connection::close(Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "closing", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (wait->done()) return;
        if (self->over_) return wait->finish({});
        self->closed_by_user_ = true;
        self->closes_.push_back(wait);
        // A deadline that has passed is no error: the connection is cut then.
        wait->on_give_up = [weak = self->weak_from_this()](const Error&) {
            const auto owner = weak.lock();
            if (!owner) return;
            if (owner->stage_ == Stage::idle) return;
            if (owner->engine_ && owner->stage_ == Stage::open) owner->engine_->close();
            if (owner->stage_ != Stage::idle) owner->on_end(nullptr);
        };
        wait->arm(deadline);
    });
    return Operation{wait};
}

/// Once nothing is under way any more.
void Connection::try_close() {
    switch (stage_) {
        case Stage::idle: {
            const auto links = links_;
            const Error why = not_connected("the operation");
            for (const auto& [name, link] : links) end_link(*link, why);
            return end_closes();
        }
        case Stage::dialing:
        case Stage::pausing: {
            pause_timer_.reset();
            ++token_round_;
            token_call_.cancel();
            end_transport(false);
            stage_ = Stage::idle;
            return fail_waits(net::stopped(true, "connecting"));
        }
        case Stage::closing: return;
        case Stage::open: break;
    }
    for (const auto& [name, link] : links_)
        if (!link->is_receiver() && !static_cast<const SenderLink&>(*link).is_idle()) return;
    stage_ = Stage::closing;
    engine_->close();
}

void Connection::end_closes() {
    const auto all = std::exchange(closes_, {});
    for (const auto& one : all) one->finish({});
}

// ---- links ----

Operation Connection::open_link(std::shared_ptr<Link> link, Deadline deadline, Callback<std::shared_ptr<Link>> callback) {
    const auto wait =
        std::make_shared<Wait<std::shared_ptr<Link>>>(shared_from_this(), "opening link \"" + text::printable(link->name) + '"', std::move(callback));
    post([self = shared_from_this(), wait, deadline, link = std::move(link)] {
        if (wait->done()) return;
        if (self->over_) return wait->give_up(true);
        if (!self->links_.emplace(link->name, link).second)
            return wait->finish(amqp_error(AmqpErrc::link, "link \"" + text::printable(link->name) + "\" was not opened: there is one of that name")
                                    .with_reason(Reason::exists)
                                    .with_phase(Phase::none));
        link->opening.push_back(wait);
        wait->on_give_up = [weak = self->weak_from_this(), link](const Error& why) {
            const auto owner = weak.lock();
            if (!owner || link->stage == Link::Stage::ended) return;
            if (owner->is_open() && link->number != k_uint_max) owner->engine_->detach(link->number, true);
            owner->end_link(*link, why);
        };
        wait->arm(deadline);
        self->sessions_[link->session];
        if (!self->is_open()) {
            self->ensure_connection();
            if (self->stage_ == Stage::idle && link->stage != Link::Stage::ended)
                self->end_link(*link, self->not_connected("link \"" + link->name + '"'));
            return;
        }
        self->want_session(link->session);
        self->attach(*link);
    });
    return Operation{wait};
}

Operation Connection::close_link(std::shared_ptr<Link> link, Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "closing link \"" + text::printable(link->name) + '"', std::move(callback));
    post([self = shared_from_this(), wait, deadline, link = std::move(link)] {
        if (wait->done()) return;
        if (self->over_ || link->stage == Link::Stage::ended) return wait->finish({});
        link->closing.push_back(wait);
        wait->arm(deadline);
        if (link->stage == Link::Stage::attached || link->stage == Link::Stage::attaching) {
            link->stage = Link::Stage::detaching;
            self->engine_->detach(link->number, true);
            return;
        }
        if (link->stage == Link::Stage::detaching) return;
        link->stage = Link::Stage::detaching;
        self->end_link(*link, amqp_error(AmqpErrc::link, "link \"" + text::printable(link->name) + "\" was closed here"));
    });
    return Operation{wait};
}

Operation Connection::close_session(std::string name, Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "closing session \"" + text::printable(name) + '"', std::move(callback));
    post([self = shared_from_this(), wait, deadline, name = std::move(name)] {
        if (wait->done()) return;
        if (self->over_) return wait->finish({});
        const auto found = self->sessions_.find(name);
        if (found == self->sessions_.end())
            return wait->finish(amqp_error(AmqpErrc::session, "there is no session \"" + text::printable(name) + '"').with_reason(Reason::not_found));
        SessionEntry& session = found->second;
        if (session.stage == SessionEntry::Stage::wanted) {
            self->sessions_.erase(found);
            const Error why = amqp_error(AmqpErrc::session, "session \"" + text::printable(name) + "\" was closed here");
            const auto links = self->links_;
            for (const auto& [key, link] : links)
                if (link->session == name) self->end_link(*link, why);
            return wait->finish({});
        }
        session.closing.push_back(wait);
        wait->arm(deadline);
        session.stage = SessionEntry::Stage::ending;
        for (const auto& [key, link] : self->links_)
            if (link->session == name) link->stage = Link::Stage::detaching;
        self->engine_->end(session.number);
    });
    return Operation{wait};
}

Operation Connection::ping(Deadline deadline, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_from_this(), "the ping", std::move(callback));
    post([self = shared_from_this(), wait, deadline] {
        if (wait->done()) return;
        if (self->over_) return wait->give_up(true);
        if (!self->is_open()) return wait->finish(self->not_connected("the ping"));
        remove_done(self->pings_);
        self->pings_.push_back(wait);
        wait->arm(deadline);
        for (const auto& [name, session] : self->sessions_)
            if (session.stage == SessionEntry::Stage::open) return self->engine_->echo(session.number);
        self->want_session({});
    });
    return Operation{wait};
}

// ---- looking ----

namespace {

/// @returns what `look` gives, by way of the loop
template <class T, class Look>
T look_on(Connection& connection, Look look) {
    if (connection.loop().on_thread()) return look();
    const auto result = std::make_shared<std::promise<T>>();
    auto future = result->get_future();
    connection.post([result, look = std::move(look)] { result->set_value(look()); });
    return future.get();
}

}  // namespace

AmqpLinkInfo Connection::link_info(const Link& link) {
    const auto keep = link.shared_from_this();
    return look_on<AmqpLinkInfo>(*this, [this, keep] {
        AmqpLinkInfo info;
        info.name = keep->name;
        info.session = keep->session;
        info.is_receiver = keep->is_receiver();
        info.is_open = keep->stage == Link::Stage::attached;
        info.address = keep->address;
        info.settle_mode = static_cast<AmqpSettleMode>(std::min<std::uint8_t>(keep->agreed_settle_mode, 2));
        if (is_open() && keep->number != k_uint_max) {
            const LinkState state = engine_->link_state(keep->number);
            info.credit = state.credit;
            info.delivery_count = state.delivery_count;
            info.available = state.available;
            info.unsettled = state.unsettled;
            info.channel = state.channel;
            info.handle = state.handle;
            info.max_message_size = engine_->max_message_size(keep->number);
        }
        keep->fill(info);
        return info;
    });
}

std::vector<AmqpLinkInfo> Connection::links() {
    return look_on<std::vector<AmqpLinkInfo>>(*this, [this] {
        std::vector<AmqpLinkInfo> out;
        for (const auto& [name, link] : links_) out.push_back(link_info(*link));
        return out;
    });
}

std::vector<AmqpSessionInfo> Connection::sessions() {
    return look_on<std::vector<AmqpSessionInfo>>(*this, [this] {
        std::vector<AmqpSessionInfo> out;
        for (const auto& [name, session] : sessions_)
            out.push_back({name, session.stage == SessionEntry::Stage::open, static_cast<std::uint16_t>(session.number), options().incoming_window,
                           options().outgoing_window});
        return out;
    });
}

void Connection::on_frame(bool out, std::uint16_t channel, Descriptor what, std::string_view body, std::size_t payload) {
    std::shared_ptr<const AmqpHandlers> handlers;
    {
        const std::scoped_lock lock{mutex_};
        handlers = handlers_;
    }
    if (!handlers->on_frame) return;
    std::string json;
    if (!body.empty()) {
        try {
            json = AmqpValue::decode(body).to_json();
        } catch (const Error& error) { json = std::string{error.message()}; }
    }
    const std::string_view name = body.empty() && what == Descriptor::none ? "empty" : to_string(what);
    tell_user([&] { handlers->on_frame(out, channel, name, json, payload); });
}

}  // namespace qconn::amqp
