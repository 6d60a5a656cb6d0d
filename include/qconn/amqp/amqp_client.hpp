// SPDX-License-Identifier: Apache-2.0
/// Messages by way of an AMQP 1.0 peer: a broker, a router, a service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/amqp/amqp_message.hpp>
#include <qconn/amqp/amqp_options.hpp>
#include <qconn/amqp/amqp_transaction.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/value.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

namespace amqp {
class Connection;
class Pump;
class Requester;
class SenderLink;
class ReceiverLink;
class Transactor;
}  // namespace amqp

class AmqpClient;

/// A link that messages go out by. A cheap handle; may outlive its client, whose operations then end with AMQP-NOT-CONNECTED.
/// @note Thread-safe. Messages of one thread are sent in the order of its calls.
class QCONN_API AmqpSender {
public:
    AmqpSender() = default;
    /// Sends it, and waits for its outcome; for a message that is sent settled until it has been handed to the system.
    /// @throws Error AMQP-DELIVERY-ERROR: it was rejected, released or modified; AMQP-OUTCOME-UNKNOWN, AMQP-LINK-ERROR, AMQP-MESSAGE-TOO-LARGE,
    /// AMQP-ENCODE-ERROR, TIMEOUT: it has not been sent, or its outcome is unknown, as the message says; CANCELLED; and as AmqpClient::connect()
    void send(const AmqpMessage& message, Deadline deadline = {});
    void send(const AmqpMessage& message, bool settled, Deadline deadline = {});
    /// Returns at once; as many as AmqpOptions::max_unsettled_bytes may be under way. The callback gets whatever outcome the peer gives, and an error
    /// where there is none. Cancelling, or a deadline that passes, takes back what was not sent; of what was sent the outcome is then unknown.
    Operation async_send(const AmqpMessage& message, Deadline deadline, Callback<AmqpOutcome> callback);
    Operation async_send(const AmqpMessage& message, bool settled, Deadline deadline, Callback<AmqpOutcome> callback);
    /// In a transaction of the same session; unsettled, with an outcome that counts once it is committed.
    /// @throws Error AMQP-TRANSACTION-ERROR: it has ended, or is another client's or session's; and as send()
    void send(const AmqpMessage& message, const AmqpTransaction& transaction, Deadline deadline = {});
    Operation async_send(const AmqpMessage& message, const AmqpTransaction& transaction, Deadline deadline, Callback<AmqpOutcome> callback);
    /// The cheapest way: no allocation, no deadline. False: too much waits, nothing was done.
    /// @param number  for AmqpSenderOptions::on_outcome @throws Error AMQP-ENCODE-ERROR, AMQP-MESSAGE-TOO-LARGE
    bool try_send(const AmqpMessage& message, std::uint64_t number);
    bool try_send(const AmqpMessage& message, bool settled, std::uint64_t number);
    bool try_send(const AmqpMessage& message, bool settled, Callback<AmqpOutcome> callback);
    /// Waits until no more than that many bytes wait. @throws Error AMQP-LINK-ERROR, TIMEOUT, CANCELLED
    void flush(Deadline deadline = {}, std::size_t at_most = 0);
    Operation async_flush(Deadline deadline, std::size_t at_most, Callback<void> callback);
    /// Bytes that wait to be sent, or for an outcome.
    std::size_t waiting() const noexcept;

    const std::string& name() const noexcept;
    AmqpLinkInfo info() const;
    /// Ends the link. What waits ends with AMQP-LINK-ERROR, or AMQP-OUTCOME-UNKNOWN where it was sent.
    void close(Deadline deadline = {});
    Operation async_close(Deadline deadline, Callback<void> callback);
    explicit operator bool() const noexcept { return link_ != nullptr; }

private:
    friend class AmqpClient;
    explicit AmqpSender(std::shared_ptr<amqp::SenderLink> link);
    std::shared_ptr<amqp::SenderLink> link_;
};

/// A link that messages come by. A cheap handle, as AmqpSender.
/// @note Thread-safe.
class QCONN_API AmqpReceiver {
public:
    AmqpReceiver() = default;
    /// The next message, of a receiver in automatic mode without a handler.
    /// @throws Error AMQP-LINK-ERROR, TIMEOUT, CANCELLED; and as AmqpClient::connect()
    AmqpReceived receive(Deadline deadline = {});
    Operation async_receive(Deadline deadline, Callback<AmqpReceived> callback);
    /// Gives the peer credit for one message, and waits for it. When the deadline has passed the peer is asked to use or to give back the credit; a
    /// message that crosses that is still returned. A deadline of never waits for ever.
    /// @throws Error AMQP-RECEIVE-ERROR: the peer has none; as receive()
    AmqpReceived fetch(Deadline deadline = {});
    Operation async_fetch(Deadline deadline, Callback<AmqpReceived> callback);

    const std::string& name() const noexcept;
    AmqpLinkInfo info() const;
    /// Ends the link. Messages that were not answered are the peer's to deliver again.
    void close(Deadline deadline = {});
    Operation async_close(Deadline deadline, Callback<void> callback);
    explicit operator bool() const noexcept { return link_ != nullptr; }

private:
    friend class AmqpClient;
    explicit AmqpReceiver(std::shared_ptr<amqp::ReceiverLink> link);
    std::shared_ptr<amqp::ReceiverLink> link_;
};

