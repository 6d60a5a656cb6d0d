// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/connection.hpp"
#include "amqp/links.hpp"
#include "amqp/outcome.hpp"
#include "amqp/transaction.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

/// Memory of buffers between messages.
constexpr std::size_t k_most_kept = std::size_t{1024} * 1024;

}  // namespace

// ---- one send ----

void SendOperation::cancel() noexcept {
    if (done() || cancelled_.exchange(true)) return;
    try {
        link_->owner().post([self = shared_from_this()] {
            if (self->number_ != 0) self->give_up(true);
        });
    } catch (const std::exception&) {}  // without memory for a message it ends with its deadline
}

void SendOperation::began(std::uint64_t number) {
    number_ = number;
    if (cancelled_.load()) return give_up(true);
    if (deadline_.is_never()) return;
    timer_ = std::make_unique<net::Timer>(link_->owner().loop());
    timer_->arm(deadline_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->give_up(false);
    });
}

void SendOperation::ended() noexcept {
    if (done_.exchange(true)) return;
    // Not from inside its own callback.
    if (timer_) link_->owner().loop().post([timer = std::shared_ptr<net::Timer>{std::move(timer_)}] {});
}

void SendOperation::give_up(bool cancelled) {
    if (done()) return;
    link_->give_up(number_, link_->owner().stopped(cancelled, "sending by link \"" + link_->name + '"'));
}

// ---- any thread's ----

SenderLink::SenderLink(std::shared_ptr<Connection> owner, AmqpSenderOptions options, To to)
    : Link{std::move(owner), options.name, options.session},
      options_{[&] {
          AmqpSenderOptions out = std::move(options);
          out.name = this->name;
          return out;
      }()},
      to_{to} {}

SenderLink::~SenderLink() = default;

bool SenderLink::has_room() const noexcept { return waiting_bytes() < owner().live().max_unsettled_bytes; }

void SenderLink::encode(const AmqpMessage& message, std::string& to) const {
    const std::size_t begin = to.size();
    try {
        if (to_ == To::node && owner().live().generate_message_id && (!message.properties || message.properties->message_id.is_null())) {
            AmqpMessage named = message;
            if (!named.properties) named.properties.emplace();
            named.properties->message_id = AmqpUuid::random();
            named.encode(to);
        } else {
            message.encode(to);
        }
        const std::size_t size = to.size() - begin;
        const std::uint64_t most = max_message_size_.load(std::memory_order_relaxed);
        if (most > 0 && size > most)
            throw amqp_error(AmqpErrc::too_large, "a message of " + std::to_string(size) + " bytes was not sent by link \"" + text::printable(name) +
                                                      "\": the peer takes " + std::to_string(most));
    } catch (...) {
        to.resize(begin);
        throw;
    }
}

/// With mutex_ held.
std::uint32_t SenderLink::make_slot(Slot one) {
    if (free_slots_.empty()) {
        slots_.emplace_back();
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot - 1] = std::move(one);
    return slot;
}

void SenderLink::check(const Transaction& transaction) const {
    const std::string what = "sending a message by link \"" + text::printable(name) + "\" in a transaction";
    const char* wrong = nullptr;
    if (&owner() != transaction.owner().get())
        wrong = "it is another client's";
    else if (session != transaction.session)
        wrong = "it belongs to another session";
    else if (options_.settle_mode == AmqpSettleMode::settled)
        wrong = "the link sends all messages settled";
    if (wrong != nullptr)
        throw owner().labelled(amqp_error(AmqpErrc::transaction, what + " failed: " + wrong).with_reason(Reason::bad_value).with_phase(Phase::none));
    if (!transaction.is_active()) throw transaction.over(what);
}

std::shared_ptr<Transaction> SenderLink::transaction_of(std::uint32_t slot) {
    const std::scoped_lock lock{mutex_};
    return slots_[slot - 1].transaction;
}

/// Into the box; where it is the first there, the loop is told.
void SenderLink::post_item(const AmqpMessage& message, Item item, Slot slot) {
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        const std::size_t begin = box_.size();
        encode(message, box_);
        item.size = box_.size() - begin;
        if (slot.transaction) slot.transaction->begin_message();
        if (slot.callback || slot.operation || slot.transaction) item.slot = make_slot(std::move(slot));
        items_.push_back(item);
        bytes_.fetch_add(item.size + 1, std::memory_order_relaxed);  // an empty one counts too
        first = !posted_.load(std::memory_order_relaxed);
        posted_.store(true, std::memory_order_release);
    }
    if (first) owner().post([self = std::static_pointer_cast<SenderLink>(shared_from_this())] { self->collect(); });
}

