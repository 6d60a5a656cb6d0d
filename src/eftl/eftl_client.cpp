// SPDX-License-Identifier: Apache-2.0
#include <qconn/eftl/eftl_client.hpp>

#include <type_traits>
#include <utility>

#include "base/outcome_box.hpp"
#include "base/text.hpp"
#include "eftl/connection.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn {

namespace {

using eftl::Answer;
using eftl::Connection;
using eftl::Kind;

void check_map_text(std::string_view what, std::string_view text) {
    if (text.empty() || !text::valid_utf8(text)) throw eftl::eftl_error(EftlErrc::message, std::string{what} + " must be UTF-8 and not empty");
}

/// The outcome of an operation that brings nothing.
Callback<Answer> without_answer(Callback<void> callback) {
    return [callback = std::move(callback)](Result<Answer> result) mutable {
        if (callback) callback(result ? Result<void>{} : Result<void>{result.error()});
    };
}

/// Starts an operation and waits for its callback.
template <class T, class Start>
T wait_for(const Connection& connection, Start start) {
    connection.refuse_on_loop();
    return await_outcome<T>(std::move(start));
}

/// Waits for room first. The client may be destroyed meanwhile: all that is used here is kept here.
/// @param wraps  the operation is a handle's, which the client has yet to know of
Answer submit_and_wait(const std::shared_ptr<Connection> connection, Kind kind, const std::string& frame, Deadline deadline, bool wraps = false) {
    connection->refuse_on_loop();
    for (;;) {
        if (!connection->has_room(frame.size()))
            wait_for<void>(*connection, [&](Callback<void> callback) { connection->room(deadline, std::move(callback)); });
        try {
            return wait_for<Answer>(*connection, [&](Callback<Answer> callback) {
                connection->submit(kind, frame, deadline, wraps ? connection->wrapped(std::move(callback)) : std::move(callback));
            });
        } catch (const Error& error) {
            if (error.code() != EftlErrc::busy || deadline.has_passed()) throw;  // another thread was faster
        }
    }
}

void check_request(const EftlMessage& request) {
    if (!request.is_request())
        throw eftl::eftl_error(EftlErrc::reply, "replying failed: the message is no request, as it says nothing about where a reply goes");
}

}  // namespace

// ---- the client ----

EftlClient::EftlClient(EftlOptions options, Runtime runtime) : connection_{Connection::make(std::move(options), runtime)} {
    connection_->set_wrapper([this](Callback<Answer> callback) { return under_way(std::move(callback)); });
}

EftlClient::~EftlClient() { connection_->shut(); }

std::string_view EftlClient::label() const noexcept { return connection_->label(); }
const EftlOptions& EftlClient::options() const noexcept { return connection_->options(); }
std::string EftlClient::version() { return eftl::client_version(); }
void EftlClient::set_handlers(EftlHandlers handlers) { connection_->set_handlers(std::move(handlers)); }

EftlSession EftlClient::connect(Deadline deadline) {
    return observed([&] {
        return wait_for<EftlSession>(*connection_,
                                     [&](Callback<EftlSession> callback) { connection_->connect(false, deadline, std::move(callback)); });
    });
}
Operation EftlClient::async_connect(Deadline deadline, Callback<EftlSession> callback) {
    return connection_->connect(false, deadline, under_way(std::move(callback)));
}
EftlSession EftlClient::reconnect(Deadline deadline) {
    return observed([&] {
        return wait_for<EftlSession>(*connection_,
                                     [&](Callback<EftlSession> callback) { connection_->connect(true, deadline, std::move(callback)); });
    });
}
Operation EftlClient::async_reconnect(Deadline deadline, Callback<EftlSession> callback) {
    return connection_->connect(true, deadline, under_way(std::move(callback)));
}
void EftlClient::disconnect(Deadline deadline) {
    wait_for<void>(*connection_, [&](Callback<void> callback) { connection_->disconnect(deadline, std::move(callback)); });
}
Operation EftlClient::async_disconnect(Deadline deadline, Callback<void> callback) {
    return connection_->disconnect(deadline, under_way(std::move(callback)));
}
bool EftlClient::is_connected() const noexcept { return connection_->state() == EftlState::connected; }
EftlState EftlClient::state() const noexcept { return connection_->state(); }
EftlSession EftlClient::session() const { return connection_->session(); }
std::string EftlClient::client_id() const { return connection_->client_id(); }

void EftlClient::publish(const EftlMessage& message, Deadline deadline) {
    observed([&] { submit_and_wait(connection_, Kind::publish, eftl::publish_frame(message), deadline); });
}
Operation EftlClient::async_publish(const EftlMessage& message, Deadline deadline, Callback<void> callback) {
    return connection_->submit(Kind::publish, eftl::publish_frame(message), deadline, under_way(without_answer(std::move(callback))));
}

EftlMessage EftlClient::request(const EftlMessage& message, Deadline deadline) {
    return observed([&] { return submit_and_wait(connection_, Kind::request, eftl::request_frame(message), deadline).value_or(EftlMessage{}); });
}
Operation EftlClient::async_request(const EftlMessage& message, Deadline deadline, Callback<EftlMessage> callback) {
    Callback<Answer> answered = [callback = std::move(callback)](Result<Answer> result) mutable {
        if (!callback) return;
        if (!result) return callback(result.error());
        callback(*result ? std::move(**result) : EftlMessage{});
    };
    return connection_->submit(Kind::request, eftl::request_frame(message), deadline, under_way(std::move(answered)));
}