/// A client of an AMQP 1.0 peer: one connection, with any number of sessions and links on it, which is made by connect() or by the first call that
/// needs it, and made anew by itself where it breaks, with the same sessions and links.
///
/// Links are always opened by this side. A message that was sent is never called accepted unless the peer has said so.
///
/// @note Thread-safe. All I/O is done on one I/O thread of the runtime, where handlers (unless AmqpOptions::events calls them) and callbacks are
/// called, one at a time; blocking calls wait for that and are refused on I/O threads. Destroying the client ends all calls as cancelled and closes
/// the connection without waiting for the peer's answer: use close() where nothing may be lost. No handler is called after that; the destructor waits
/// for one that is running, unless it is called from it.
class QCONN_API AmqpClient final : public Client {
public:
    /// Connects nothing yet. @throws Error AMQP-OPTION-ERROR, TLS-OPTION-ERROR
    explicit AmqpClient(AmqpOptions options, Runtime runtime = {});
    ~AmqpClient() override;

    std::string_view label() const noexcept override;
    const AmqpOptions& options() const noexcept;
    /// Replaces them all.
    void set_handlers(AmqpHandlers handlers);
    /// A setting of this client by the name that it has as an option of a connection: call_timeout, open_timeout, connect_on_use, auto_reconnect,
    /// reconnect_delay, reconnect_max_delay, reconnect_attempts, resend_unsettled, max_unsettled_bytes, generate_message_id; times in milliseconds.
    /// In force from its next use on; options() stays as it was.
    /// @throws Error AMQP-OPTION-ERROR: there is no such setting, or it does not take that value
    void set(std::string_view name, const Value& value);
    Value get(std::string_view name) const;

    /// The connection that there is, else a new one.
    /// @throws Error of reaching the peer (NetErrc), AMQP-AUTH-ERROR, AMQP-CONNECTION-ERROR, AMQP-REDIRECT, AMQP-PROTOCOL-ERROR, TIMEOUT, CANCELLED
    AmqpInfo connect(Deadline deadline = {});
    Operation async_connect(Deadline deadline, Callback<AmqpInfo> callback);
    /// Waits until what is under way has its outcome, as long as the deadline allows, closes all links and the connection, and waits for the peer's
    /// answer. None is made anew after that, until connect(). Does nothing where there is none.
    void close(Deadline deadline = {});
    Operation async_close(Deadline deadline, Callback<void> callback);
    bool is_open() const noexcept;
    /// Of the last connection; nothing before the first.
    std::optional<AmqpInfo> info() const;

    /// Opens links; waits until the peer has agreed. They are opened again by themselves after the connection was made anew.
    /// @throws Error AMQP-LINK-ERROR: the name is taken, or the peer refuses; AMQP-SESSION-ERROR; and as connect()
    AmqpSender open_sender(AmqpSenderOptions options, Deadline deadline = {});
    Operation async_open_sender(AmqpSenderOptions options, Deadline deadline, Callback<AmqpSender> callback);
    AmqpReceiver open_receiver(AmqpReceiverOptions options, Deadline deadline = {});
    Operation async_open_receiver(AmqpReceiverOptions options, Deadline deadline, Callback<AmqpReceiver> callback);

    /// Sends a message to `address`, and waits for the reply: by a node that the peer makes for this client, and by the message-id, which is made up
    /// where there is none. The links for that are opened once, and stay. A deadline of never is AmqpOptions::timeout.
    /// @throws Error AMQP-REQUEST-REPLY-TIMEOUT when the deadline passes; AMQP-OUTCOME-UNKNOWN: the connection was lost meanwhile; as open_receiver()
    /// and AmqpSender::send()
    AmqpMessage request(std::string_view address, AmqpMessage message, Deadline deadline = {});
    Operation async_request(std::string_view address, AmqpMessage message, Deadline deadline, Callback<AmqpMessage> callback);

    /// Begins a transaction of a session's links; the peer must have a coordinator (RabbitMQ has none). The session is begun where there is none.
    /// @throws Error AMQP-TRANSACTION-ERROR, AMQP-LINK-ERROR: the peer has no coordinator, or it refuses; and as connect()
    AmqpTransaction begin_transaction(std::string_view session = {}, Deadline deadline = {});
    Operation async_begin_transaction(std::string_view session, Deadline deadline, Callback<AmqpTransaction> callback);

    std::vector<AmqpSessionInfo> sessions() const;
    std::vector<AmqpLinkInfo> links() const;
    /// Ends a session and its links. @throws Error AMQP-SESSION-ERROR: there is none of that name
    void close_session(std::string_view name, Deadline deadline = {});
    Operation async_close_session(std::string_view name, Deadline deadline, Callback<void> callback);

    /// Asks the peer for a sign of life on the open connection. @throws Error AMQP-NOT-CONNECTED, TIMEOUT
    void ping(Deadline deadline = {});
    Operation async_ping(Deadline deadline, Callback<void> callback);

private:
    std::shared_ptr<amqp::Connection> connection_;
    std::shared_ptr<amqp::Requester> requester_;
    std::shared_ptr<amqp::Transactor> transactor_;
    std::shared_ptr<amqp::Pump> pump_;  // null: handlers are called on the I/O thread
};

}  // namespace qconn
