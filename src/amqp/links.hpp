// SPDX-License-Identifier: Apache-2.0
/// The links of an AMQP client, which outlive the connections that they are attached by.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

#include "amqp/engine.hpp"
#include "amqp/outbox.hpp"
#include "net/waiting.hpp"

namespace qconn::amqp {

class Connection;
class SenderLink;
class Transaction;

template <class T>
using Wait = net::Waiting<Connection, T>;

/// What both kinds have in common.
/// @note The members are the loop's but for what is said.
class Link : public std::enable_shared_from_this<Link> {
public:
    enum class Stage : std::uint8_t {
        wanted,  ///< to be attached when there is a connection
        attaching,
        attached,
        detaching,
        ended,  ///< for good: `why`
    };

    Link(std::shared_ptr<Connection> owner, std::string name, std::string session);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    virtual ~Link() = default;

    const std::string name;
    const std::string session;
    /// Any thread's.
    Connection& owner() const noexcept { return *owner_; }
    const std::shared_ptr<Connection>& shared_owner() const noexcept { return owner_; }

    virtual bool is_receiver() const noexcept = 0;
    virtual LinkOptions engine_options() const = 0;
    /// Attached, and taken by the peer.
    virtual void on_attached() = 0;
    /// The connection has gone, or the link has ended: what it had under way with the peer is over.
    virtual void on_lost(const Error& why) = 0;
    /// Ended for good: nothing is waited for any more.
    virtual void on_ended(const Error& why) = 0;
    virtual void fill(AmqpLinkInfo& info) const = 0;

    Stage stage{Stage::wanted};
    std::uint32_t number{k_uint_max};  ///< the engine's, while attached or on the way there
    std::optional<Error> why;
    /// Told of on_attached() and on_lost(), where set.
    UniqueFunction<void()> when_attached;
    UniqueFunction<void(const Error&)> when_lost;
    bool refused{false};  ///< the peer's attach says so; its detach follows
    std::string address;  ///< the peer's
    std::uint8_t agreed_settle_mode{2};
    std::list<std::shared_ptr<Wait<std::shared_ptr<Link>>>> opening;
    std::list<std::shared_ptr<Wait<void>>> closing;

private:
    const std::shared_ptr<Connection> owner_;
};

/// One asynchronous send that can be cancelled or has a deadline.
class SendOperation final : public Operation::State, public std::enable_shared_from_this<SendOperation> {
public:
    SendOperation(std::shared_ptr<SenderLink> link, Deadline deadline) : link_{std::move(link)}, deadline_{deadline} {}
    void cancel() noexcept override;
    bool done() const noexcept override { return done_.load(); }

    // The loop's:
    /// It is in the outbox.
    void began(std::uint64_t number);
    void ended() noexcept;

private:
    void give_up(bool cancelled);

    const std::shared_ptr<SenderLink> link_;
    const Deadline deadline_;
    std::unique_ptr<net::Timer> timer_;
    std::uint64_t number_{0};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> done_{false};
};

class SenderLink final : public Link {
public:
    enum class To : std::uint8_t { node, coordinator };

    SenderLink(std::shared_ptr<Connection> owner, AmqpSenderOptions options, To to = To::node);
    ~SenderLink() override;

    // Any thread's:

    /// @param slot_callback  may be empty @returns false: too much waits
    /// @throws Error AMQP-ENCODE-ERROR, AMQP-MESSAGE-TOO-LARGE
    bool put(const AmqpMessage& message, std::optional<bool> settled, std::uint64_t token, Callback<AmqpOutcome> callback,
             std::shared_ptr<SendOperation> operation = nullptr, std::shared_ptr<Transaction> transaction = nullptr);
    /// Whatever waits already; unsettled. What becomes of it is told by when_answered.
    void put_always(const AmqpMessage& message, std::uint64_t token);
    bool has_room() const noexcept;
    std::size_t waiting_bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
    Operation flush(Deadline deadline, std::size_t at_most, Callback<void> callback);

    // The loop's:

