// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_client.hpp>

#include <type_traits>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/connection.hpp"
#include "amqp/links.hpp"
#include "amqp/pumped.hpp"
#include "amqp/requester.hpp"
#include "amqp/transaction.hpp"
#include "base/outcome_box.hpp"
#include "base/text.hpp"

namespace qconn {

namespace {

using amqp::Connection;

/// Where the caller gives no deadline, the option's time.
Deadline by(const Connection& connection, Deadline deadline) {
    const auto timeout = connection.live().timeout.load();
    return deadline.is_never() && timeout.count() > 0 ? Deadline{timeout} : deadline;
}

/// Handlers as they are to be called.
template <class Handlers>
Handlers pumped(const std::shared_ptr<amqp::Pump>& pump, Handlers handlers) {
    return pump ? pump->pumped(std::move(handlers)) : handlers;
}

/// Starts an operation of this family and waits for its callback.
template <class T, class Start>
T amqp_wait(const Connection& connection, Start start) {
    connection.refuse_on_loop();
    return await_outcome<T>(std::move(start));
}

[[noreturn]] void empty_handle() {
    throw amqp::amqp_error(AmqpErrc::link, "an empty handle was used: open_sender(), open_receiver() and begin_transaction() give one that is not")
        .with_reason(Reason::bad_value)
        .with_phase(Phase::none);
}

template <class T>
T& there(const std::shared_ptr<T>& link) {
    if (!link) empty_handle();
    return *link;
}

Error too_much_waits(const amqp::SenderLink& link) {
    return link.owner().labelled(amqp::amqp_error(
        AmqpErrc::busy, "a message was not sent by link \"" + text::printable(link.name) + "\": " + std::to_string(link.waiting_bytes()) +
                            " bytes wait for the peer already; wait for room (async_flush), or raise max_unsettled_bytes"));
}

/// Waits for room first.
AmqpOutcome send_and_wait(const std::shared_ptr<amqp::SenderLink>& link, const AmqpMessage& message, std::optional<bool> settled, Deadline deadline,
                          const std::shared_ptr<amqp::Transaction>& transaction = nullptr) {
    Connection& connection = link->owner();
    const Deadline until = by(connection, deadline);
    for (;;) {
        if (!link->has_room()) {
            const std::size_t most = connection.live().max_unsettled_bytes - 1;
            amqp_wait<void>(connection, [&](Callback<void> callback) { link->flush(until, most, std::move(callback)); });
        }
        bool sent = false;
        auto outcome = amqp_wait<std::optional<AmqpOutcome>>(connection, [&](Callback<std::optional<AmqpOutcome>> callback) {
            auto shared = std::make_shared<Callback<std::optional<AmqpOutcome>>>(std::move(callback));
            auto operation = std::make_shared<amqp::SendOperation>(link, until);
            auto done = connection.wrapped<AmqpOutcome>([shared](Result<AmqpOutcome> result) {
                if (result)
                    (*shared)(std::optional<AmqpOutcome>{std::move(*result)});
                else
                    (*shared)(result.error());
            });
            sent = link->put(message, settled, 0, std::move(done), operation, transaction);
            if (!sent) (*shared)(std::optional<AmqpOutcome>{});
        });
        if (outcome) return *outcome;
        if (until.has_passed()) throw too_much_waits(*link);  // another thread was faster
    }
}

void check_outcome(const amqp::SenderLink& link, const AmqpOutcome& outcome) {
    if (outcome.is_accepted() || outcome.state() == AmqpOutcome::State::settled) return;
    Error error = amqp::amqp_error(AmqpErrc::delivery, "the peer did not accept a message that was sent by link \"" + text::printable(link.name) +
                                                           "\", it was " + outcome.shown());
    if (outcome.state() != AmqpOutcome::State::rejected) error.with_retryable(true);
    if (!outcome.condition().name.empty()) error.with_detail(std::make_shared<AmqpErrorDetail>(outcome.condition()));
    throw link.owner().labelled(std::move(error));
}

Operation start_send(const std::shared_ptr<amqp::SenderLink>& link, const AmqpMessage& message, std::optional<bool> settled, Deadline deadline,
                     Callback<AmqpOutcome> callback, const std::shared_ptr<amqp::Transaction>& transaction = nullptr) {
    Connection& connection = there(link).owner();
    auto operation = std::make_shared<amqp::SendOperation>(link, deadline);
    auto shared = std::make_shared<Callback<AmqpOutcome>>(connection.wrapped<AmqpOutcome>(std::move(callback)));
    const auto done = [shared](Result<AmqpOutcome> result) { (*shared)(std::move(result)); };
    const auto refuse = [&](Error error) {
        connection.post([operation, done, error = connection.labelled(std::move(error))] {
            operation->ended();
            done(error);
        });
    };
    try {
        if (!link->put(message, settled, 0, done, operation, transaction)) refuse(too_much_waits(*link));
    } catch (const Error& error) { refuse(error); }
    return Operation{operation};
}

}  // namespace

// ---- senders ----

AmqpSender::AmqpSender(std::shared_ptr<amqp::SenderLink> link) : link_{std::move(link)} {}

void AmqpSender::send(const AmqpMessage& message, Deadline deadline) {
    there(link_);
    check_outcome(*link_, send_and_wait(link_, message, {}, deadline));
}
void AmqpSender::send(const AmqpMessage& message, bool settled, Deadline deadline) {
    there(link_);
    check_outcome(*link_, send_and_wait(link_, message, settled, deadline));
}
Operation AmqpSender::async_send(const AmqpMessage& message, Deadline deadline, Callback<AmqpOutcome> callback) {
    return start_send(link_, message, {}, deadline, std::move(callback));
}
Operation AmqpSender::async_send(const AmqpMessage& message, bool settled, Deadline deadline, Callback<AmqpOutcome> callback) {
    return start_send(link_, message, settled, deadline, std::move(callback));
}
void AmqpSender::send(const AmqpMessage& message, const AmqpTransaction& transaction, Deadline deadline) {
    there(link_);
    check_outcome(*link_, send_and_wait(link_, message, false, deadline, there(transaction.transaction_).shared_from_this()));
}
Operation AmqpSender::async_send(const AmqpMessage& message, const AmqpTransaction& transaction, Deadline deadline, Callback<AmqpOutcome> callback) {
    return start_send(link_, message, false, deadline, std::move(callback), there(transaction.transaction_).shared_from_this());
}
bool AmqpSender::try_send(const AmqpMessage& message, std::uint64_t number) { return there(link_).put(message, {}, number, {}); }
bool AmqpSender::try_send(const AmqpMessage& message, bool settled, std::uint64_t number) { return there(link_).put(message, settled, number, {}); }
bool AmqpSender::try_send(const AmqpMessage& message, bool settled, Callback<AmqpOutcome> callback) {
    return there(link_).put(message, settled, 0, std::move(callback));
}
void AmqpSender::flush(Deadline deadline, std::size_t at_most) {
    Connection& connection = there(link_).owner();
    amqp_wait<void>(connection, [&](Callback<void> callback) { link_->flush(by(connection, deadline), at_most, std::move(callback)); });
}
Operation AmqpSender::async_flush(Deadline deadline, std::size_t at_most, Callback<void> callback) {
    return there(link_).flush(deadline, at_most, link_->owner().wrapped<void>(std::move(callback)));
}
std::size_t AmqpSender::waiting() const noexcept { return link_ ? link_->waiting_bytes() : 0; }
const std::string& AmqpSender::name() const noexcept {
    static const std::string none;
    return link_ ? link_->name : none;
}
AmqpLinkInfo AmqpSender::info() const { return there(link_).owner().link_info(*link_); }
void AmqpSender::close(Deadline deadline) {
    Connection& connection = there(link_).owner();
    amqp_wait<void>(connection, [&](Callback<void> callback) { connection.close_link(link_, by(connection, deadline), std::move(callback)); });
}
Operation AmqpSender::async_close(Deadline deadline, Callback<void> callback) {
    Connection& connection = there(link_).owner();
    return connection.close_link(link_, deadline, connection.wrapped<void>(std::move(callback)));
}

// ---- receivers ----

AmqpReceiver::AmqpReceiver(std::shared_ptr<amqp::ReceiverLink> link) : link_{std::move(link)} {}

AmqpReceived AmqpReceiver::receive(Deadline deadline) {
    Connection& connection = there(link_).owner();
    return amqp_wait<AmqpReceived>(connection, [&](Callback<AmqpReceived> callback) {
        link_->receive(by(connection, deadline), connection.wrapped<AmqpReceived>(std::move(callback)));
    });
}
Operation AmqpReceiver::async_receive(Deadline deadline, Callback<AmqpReceived> callback) {
    return there(link_).receive(deadline, link_->owner().wrapped<AmqpReceived>(std::move(callback)));
}
AmqpReceived AmqpReceiver::fetch(Deadline deadline) {
    Connection& connection = there(link_).owner();
    return amqp_wait<AmqpReceived>(
        connection, [&](Callback<AmqpReceived> callback) { link_->fetch(deadline, connection.wrapped<AmqpReceived>(std::move(callback))); });
}
Operation AmqpReceiver::async_fetch(Deadline deadline, Callback<AmqpReceived> callback) {
    return there(link_).fetch(deadline, link_->owner().wrapped<AmqpReceived>(std::move(callback)));
}
const std::string& AmqpReceiver::name() const noexcept {
    static const std::string none;
    return link_ ? link_->name : none;
}
AmqpLinkInfo AmqpReceiver::info() const { return there(link_).owner().link_info(*link_); }
void AmqpReceiver::close(Deadline deadline) {
    Connection& connection = there(link_).owner();
    amqp_wait<void>(connection, [&](Callback<void> callback) { connection.close_link(link_, by(connection, deadline), std::move(callback)); });
}
Operation AmqpReceiver::async_close(Deadline deadline, Callback<void> callback) {
    Connection& connection = there(link_).owner();
    return connection.close_link(link_, deadline, connection.wrapped<void>(std::move(callback)));
}

// ---- transactions ----

AmqpTransaction::AmqpTransaction(std::shared_ptr<amqp::Transaction> transaction) noexcept : transaction_{std::move(transaction)} {}

namespace {

void end_and_wait(const std::shared_ptr<amqp::Transaction>& transaction, bool commit, Deadline deadline) {
    Connection& connection = *there(transaction).owner();
    amqp_wait<void>(connection, [&](Callback<void> callback) {
        transaction->transactor().end(transaction, commit, by(connection, deadline), std::move(callback));
    });
}

}  // namespace

void AmqpTransaction::commit(Deadline deadline) { end_and_wait(transaction_, true, deadline); }
void AmqpTransaction::rollback(Deadline deadline) { end_and_wait(transaction_, false, deadline); }
Operation AmqpTransaction::async_commit(Deadline deadline, Callback<void> callback) {
    amqp::Transaction& one = there(transaction_);
    return one.transactor().end(transaction_, true, deadline, one.owner()->wrapped<void>(std::move(callback)));
}
Operation AmqpTransaction::async_rollback(Deadline deadline, Callback<void> callback) {
    amqp::Transaction& one = there(transaction_);
    return one.transactor().end(transaction_, false, deadline, one.owner()->wrapped<void>(std::move(callback)));
}
bool AmqpTransaction::is_active() const noexcept { return transaction_ && transaction_->is_active(); }
const std::string& AmqpTransaction::session() const noexcept {
    static const std::string none;
    return transaction_ ? transaction_->session : none;
}
const std::string& AmqpTransaction::id() const noexcept {
    static const std::string none;
    return transaction_ ? transaction_->id : none;
}

// ---- the client ----

AmqpClient::AmqpClient(AmqpOptions options, Runtime runtime)
    : connection_{Connection::make(std::move(options), runtime)},
      requester_{std::make_shared<amqp::Requester>(connection_)},
      transactor_{std::make_shared<amqp::Transactor>()} {
    if (const auto& events = connection_->options().events) pump_ = std::make_shared<amqp::Pump>(*events, connection_);
    connection_->set_holder([this] { return std::make_shared<Hold>(hold()); });
}

AmqpClient::~AmqpClient() {
    connection_->shut();
    // A handler that is running may wait for a call, which has ended now; on the I/O thread it could not even be told so.
    if (pump_) pump_->close(!connection_->loop().on_thread());
}

std::string_view AmqpClient::label() const noexcept { return connection_->label(); }
const AmqpOptions& AmqpClient::options() const noexcept { return connection_->options(); }
void AmqpClient::set_handlers(AmqpHandlers handlers) { connection_->set_handlers(pumped(pump_, std::move(handlers))); }

void AmqpClient::set(std::string_view name, const Value& value) { connection_->live().set(name, value); }
Value AmqpClient::get(std::string_view name) const { return connection_->live().get(name); }

AmqpInfo AmqpClient::connect(Deadline deadline) {
    return observed([&] {
        return amqp_wait<AmqpInfo>(*connection_,
                                   [&](Callback<AmqpInfo> callback) { connection_->connect(by(*connection_, deadline), std::move(callback)); });
    });
}
Operation AmqpClient::async_connect(Deadline deadline, Callback<AmqpInfo> callback) {
    return connection_->connect(deadline, under_way(std::move(callback)));
}
void AmqpClient::close(Deadline deadline) {
    amqp_wait<void>(*connection_, [&](Callback<void> callback) { connection_->close(by(*connection_, deadline), std::move(callback)); });
}
Operation AmqpClient::async_close(Deadline deadline, Callback<void> callback) {
    return connection_->close(deadline, connection_->wrapped<void>(std::move(callback)));
}
bool AmqpClient::is_open() const noexcept { return connection_->is_open(); }
std::optional<AmqpInfo> AmqpClient::info() const { return connection_->info(); }

namespace {

/// The handle of a link that was opened, of the kind that it is.
template <class Handle, class LinkKind, class Make>
Callback<std::shared_ptr<amqp::Link>> as_handle(Callback<Handle> callback, Make make) {
    return [callback = std::move(callback), make](Result<std::shared_ptr<amqp::Link>> result) mutable {
        if (!callback) return;
        if (result)
            callback(make(std::static_pointer_cast<LinkKind>(*result)));
        else
            callback(result.error());
    };
}

}  // namespace

AmqpSender AmqpClient::open_sender(AmqpSenderOptions options, Deadline deadline) {
    return observed([&] {
        return amqp_wait<AmqpSender>(*connection_, [&](Callback<AmqpSender> callback) {
            const auto link = std::make_shared<amqp::SenderLink>(connection_, pumped(pump_, std::move(options)));
            static_cast<void>(link->engine_options());
            connection_->open_link(link, by(*connection_, deadline),
                                   as_handle<AmqpSender, amqp::SenderLink>(std::move(callback), [](auto one) { return AmqpSender{std::move(one)}; }));
        });
    });
}
Operation AmqpClient::async_open_sender(AmqpSenderOptions options, Deadline deadline, Callback<AmqpSender> callback) {
    const auto link = std::make_shared<amqp::SenderLink>(connection_, pumped(pump_, std::move(options)));
    static_cast<void>(link->engine_options());
    return connection_->open_link(
        link, deadline, as_handle<AmqpSender, amqp::SenderLink>(under_way(std::move(callback)), [](auto one) { return AmqpSender{std::move(one)}; }));
}
AmqpReceiver AmqpClient::open_receiver(AmqpReceiverOptions options, Deadline deadline) {
    return observed([&] {
        return amqp_wait<AmqpReceiver>(*connection_, [&](Callback<AmqpReceiver> callback) {
            const auto link = std::make_shared<amqp::ReceiverLink>(connection_, pumped(pump_, std::move(options)));
            static_cast<void>(link->engine_options());
            connection_->open_link(link, by(*connection_, deadline), as_handle<AmqpReceiver, amqp::ReceiverLink>(std::move(callback), [](auto one) {
                                       return AmqpReceiver{std::move(one)};
                                   }));
        });
    });
}
Operation AmqpClient::async_open_receiver(AmqpReceiverOptions options, Deadline deadline, Callback<AmqpReceiver> callback) {
    const auto link = std::make_shared<amqp::ReceiverLink>(connection_, pumped(pump_, std::move(options)));
    static_cast<void>(link->engine_options());
    return connection_->open_link(link, deadline, as_handle<AmqpReceiver, amqp::ReceiverLink>(under_way(std::move(callback)), [](auto one) {
                                      return AmqpReceiver{std::move(one)};
                                  }));
}

AmqpMessage AmqpClient::request(std::string_view address, AmqpMessage message, Deadline deadline) {
    return observed([&] {
        return amqp_wait<AmqpMessage>(*connection_, [&](Callback<AmqpMessage> callback) {
            requester_->request(connection_, std::string{address}, std::move(message), by(*connection_, deadline), std::move(callback));
        });
    });
}
Operation AmqpClient::async_request(std::string_view address, AmqpMessage message, Deadline deadline, Callback<AmqpMessage> callback) {
    return requester_->request(connection_, std::string{address}, std::move(message), by(*connection_, deadline), under_way(std::move(callback)));
}

AmqpTransaction AmqpClient::begin_transaction(std::string_view session, Deadline deadline) {
    return observed([&] {
        return AmqpTransaction{
            amqp_wait<std::shared_ptr<amqp::Transaction>>(*connection_, [&](Callback<std::shared_ptr<amqp::Transaction>> callback) {
                transactor_->begin(connection_, std::string{session}, by(*connection_, deadline), std::move(callback));
            })};
    });
}
Operation AmqpClient::async_begin_transaction(std::string_view session, Deadline deadline, Callback<AmqpTransaction> callback) {
    return transactor_->begin(connection_, std::string{session}, deadline,
                              [callback = under_way(std::move(callback))](Result<std::shared_ptr<amqp::Transaction>> result) mutable {
                                  if (!callback) return;
                                  if (result)
                                      callback(AmqpTransaction{std::move(*result)});
                                  else
                                      callback(result.error());
                              });
}

std::vector<AmqpSessionInfo> AmqpClient::sessions() const { return connection_->sessions(); }
std::vector<AmqpLinkInfo> AmqpClient::links() const { return connection_->links(); }

void AmqpClient::close_session(std::string_view name, Deadline deadline) {
    amqp_wait<void>(*connection_,
                    [&](Callback<void> callback) { connection_->close_session(std::string{name}, by(*connection_, deadline), std::move(callback)); });
}
Operation AmqpClient::async_close_session(std::string_view name, Deadline deadline, Callback<void> callback) {
    return connection_->close_session(std::string{name}, deadline, connection_->wrapped<void>(std::move(callback)));
}

void AmqpClient::ping(Deadline deadline) {
    observed(
        [&] { amqp_wait<void>(*connection_, [&](Callback<void> callback) { connection_->ping(by(*connection_, deadline), std::move(callback)); }); });
}
Operation AmqpClient::async_ping(Deadline deadline, Callback<void> callback) { return connection_->ping(deadline, under_way(std::move(callback))); }

}  // namespace qconn
