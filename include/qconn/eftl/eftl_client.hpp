// SPDX-License-Identifier: Apache-2.0
/// Messages by way of a TIBCO eFTL server.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/eftl/eftl_error.hpp>
#include <qconn/eftl/eftl_message.hpp>
#include <qconn/eftl/eftl_options.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

namespace eftl {
class Connection;
}

class EftlClient;

/// A key-value map of the server. A cheap handle; may outlive its client, whose operations then end with EFTL-NOT-CONNECTED.
/// @note Thread-safe, as the client.
class QCONN_API EftlMap {
public:
    const std::string& name() const noexcept { return name_; }

    /// @throws Error EFTL-MAP-ERROR (codes 14, 30), and as EftlClient::publish (all of them)
    void set(std::string_view key, const EftlMessage& value, Deadline deadline = {});
    Operation async_set(std::string_view key, const EftlMessage& value, Deadline deadline, Callback<void> callback);
    /// Nothing where the map has no such key.
    std::optional<EftlMessage> get(std::string_view key, Deadline deadline = {});
    Operation async_get(std::string_view key, Deadline deadline, Callback<std::optional<EftlMessage>> callback);
    /// Also fine where there is no such key.
    void remove(std::string_view key, Deadline deadline = {});
    Operation async_remove(std::string_view key, Deadline deadline, Callback<void> callback);

private:
    friend class EftlClient;
    EftlMap(std::shared_ptr<eftl::Connection> connection, std::string name);
    std::shared_ptr<eftl::Connection> connection_;
    std::string name_;
};

/// A client of an eFTL server: publishes messages, receives those that match, asks and replies, and uses key-value maps. One connection at a time,
/// which is made by connect() or by the first call that needs it, and made anew by itself where it breaks.
///
/// What was given to publish(), request(), reply() and a map, and what was subscribed to, outlives the loss of a connection: it is kept, and sent
/// (again) when there is one again, with the numbers that it had. A call ends when the server has answered, its deadline has passed, it was
/// cancelled, or the connection is given up; never later, and always once. A deadline that passes does not take a message back that was sent.
///
/// A message that was received and not acknowledged comes again after a loss; by what this client knows, none is delivered twice on one session. The
/// server's own limits on that are in EftlSession::resumed.
///
/// @note Thread-safe. All I/O is done on one I/O thread of the runtime, where handlers and callbacks are called, one at a time and in order; blocking
/// calls wait for that and are refused on I/O threads. Destroying the client ends all calls as cancelled and says good-bye to the server without
/// waiting for anything: use disconnect() where nothing may be lost. No handler is called after that; the destructor waits for one that is running,
/// unless it is called from it.
class QCONN_API EftlClient final : public Client {
public:
    /// Connects nothing yet. @throws Error EFTL-OPTION-ERROR, TLS-OPTION-ERROR
    explicit EftlClient(EftlOptions options, Runtime runtime = {});
    ~EftlClient() override;

    std::string_view label() const noexcept override;
    const EftlOptions& options() const noexcept;
    /// "qconn 0.1.0": what servers are told.
    static std::string version();

    /// Replaces them all. Calls that began before may still reach the former ones.
    void set_handlers(EftlHandlers handlers);

    // ---- the connection ----

    /// Walks the list of servers once, without waits between. Where a connection is being made already, waits for that.
    /// @throws Error EFTL-ALREADY-CONNECTED, EFTL-LOGIN-ERROR, EFTL-CONNECT-ERROR whose message has what each server said, and the last one's phase
    /// and reason; TIMEOUT, CANCELLED: the attempt goes on for those who still wait, else it ends
    EftlSession connect(Deadline deadline = {});
    Operation async_connect(Deadline deadline, Callback<EftlSession> callback);
    /// Opens a connection again that was given up or closed: with the same client id, subscriptions and numbers. Waits as connect() does.
    EftlSession reconnect(Deadline deadline = {});
    Operation async_reconnect(Deadline deadline, Callback<EftlSession> callback);
    /// Takes no further operations, waits for the answers to those under way, acknowledges what was consumed, says good-bye, and waits for the close
    /// handshake. When the deadline passes, or the call is cancelled, what is open ends with EFTL-DISCONNECTED and the connection is cut; that is no
    /// error. Does nothing where there is no connection. A connection that breaks meanwhile is not made anew.
    void disconnect(Deadline deadline = {});
    Operation async_disconnect(Deadline deadline, Callback<void> callback);
    /// A connection stands now, and the server has let this client in.
    bool is_connected() const noexcept;
    EftlState state() const noexcept;
    /// Of the last log-in; empty before the first.
    EftlSession session() const;
    /// As the server has it, or as asked for before the first log-in; may be empty.
    std::string client_id() const;