    bool is_receiver() const noexcept override { return false; }
    LinkOptions engine_options() const override;
    void on_attached() override;
    void on_lost(const Error& why) override;
    void on_ended(const Error& why) override;
    void fill(AmqpLinkInfo& info) const override;
    void on_sendable();
    void on_outcome(std::uint64_t number, const Outcome& outcome);
    /// A message is not waited for any more.
    void give_up(std::uint64_t number, const Error& why);
    bool is_idle() const noexcept { return outbox_.empty(); }
    /// Told of each outcome as it came, or of the error that there is in its place, where set; also when the client ends.
    UniqueFunction<void(std::uint64_t token, const Outcome& outcome, const Error* error)> when_answered;
    void resolve_flushes();

private:
    struct Item {
        std::size_t size{0};
        std::uint64_t token{0};
        std::uint32_t slot{0};  // + 1
        bool settled{false};
        bool transactional{false};  // its slot has the transaction
    };
    struct Slot {
        Callback<AmqpOutcome> callback;
        std::shared_ptr<SendOperation> operation;
        std::shared_ptr<Transaction> transaction;
    };
    struct FlushWait {
        std::size_t at_most;
        std::shared_ptr<Wait<void>> wait;
    };

    void encode(const AmqpMessage& message, std::string& to) const;
    std::uint32_t make_slot(Slot slot);
    /// In what such a message is sent. @throws Error AMQP-TRANSACTION-ERROR
    void check(const Transaction& transaction) const;
    std::shared_ptr<Transaction> transaction_of(std::uint32_t slot);
    void post_item(const AmqpMessage& message, Item item, Slot slot);
    /// Its transaction has ended. @returns whether it was failed
    bool fail_late(const Outbox::Entry& entry, const Transaction& transaction);
    void send_direct(const Item& item);
    /// What was sent is kept until its outcome is known, to be sent again.
    bool keeps_sent() const noexcept;
    void collect();
    void pump();
    void complete(std::uint64_t token, std::uint32_t slot, const AmqpOutcome& outcome, const Error* error);
    void fail(std::uint64_t number, const Error& why);
    /// @param which  of those that were sent @param unsent  null: the others stay
    template <class Which>
    void fail_all(Which which, const Error& sent, const Error* unsent);
    Slot take_slot(std::uint32_t slot);

    const AmqpSenderOptions options_;
    const To to_;
    std::atomic<std::size_t> bytes_{0};
    std::atomic<std::uint64_t> max_message_size_{0};  // the peer's

    std::atomic<bool> posted_{false};  // something is in the box; set with mutex_ held
    std::mutex mutex_;
    // Guarded by mutex_:
    std::string box_;
    std::vector<Item> items_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_slots_;

    // The loop's:
    std::string collected_;
    std::string direct_;
    std::vector<Item> collected_items_;
    Outbox outbox_;
    bool pumping_{false};
    bool was_ready_{false};
    std::uint64_t messages_{0};
    std::list<FlushWait> flushes_;
};

class ReceiverLink final : public Link {
public:
    ReceiverLink(std::shared_ptr<Connection> owner, AmqpReceiverOptions options);

    // Any thread's:
    Operation receive(Deadline deadline, Callback<AmqpReceived> callback);
    Operation fetch(Deadline deadline, Callback<AmqpReceived> callback);

    // The loop's:
    bool is_receiver() const noexcept override { return true; }
    LinkOptions engine_options() const override;
    void on_attached() override;
    void on_lost(const Error& why) override;
    void on_ended(const Error& why) override;
    void fill(AmqpLinkInfo& info) const override;
    Answer on_delivery(const Incoming& message);
    void on_drained();

private:
    class Delivery;
    /// A message that nobody took yet.
    struct Unread {
        std::string bytes;
        std::uint32_t delivery_id{0};
        bool settled{false};
    };

    void hand_out();
    void give(const std::shared_ptr<Wait<AmqpReceived>>& wait, Unread message);
    std::function<void(AmqpOutcome)> answer_for(std::uint32_t delivery_id);
    void next_fetch();
    void drain_now();
    void end_waits(const Error& why);

    const AmqpReceiverOptions options_;
    std::deque<Unread> unread_;
    std::list<std::shared_ptr<Wait<AmqpReceived>>> waiting_;
    // Fetches, of which the first is under way.
    struct Fetch {
        std::shared_ptr<Wait<AmqpReceived>> wait;
        Deadline deadline;
        bool granted{false};
        bool draining{false};
    };
    std::list<Fetch> fetches_;
    std::unique_ptr<net::Timer> timer_;
    std::uint64_t messages_{0};
};

}  // namespace qconn::amqp