void EftlClient::reply(const EftlMessage& request, const EftlMessage& reply, Deadline deadline) {
    check_request(request);
    observed([&] { submit_and_wait(connection_, Kind::reply, eftl::reply_frame(request, reply), deadline); });
}
Operation EftlClient::async_reply(const EftlMessage& request, const EftlMessage& reply, Deadline deadline, Callback<void> callback) {
    check_request(request);
    return connection_->submit(Kind::reply, eftl::reply_frame(request, reply), deadline, under_way(without_answer(std::move(callback))));
}

std::size_t EftlClient::in_flight() const noexcept { return connection_->in_flight(); }
void EftlClient::wait_for_room(Deadline deadline) {
    wait_for<void>(*connection_, [&](Callback<void> callback) { connection_->room(deadline, std::move(callback)); });
}
Operation EftlClient::async_room(Deadline deadline, Callback<void> callback) { return connection_->room(deadline, under_way(std::move(callback))); }
void EftlClient::flush(Deadline deadline) {
    wait_for<void>(*connection_, [&](Callback<void> callback) { connection_->flush(deadline, std::move(callback)); });
}
Operation EftlClient::async_flush(Deadline deadline, Callback<void> callback) { return connection_->flush(deadline, under_way(std::move(callback))); }

std::string EftlClient::subscribe(EftlSubscription subscription, Deadline deadline) {
    return observed([&] {
        return wait_for<std::string>(
            *connection_, [&](Callback<std::string> callback) { connection_->subscribe(std::move(subscription), deadline, std::move(callback)); });
    });
}
Operation EftlClient::async_subscribe(EftlSubscription subscription, Deadline deadline, Callback<std::string> callback) {
    return connection_->subscribe(std::move(subscription), deadline, under_way(std::move(callback)));
}
EftlMessage EftlClient::receive(std::string_view id, Deadline deadline) {
    const auto hold = this->hold();
    return wait_for<EftlMessage>(*connection_, [&](Callback<EftlMessage> callback) { connection_->receive(id, deadline, std::move(callback)); });
}
Operation EftlClient::async_receive(std::string_view id, Deadline deadline, Callback<EftlMessage> callback) {
    // That nothing comes says nothing about the server: who observes uses is not told.
    return connection_->receive(id, deadline, [hold = hold(), callback = std::move(callback)](Result<EftlMessage> result) mutable {
        if (callback) callback(std::move(result));
    });
}

void EftlClient::acknowledge(const EftlMessage& message) { connection_->acknowledge(message, false); }
void EftlClient::acknowledge_all(const EftlMessage& message) { connection_->acknowledge(message, true); }
void EftlClient::unsubscribe(std::string_view id) { connection_->unsubscribe(id, false); }
void EftlClient::unsubscribe_all() { connection_->unsubscribe_all(false); }
void EftlClient::close_subscription(std::string_view id) { connection_->unsubscribe(id, true); }
void EftlClient::close_all_subscriptions() { connection_->unsubscribe_all(true); }
void EftlClient::stop_subscription(std::string_view id) { connection_->stop(id); }
void EftlClient::start_subscription(std::string_view id) { connection_->start(id); }
std::vector<std::string> EftlClient::subscriptions() const { return connection_->subscriptions(); }

EftlMap EftlClient::map(std::string_view name) {
    check_map_text("the name of a map", name);
    return EftlMap{connection_, std::string{name}};
}
void EftlClient::destroy_map(std::string_view name) {
    check_map_text("the name of a map", name);
    connection_->tell(eftl::map_destroy_frame(name));
}

// ---- maps ----

EftlMap::EftlMap(std::shared_ptr<Connection> connection, std::string name) : connection_{std::move(connection)}, name_{std::move(name)} {}

void EftlMap::set(std::string_view key, const EftlMessage& value, Deadline deadline) {
    check_map_text("a key of a map", key);
    submit_and_wait(connection_, Kind::map_set, eftl::map_set_frame(name_, key, value), deadline, true);
}
Operation EftlMap::async_set(std::string_view key, const EftlMessage& value, Deadline deadline, Callback<void> callback) {
    check_map_text("a key of a map", key);
    return connection_->submit(Kind::map_set, eftl::map_set_frame(name_, key, value), deadline,
                               connection_->wrapped(without_answer(std::move(callback))));
}
std::optional<EftlMessage> EftlMap::get(std::string_view key, Deadline deadline) {
    check_map_text("a key of a map", key);
    return submit_and_wait(connection_, Kind::map_get, eftl::map_get_frame(name_, key), deadline, true);
}
Operation EftlMap::async_get(std::string_view key, Deadline deadline, Callback<std::optional<EftlMessage>> callback) {
    check_map_text("a key of a map", key);
    return connection_->submit(Kind::map_get, eftl::map_get_frame(name_, key), deadline, connection_->wrapped(std::move(callback)));
}
void EftlMap::remove(std::string_view key, Deadline deadline) {
    check_map_text("a key of a map", key);
    submit_and_wait(connection_, Kind::map_remove, eftl::map_remove_frame(name_, key), deadline, true);
}
Operation EftlMap::async_remove(std::string_view key, Deadline deadline, Callback<void> callback) {
    check_map_text("a key of a map", key);
    return connection_->submit(Kind::map_remove, eftl::map_remove_frame(name_, key), deadline,
                               connection_->wrapped(without_answer(std::move(callback))));
}

}  // namespace qconn