    // ---- sending ----

    /// Sends a message to all who subscribed to such, and waits until the server has it.
    /// @throws Error EFTL-PUBLISH-ERROR, EFTL-MESSAGE-TOO-LARGE, EFTL-NOT-CONNECTED, EFTL-DISCONNECTED, those of connect() where it has to connect,
    /// TIMEOUT, CANCELLED
    void publish(const EftlMessage& message, Deadline deadline = {});
    /// As many at a time as EftlOptions::max_in_flight; the server gets them in the order of the calls of one thread.
    Operation async_publish(const EftlMessage& message, Deadline deadline, Callback<void> callback);
    /// Sends a request and waits for the reply. @throws Error EFTL-REQUEST-ERROR, EFTL-REQUEST-TIMEOUT (code 99) when the deadline passes,
    /// EFTL-UNSUPPORTED, and as publish()
    EftlMessage request(const EftlMessage& message, Deadline deadline);
    Operation async_request(const EftlMessage& message, Deadline deadline, Callback<EftlMessage> callback);
    /// Replies to a request that was received. @throws Error EFTL-REPLY-ERROR, EFTL-UNSUPPORTED, and as publish()
    void reply(const EftlMessage& request, const EftlMessage& reply, Deadline deadline = {});
    Operation async_reply(const EftlMessage& request, const EftlMessage& reply, Deadline deadline, Callback<void> callback);
    /// What waits for the server's answers.
    std::size_t in_flight() const noexcept;
    /// Waits until there is room for more operations in flight.
    void wait_for_room(Deadline deadline = {});
    Operation async_room(Deadline deadline, Callback<void> callback);
    /// Waits until nothing is in flight. What comes meanwhile counts too.
    void flush(Deadline deadline = {});
    Operation async_flush(Deadline deadline, Callback<void> callback);

    // ---- receiving ----

    /// Waits until the server has taken the subscription. One that the server refuses, or does not answer in time, is forgotten.
    /// @returns its id, which it keeps over reconnections
    /// @throws Error EFTL-SUBSCRIBE-ERROR (codes 13, 21, 22), EFTL-MATCHER-ERROR: last_value without a key, or without a text for it in the matcher;
    /// and as publish()
    std::string subscribe(EftlSubscription subscription, Deadline deadline = {});
    Operation async_subscribe(EftlSubscription subscription, Deadline deadline, Callback<std::string> callback);
    /// The next message of a subscription without on_message.
    /// @throws Error EFTL-SUBSCRIPTION-ERROR: there is no such one, or it has on_message, or it ended; EFTL-DISCONNECTED: the connection was given
    /// up; TIMEOUT, CANCELLED
    EftlMessage receive(std::string_view id, Deadline deadline = {});
    Operation async_receive(std::string_view id, Deadline deadline, Callback<EftlMessage> callback);

    /// Of a subscription with EftlAck::client: this message. One that came by a connection since lost, and whose session is gone, comes again
    /// whatever is said here. Returns at once; nothing confirms an acknowledgement. @throws Error EFTL-SUBSCRIPTION-ERROR: it came by a subscription
    /// that is not acknowledged by the client (both)
    void acknowledge(const EftlMessage& message);
    /// And all that came before it by the same subscription.
    void acknowledge_all(const EftlMessage& message);

    /// Ends a subscription. A durable one, with all that waits in it, is removed from the server. A message that is on its way to on_message
    /// may still come after this. Returns at once; no server answers that. @throws Error EFTL-SUBSCRIPTION-ERROR: there is no such one
    void unsubscribe(std::string_view id);
    void unsubscribe_all();
    /// Ends a subscription here; a durable one goes on to collect messages, and what was not acknowledged comes again.
    /// @throws Error EFTL-SUBSCRIPTION-ERROR, EFTL-UNSUPPORTED
    void close_subscription(std::string_view id);
    void close_all_subscriptions();
    /// The server stops to deliver its messages, until start_subscription(). @throws Error EFTL-SUBSCRIPTION-ERROR, EFTL-UNSUPPORTED (both)
    void stop_subscription(std::string_view id);
    void start_subscription(std::string_view id);
    /// In the order in which they were made.
    std::vector<std::string> subscriptions() const;

    // ---- maps ----

    /// A handle; asks the server nothing. @throws Error EFTL-MESSAGE-ERROR: the name is empty or not UTF-8 (both)
    EftlMap map(std::string_view name);
    /// Removes a map from the server, with all that is in it. Returns at once; servers do not answer that.
    void destroy_map(std::string_view name);

private:
    std::shared_ptr<eftl::Connection> connection_;
};

}  // namespace qconn