void SenderLink::put_always(const AmqpMessage& message, std::uint64_t token) {
    Item item;
    item.token = token;
    post_item(message, item, {});
}

bool SenderLink::put(const AmqpMessage& message, std::optional<bool> settled, std::uint64_t token, Callback<AmqpOutcome> callback,
                     std::shared_ptr<SendOperation> operation, std::shared_ptr<Transaction> transaction) {
    if (transaction) check(*transaction);
    if (!has_room()) return false;
    Item item{0, token, 0, settled.value_or(options_.settled), transaction != nullptr};
    if (options_.settle_mode != AmqpSettleMode::mixed) item.settled = options_.settle_mode == AmqpSettleMode::settled;
    // From a handler there is nothing to wait for; unless what came before it waits, which goes first.
    if (!operation && !transaction && !posted_.load(std::memory_order_acquire) && owner().loop().on_thread() && stage == Stage::attached) {
        direct_.clear();
        encode(message, direct_);
        if (callback) {
            const std::scoped_lock lock{mutex_};
            item.slot = make_slot({std::move(callback), nullptr, nullptr});
        }
        bytes_.fetch_add(direct_.size() + 1, std::memory_order_relaxed);
        send_direct(item);
        if (direct_.capacity() > k_most_kept) direct_ = {};
        owner().poke_later();
        return true;
    }
    if (item.transactional) item.settled = false;
    post_item(message, item, {std::move(callback), std::move(operation), std::move(transaction)});
    return true;
}

/// What is in direct_; at once, where nothing waits before it. What is not sent again need not be kept.
void SenderLink::send_direct(const Item& item) {
    Engine* const engine = owner().engine();
    if (outbox_.waiting() > 0 || pumping_ || keeps_sent() || engine == nullptr || !engine->can_send(number)) {
        outbox_.push(direct_, item.settled, item.token, item.slot);
        if (outbox_.waiting() == 1) pump();
        return;
    }
    Outbox::Entry& entry = outbox_.push_bare(direct_.size(), item.settled, item.token, item.slot);
    const std::uint64_t message = entry.number;
    static_cast<void>(outbox_.unsent());
    pumping_ = true;  // the engine's trace may call back
    const Sent sent = engine->transfer(number, direct_, {message, item.settled, 0, {}});
    pumping_ = false;
    if (sent == Sent::whole) {
        ++messages_;
        return outbox_.sent();
    }
    outbox_.fill(message, direct_);
    if (Outbox::Entry* const kept = outbox_.find(message); kept != nullptr) kept->partly = sent == Sent::partly;
}

bool SenderLink::keeps_sent() const noexcept { return to_ == To::node && owner().live().reconnect && owner().live().resend; }

Operation SenderLink::flush(Deadline deadline, std::size_t at_most, Callback<void> callback) {
    const auto wait = std::make_shared<Wait<void>>(shared_owner(), "waiting for link \"" + text::printable(name) + '"', std::move(callback));
    owner().post([self = std::static_pointer_cast<SenderLink>(shared_from_this()), wait, deadline, at_most] {
        if (wait->done()) return;
        if (self->waiting_bytes() <= at_most) return wait->finish({});
        if (self->stage == Stage::ended) return wait->finish(*self->why);
        self->flushes_.remove_if([](const FlushWait& one) { return one.wait->done(); });
        self->flushes_.push_back({at_most, wait});
        wait->arm(deadline);
    });
    return Operation{wait};
}

// ---- the loop's ----

LinkOptions SenderLink::engine_options() const {
    LinkOptions out = link_options(options_, owner().settings());
    if (to_ == To::coordinator) out.target = encode_coordinator();
    return out;
}

