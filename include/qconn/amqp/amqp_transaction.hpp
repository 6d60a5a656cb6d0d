// SPDX-License-Identifier: Apache-2.0
/// Messages that are sent, and answered, all or none (part 4 of the specification).
#pragma once

#include <memory>
#include <string>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>

namespace qconn {

namespace amqp {
class Transaction;
}  // namespace amqp

/// A transaction of AmqpClient::begin_transaction(). What is sent in it (AmqpSender::send) and answered in it (AmqpOutcome::in) counts when it is
/// committed, or not at all. It belongs to one session of one connection: when that breaks, or the peer ends the session or its coordinator, it is
/// rolled back by the peer, and whatever is done in it then ends with AMQP-TRANSACTION-ERROR.
///
/// A cheap handle; when the last one goes without commit(), the transaction is rolled back.
/// @note Thread-safe.
class QCONN_API AmqpTransaction {
public:
    AmqpTransaction() = default;

    /// Waits until each message that was sent in it has its outcome, and makes all of it count. Where one of them was not accepted, or its outcome is
    /// unknown, nothing is committed: the transaction is rolled back, and the error says so.
    /// @throws Error AMQP-TRANSACTION-ERROR: nothing of it counts, for the reason that is said; AMQP-OUTCOME-UNKNOWN, TIMEOUT: the message says
    /// whether anything is known; CANCELLED
    void commit(Deadline deadline = {});
    Operation async_commit(Deadline deadline, Callback<void> callback);
    /// Nothing of it counts: messages that were accepted in it are delivered again. Does nothing where the peer has rolled it back already.
    /// @throws Error AMQP-TRANSACTION-ERROR: it was committed, or the peer refuses; AMQP-OUTCOME-UNKNOWN, TIMEOUT, CANCELLED
    void rollback(Deadline deadline = {});
    Operation async_rollback(Deadline deadline, Callback<void> callback);

    /// Neither ended, nor being ended, nor lost.
    bool is_active() const noexcept;
    /// Empty: the common one. Links that take part belong to it too.
    const std::string& session() const noexcept;
    /// The peer's, bytes.
    const std::string& id() const noexcept;
    explicit operator bool() const noexcept { return transaction_ != nullptr; }

private:
    friend class AmqpClient;
    friend class AmqpSender;
    friend class AmqpOutcome;
    explicit AmqpTransaction(std::shared_ptr<amqp::Transaction> transaction) noexcept;
    std::shared_ptr<amqp::Transaction> transaction_;
};

}  // namespace qconn
