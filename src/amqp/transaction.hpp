// SPDX-License-Identifier: Apache-2.0
/// Transactions of a client, and the links to the peer's coordinators that they are begun and ended by (specification, part 4).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

#include "amqp/links.hpp"

namespace qconn::amqp {

class Transactor;

/// One that the peer has declared.
class Transaction final : public std::enable_shared_from_this<Transaction> {
public:
    enum class Stage : std::uint8_t {
        active,
        ending,  ///< commit() or rollback() was called
        committed,
        rolled_back,  ///< here, or by the peer
        unknown,      ///< the peer was told to commit, and has not answered
    };

    Transaction(std::shared_ptr<Transactor> transactor, std::shared_ptr<Connection> owner, std::string of, std::string name);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    const std::string session;
    const std::string id;
    /// Encoded: of a message that is sent in it.
    const std::string state;

    // Any thread's:

    Transactor& transactor() const noexcept { return *transactor_; }
    const std::shared_ptr<Connection>& owner() const noexcept { return owner_; }
    bool is_active() const noexcept { return stage_.load(std::memory_order_acquire) == Stage::active; }
    /// From active to ending. @returns false: it was not active
    bool begin_end() noexcept;
    /// A message is to be sent in it; resolved() follows.
    void begin_message() noexcept { messages_.fetch_add(1, std::memory_order_relaxed); }
    /// For what cannot be done in it any more.
    Error over(std::string_view what) const;

    // The loop's:

    void resolved(const AmqpOutcome& outcome, const Error* error);
    /// A message that was sent in it was taken by the peer outside of it.
    void escaped();
    bool is_quiet() const noexcept { return messages_.load(std::memory_order_relaxed) == 0; }
    /// Something of it failed.
    const std::optional<std::string>& failure() const noexcept { return failure_; }
    void end(Stage stage, std::string why);
    Stage stage() const noexcept { return stage_.load(std::memory_order_acquire); }
    /// What was asked for before it was to end may still be done.
    bool takes_more() const noexcept { return stage() == Stage::active || (stage() == Stage::ending && !told); }

    /// Of a commit that waits for messages.
    UniqueFunction<void()> when_quiet;
    bool told{false};  ///< the peer, how it ends

private:
    void look();

    const std::shared_ptr<Transactor> transactor_;
    const std::shared_ptr<Connection> owner_;
    std::atomic<Stage> stage_{Stage::active};
    std::atomic<std::size_t> messages_{0};  // without an outcome
    std::optional<std::string> failure_;
    mutable std::mutex mutex_;
    std::string why_;  // guarded by mutex_
};

/// Of one client. A link to a coordinator for each session, opened by the first transaction that needs it, and kept.
/// @note begin() and end() are any thread's, all else is the loop's.
class Transactor : public std::enable_shared_from_this<Transactor> {
public:
    Operation begin(std::shared_ptr<Connection> owner, std::string session, Deadline deadline, Callback<std::shared_ptr<Transaction>> callback);
    Operation end(std::shared_ptr<Transaction> transaction, bool commit, Deadline deadline, Callback<void> callback);

    /// The last handle went.
    void abandon(const std::shared_ptr<Connection>& owner, const std::string& session, const std::string& id);

private:
    /// What the coordinator has not answered. Which of the two it is, is told by what is set.
    struct Asked {
        std::shared_ptr<Wait<std::shared_ptr<Transaction>>> declare;
        std::shared_ptr<Transaction> ends;
        std::shared_ptr<Wait<void>> discharge;
        bool commit{false};
    };
    struct Coordinator {
        std::shared_ptr<SenderLink> link;
        std::map<std::uint64_t, Asked> asked;  // by token
        std::vector<std::weak_ptr<Transaction>> active;
    };

    std::shared_ptr<Coordinator> coordinator(const std::shared_ptr<Connection>& owner, const std::string& session);
    void ask(Coordinator& coordinator, const AmqpMessage& message, Asked asked);
    void discharge(const std::shared_ptr<Transaction>& transaction, bool commit, std::shared_ptr<Wait<void>> wait);
    void answered(const std::shared_ptr<Coordinator>& coordinator, std::uint64_t token, const Outcome& outcome);
    void declared(const std::shared_ptr<Coordinator>& coordinator, const Asked& asked, const Outcome& outcome);
    static void discharged(const Asked& asked, const Outcome& outcome);
    void failed(const std::shared_ptr<Coordinator>& coordinator, std::uint64_t token, const Error& error);
    static void lost(Coordinator& coordinator, const Error& why);

    std::map<std::string, std::shared_ptr<Coordinator>, std::less<>> coordinators_;  // by session
    std::uint64_t last_token_{0};
};

}  // namespace qconn::amqp