void SenderLink::collect() {
    {
        const std::scoped_lock lock{mutex_};
        collected_.swap(box_);
        collected_items_.swap(items_);
        posted_.store(false, std::memory_order_release);
    }
    std::string_view rest{collected_};
    for (const Item& item : collected_items_) {
        const std::string_view bytes = rest.substr(0, item.size);
        rest.remove_prefix(item.size);
        if (stage == Stage::ended) {
            complete(item.token, item.slot, {}, &*why);
            bytes_.fetch_sub(item.size + 1, std::memory_order_relaxed);
            continue;
        }
        Outbox::Entry& entry = outbox_.push(bytes, item.settled, item.token, item.slot);
        entry.transactional = item.transactional;
        if (item.slot == 0) continue;
        std::shared_ptr<SendOperation> operation;
        {
            const std::scoped_lock lock{mutex_};
            operation = slots_[item.slot - 1].operation;
        }
        if (operation) operation->began(entry.number);
    }
    collected_.clear();
    if (collected_.capacity() > k_most_kept) collected_ = {};
    collected_items_.clear();
    if (stage == Stage::wanted) owner().ensure_connection();
    pump();
    resolve_flushes();
}

void SenderLink::pump() {
    if (pumping_ || stage != Stage::attached) return;
    pumping_ = true;
    const bool keep = keeps_sent();
    while (Outbox::Entry* const entry = outbox_.unsent()) {
        Engine* const engine = owner().engine();
        if (engine == nullptr || stage != Stage::attached) break;
        std::shared_ptr<Transaction> transaction;
        if (entry->transactional) {
            transaction = transaction_of(entry->slot);
            if (fail_late(*entry, *transaction)) continue;
        }
        const std::string_view state = transaction ? std::string_view{transaction->state} : std::string_view{};
        const Sent sent = engine->transfer(number, entry->bytes, {entry->number, entry->settled, 0, state});
        if (sent == Sent::partly) entry->partly = true;
        if (sent != Sent::whole) break;
        ++messages_;
        outbox_.sent(!keep);
    }
    pumping_ = false;
}

bool SenderLink::fail_late(const Outbox::Entry& entry, const Transaction& transaction) {
    if (entry.partly || transaction.takes_more()) return false;
    fail(entry.number, transaction.over("sending a message in a transaction"));
    return true;
}

void SenderLink::on_attached() {
    max_message_size_.store(owner().engine()->max_message_size(number), std::memory_order_relaxed);
    was_ready_ = false;
    pump();
}

void SenderLink::on_sendable() {
    pump();
    if (!options_.on_ready || owner().engine() == nullptr) return;
    const bool ready = stage == Stage::attached && owner().engine()->can_send(number);
    if (ready && !std::exchange(was_ready_, ready)) owner().tell_user([this] { options_.on_ready(); });
    was_ready_ = ready;
}

void SenderLink::on_outcome(std::uint64_t message, const Outcome& outcome) {
    const Outbox::Entry* const entry = outbox_.find(message);
    if (entry == nullptr) return;
    const std::uint64_t token = entry->token;
    const std::uint32_t slot = entry->slot;
    bytes_.fetch_sub(entry->size + 1, std::memory_order_relaxed);
    if (entry->transactional && (outcome.kind == Descriptor::accepted || outcome.kind == Descriptor::none)) transaction_of(slot)->escaped();
    outbox_.erase(message);
    if (when_answered) when_answered(token, outcome, nullptr);
    if (outcome.kind == Descriptor::accepted)
        complete(token, slot, AmqpOutcome::accepted(), nullptr);
    else
        complete(token, slot, outcome_of(outcome.kind, outcome.state), nullptr);
    if (!flushes_.empty()) resolve_flushes();
}

SenderLink::Slot SenderLink::take_slot(std::uint32_t slot) {
    const std::scoped_lock lock{mutex_};
    Slot out = std::move(slots_[slot - 1]);
    slots_[slot - 1] = {};
    free_slots_.push_back(slot);
    return out;
}

void SenderLink::complete(std::uint64_t token, std::uint32_t slot, const AmqpOutcome& outcome, const Error* error) {
    if (when_answered && error != nullptr) when_answered(token, {}, error);
    if (slot != 0) {
        Slot one = take_slot(slot);
        if (one.operation) one.operation->ended();
        if (one.transaction) one.transaction->resolved(outcome, error);
        if (!one.callback) return;
        try {
            if (error != nullptr)
                one.callback(owner().labelled(*error));
            else
                one.callback(outcome);
        } catch (const std::exception& e) { owner().callback_threw(e.what()); }
        return;
    }
    if (!options_.on_outcome) return;
    if (error == nullptr) {
        owner().tell_user([&] { options_.on_outcome(token, outcome, nullptr); });
        return;
    }
    const Error labelled = owner().labelled(*error);
    owner().tell_user([&] { options_.on_outcome(token, outcome, &labelled); });
}

