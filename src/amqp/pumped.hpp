// SPDX-License-Identifier: Apache-2.0
/// Handlers that are called by the program's own queue (AmqpOptions::events) in the place of the I/O thread.
#pragma once

#include <memory>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/base/call_queue.hpp>

namespace qconn::amqp {

class Connection;

/// The calls of one client. @note Thread-safe.
class Pump : public std::enable_shared_from_this<Pump> {
public:
    Pump(CallQueue& queue, std::weak_ptr<const Connection> connection) : source_{queue}, connection_{std::move(connection)} {}

    /// The same, but for that they put what they are called with by, and are called by the queue.
    AmqpHandlers pumped(AmqpHandlers handlers);
    AmqpSenderOptions pumped(AmqpSenderOptions options);
    /// A message without an answer counts against the credit of its link: no more wait than that.
    AmqpReceiverOptions pumped(AmqpReceiverOptions options);

    /// No handler is called any more.
    /// @param wait  for one that is running, unless it is called from it
    void close(bool wait) noexcept { source_.close(wait); }

private:
    /// What the call throws is logged. @returns false: it threw
    template <class Call>
    bool guarded(Call&& call) const noexcept;
    template <class Call>
    void post(Call call);

    CallQueue::Source source_;
    const std::weak_ptr<const Connection> connection_;  // whose handlers keep this
};

}  // namespace qconn::amqp