void SenderLink::fail(std::uint64_t message, const Error& error) {
    const Outbox::Entry* const entry = outbox_.find(message);
    if (entry == nullptr) return;
    const std::uint64_t token = entry->token;
    const std::uint32_t slot = entry->slot;
    bytes_.fetch_sub(entry->size + 1, std::memory_order_relaxed);
    outbox_.erase(message);
    complete(token, slot, {}, &error);
}

void SenderLink::give_up(std::uint64_t message, const Error& error) {
    const Outbox::Entry* const entry = outbox_.find(message);
    if (entry == nullptr) return;
    Error told = error;
    if (entry->partly && owner().engine() != nullptr) owner().engine()->abort_transfer(number);
    if (entry->sent || entry->again)
        told.with_prefix("the message was sent and its outcome is unknown: ");
    else
        told.with_prefix("the message was not sent: ");
    fail(message, told);
    owner().settled();
    resolve_flushes();
}

template <class Which>
void SenderLink::fail_all(Which which, const Error& sent, const Error* unsent) {
    std::vector<std::pair<std::uint64_t, bool>> all;
    outbox_.each([&](const Outbox::Entry& entry) {
        const bool gone = entry.sent || entry.partly || entry.again;
        if (gone ? which(entry) : unsent != nullptr) all.emplace_back(entry.number, gone);
    });
    for (const auto& [message, gone] : all) fail(message, gone ? sent : *unsent);
    resolve_flushes();
}

void SenderLink::on_lost(const Error& error) {
    was_ready_ = false;
    const bool resend = keeps_sent() && stage != Stage::ended;
    Error unknown = amqp_error(AmqpErrc::unknown, "a message was sent by link \"" + text::printable(name) +
                                                      "\" and what became of it is unknown: " + std::string{error.message()});
    // What is sent settled is sent once at most. Of what was sent before there was to be a second time nothing is left to be sent.
    const auto others = [resend](const Outbox::Entry& entry) {
        return !entry.transactional && (!resend || entry.settled || entry.bytes.size() != entry.size);
    };
    fail_all(others, unknown, nullptr);
    if (to_ == To::coordinator) {  // what it was to say is about transactions that are over
        Error unsent = error;
        fail_all([](const Outbox::Entry&) { return true; }, unknown, &unsent);
    }
    std::vector<std::uint64_t> transactional;
    outbox_.each([&](const Outbox::Entry& entry) {
        if (entry.transactional) transactional.push_back(entry.number);
    });
    Error undone = amqp_error(AmqpErrc::transaction, "a message was sent by link \"" + text::printable(name) +
                                                         "\" in a transaction that the peer has rolled back: " + std::string{error.message()});
    for (const std::uint64_t message : transactional) fail(message, undone);
    if (!transactional.empty()) resolve_flushes();
    outbox_.rewind();
    if (when_lost) when_lost(error);
}

void SenderLink::on_ended(const Error& error) {
    Error unknown = amqp_error(AmqpErrc::unknown, "a message was sent by link \"" + text::printable(name) +
                                                      "\" and what became of it is unknown: " + std::string{error.message()});
    Error unsent = error;
    unsent.with_prefix("a message was not sent: ");
    fail_all([](const Outbox::Entry&) { return true; }, unknown, &unsent);
    const auto waits = std::exchange(flushes_, {});
    for (const FlushWait& one : waits) one.wait->finish(error);
}

void SenderLink::resolve_flushes() {
    for (auto i = flushes_.begin(); i != flushes_.end();) {
        if (waiting_bytes() > i->at_most) {
            ++i;
            continue;
        }
        const auto wait = i->wait;
        i = flushes_.erase(i);
        wait->finish({});
    }
}

void SenderLink::fill(AmqpLinkInfo& info) const {
    info.waiting = outbox_.waiting();
    info.waiting_bytes = waiting_bytes();
    info.messages = messages_;
}

}  // namespace qconn::amqp
