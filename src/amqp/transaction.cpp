// SPDX-License-Identifier: Apache-2.0
#include "amqp/transaction.hpp"

#include <algorithm>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/connection.hpp"
#include "amqp/outcome.hpp"
#include "amqp/wire.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

/// Part 4, 4.5.6.
constexpr std::size_t k_longest_id = 32;

std::string state_of(std::string_view id) {
    std::string out;
    Fields fields{out, static_cast<std::uint8_t>(Descriptor::transactional_state)};
    put_binary(fields.next(), id);
    fields.close();
    return out;
}

AmqpMessage command(Descriptor what, AmqpList fields) {
    return AmqpMessage::of_value(AmqpDescribed{AmqpValue{static_cast<std::uint64_t>(what)}, AmqpValue{std::move(fields)}});
}

AmqpMessage discharge_of(const std::string& id, bool commit) { return command(Descriptor::discharge, {AmqpBinary{id}, AmqpValue{!commit}}); }

/// Whether it is as good as rolled back: the peer has done that, or never knew it.
bool is_gone(const AmqpCondition& condition) noexcept {
    return condition.name == amqp_condition::k_transaction_rollback || condition.name == amqp_condition::k_unknown_transaction ||
           condition.name == amqp_condition::k_transaction_timeout;
}

}  // namespace

// ---- one transaction ----

Transaction::Transaction(std::shared_ptr<Transactor> transactor, std::shared_ptr<Connection> owner, std::string of, std::string name)
    : session{std::move(of)}, id{std::move(name)}, state{state_of(id)}, transactor_{std::move(transactor)}, owner_{std::move(owner)} {}

Transaction::~Transaction() {
    if (!is_active()) return;
    try {
        transactor_->abandon(owner_, session, id);
    } catch (const std::exception&) {}  // without memory for it the peer finds out when the link ends
}

bool Transaction::begin_end() noexcept {
    Stage expected = Stage::active;
    return stage_.compare_exchange_strong(expected, Stage::ending);
}

Error Transaction::over(std::string_view what) const {
    std::string why;
    {
        const std::scoped_lock lock{mutex_};
        why = why_;
    }
    if (why.empty()) why = "it is being ended";
    const AmqpErrc code = stage() == Stage::unknown ? AmqpErrc::unknown : AmqpErrc::transaction;
    return owner_->labelled(amqp_error(code, std::string{what} + " failed: " + why));
}

void Transaction::resolved(const AmqpOutcome& outcome, const Error* error) {
    if (!failure_ && error != nullptr)
        failure_ = "a message of it failed: " + std::string{error->message()};
    else if (!failure_ && !outcome.is_accepted() && outcome.state() != AmqpOutcome::State::settled)
        failure_ = "a message of it was " + outcome.shown();
    messages_.fetch_sub(1, std::memory_order_relaxed);
    look();
}

void Transaction::escaped() {
    if (!failure_) failure_ = "the peer has taken a message of it outside of it";
}

void Transaction::end(Stage stage, std::string why) {
    {
        const std::scoped_lock lock{mutex_};
        if (why_.empty()) why_ = std::move(why);
    }
    stage_.store(stage, std::memory_order_release);
    look();
}

void Transaction::look() {
    const Stage now = stage();
    if (!when_quiet || (now == Stage::ending && !is_quiet())) return;
    auto call = std::exchange(when_quiet, nullptr);
    call();
}

// ---- coordinators ----

std::shared_ptr<Transactor::Coordinator> Transactor::coordinator(const std::shared_ptr<Connection>& owner, const std::string& session) {
    std::shared_ptr<Coordinator>& entry = coordinators_[session];
    if (entry && entry->link->stage != Link::Stage::ended) return entry;
    entry = std::make_shared<Coordinator>();
    AmqpSenderOptions options;
    options.name = random_name("coordinator-");
    options.session = session;
    options.settle_mode = AmqpSettleMode::unsettled;
    entry->link = std::make_shared<SenderLink>(owner, std::move(options), SenderLink::To::coordinator);
    entry->link->when_answered = [weak = weak_from_this(), at = std::weak_ptr<Coordinator>{entry}](std::uint64_t token, const Outcome& outcome,
                                                                                                   const Error* error) {
        const auto self = weak.lock();
        const auto to = at.lock();
        if (!self || !to) return;
        error != nullptr ? self->failed(to, token, *error) : self->answered(to, token, outcome);
    };
    entry->link->when_lost = [at = std::weak_ptr<Coordinator>{entry}](const Error& why) {
        if (const auto to = at.lock()) lost(*to, why);
    };
    owner->open_link(entry->link, {}, [](const Result<std::shared_ptr<Link>>&) {});  // what waits in it is told why
    return entry;
}

void Transactor::ask(Coordinator& coordinator, const AmqpMessage& message, Asked asked) {
    const std::uint64_t token = ++last_token_;
    coordinator.asked.emplace(token, std::move(asked));
    coordinator.link->put_always(message, token);
}

// ---- beginning ----

Operation Transactor::begin(std::shared_ptr<Connection> owner, std::string session, Deadline deadline,
                            Callback<std::shared_ptr<Transaction>> callback) {
    const auto wait = std::make_shared<Wait<std::shared_ptr<Transaction>>>(owner, "beginning a transaction", std::move(callback));
    owner->post([self = shared_from_this(), owner, session = std::move(session), wait, deadline] {
        if (wait->done()) return;
        if (owner->is_over()) return wait->give_up(true);
        wait->arm(deadline);
        Asked asked;
        asked.declare = wait;
        self->ask(*self->coordinator(owner, session), command(Descriptor::declare, {}), std::move(asked));
    });
    return Operation{wait};
}

void Transactor::declared(const std::shared_ptr<Coordinator>& to, const Asked& asked, const Outcome& outcome) {
    const auto& wait = asked.declare;
    if (outcome.kind != Descriptor::declared) {
        const AmqpOutcome shown = outcome_of(outcome.kind, outcome.state);
        return wait->finish(
            amqp_error(AmqpErrc::transaction, "no transaction was begun: the peer's coordinator answered with " + shown.shown(), shown.condition()));
    }
    Declared fields;
    if (parse(outcome.state, fields) != nullptr || fields.txn_id.empty() || fields.txn_id.size() > k_longest_id)
        return wait->finish(amqp_error(AmqpErrc::protocol, "no transaction was begun: the peer's coordinator gave no id, or one that is too long"));
    const auto transaction =
        std::make_shared<Transaction>(shared_from_this(), to->link->shared_owner(), to->link->session, std::string{fields.txn_id});
    std::erase_if(to->active, [](const std::weak_ptr<Transaction>& one) { return one.expired(); });
    to->active.push_back(transaction);
    wait->finish(transaction);  // where nobody waits any more it goes with its last handle, which is this one
}

// ---- ending ----

Operation Transactor::end(std::shared_ptr<Transaction> transaction, bool commit, Deadline deadline, Callback<void> callback) {
    const std::string what = commit ? "committing a transaction" : "rolling a transaction back";
    auto named = [callback = std::move(callback), transaction, commit](Result<void> result) mutable {
        if (!callback) return;
        if (result || !commit || (result.error().code() != Errc::timeout && result.error().code() != Errc::cancelled))
            return callback(std::move(result));
        Error error = result.error();
        error.with_prefix(transaction->stage() == Transaction::Stage::unknown ? "whether it was committed is unknown: " : "nothing was committed: ");
        callback(std::move(error));
    };
    const auto owner = transaction->owner();
    const auto wait = std::make_shared<Wait<void>>(owner, what, std::move(named));
    const bool first = transaction->begin_end();
    owner->post([self = shared_from_this(), owner, transaction = std::move(transaction), commit, first, what, wait, deadline] {
        if (!first) {
            const auto stage = transaction->stage();
            if (!commit && stage == Transaction::Stage::rolled_back) return wait->finish({});
            return wait->finish(transaction->over(what));
        }
        if (wait->done()) return self->discharge(transaction, false, nullptr);  // cancelled before it began
        if (owner->is_over()) return wait->give_up(true);
        wait->on_give_up = [weak = self->weak_from_this(), transaction](const Error&) {
            const auto transactor = weak.lock();
            if (transaction->told) {
                transaction->end(Transaction::Stage::unknown, "the peer has not answered in time");
            } else if (transactor) {
                transaction->when_quiet = nullptr;
                transactor->discharge(transaction, false, nullptr);
            }
        };
        wait->arm(deadline);
        if (!commit) return self->discharge(transaction, false, wait);
        const auto go_on = [self, transaction, what, wait] {
            if (transaction->stage() != Transaction::Stage::ending) return wait->finish(transaction->over(what));
            if (!transaction->failure()) return self->discharge(transaction, true, wait);
            const std::string why = *transaction->failure();
            self->discharge(transaction, false, nullptr);
            wait->finish(amqp_error(AmqpErrc::transaction, "nothing was committed, the transaction was rolled back: " + why));
        };
        if (transaction->stage() != Transaction::Stage::ending || transaction->is_quiet()) return go_on();
        transaction->when_quiet = go_on;
    });
    return Operation{wait};
}

void Transactor::discharge(const std::shared_ptr<Transaction>& transaction, bool commit, std::shared_ptr<Wait<void>> wait) {
    const auto found = coordinators_.find(transaction->session);
    if (transaction->stage() != Transaction::Stage::ending || found == coordinators_.end()) {
        if (wait) wait->finish(commit ? Result<void>{transaction->over("committing a transaction")} : Result<void>{});
        return;
    }
    transaction->told = true;
    Asked asked;
    asked.ends = transaction;
    asked.discharge = std::move(wait);
    asked.commit = commit;
    ask(*found->second, discharge_of(transaction->id, commit), std::move(asked));
}

void Transactor::abandon(const std::shared_ptr<Connection>& owner, const std::string& session, const std::string& id) {
    owner->post([self = shared_from_this(), owner, session, id] {
        const auto found = self->coordinators_.find(session);
        if (owner->is_over() || found == self->coordinators_.end() || found->second->link->stage != Link::Stage::attached) return;
        self->ask(*found->second, discharge_of(id, false), {});
    });
}

void Transactor::discharged(const Asked& asked, const Outcome& outcome) {
    using Stage = Transaction::Stage;
    if (!asked.ends) return;  // abandoned: nobody asks
    const auto finish = [&](Result<void> result) {
        if (asked.discharge) asked.discharge->finish(std::move(result));
    };
    if (outcome.kind == Descriptor::accepted) {
        asked.ends->end(asked.commit ? Stage::committed : Stage::rolled_back, asked.commit ? "it was committed" : "it was rolled back");
        return finish({});
    }
    const AmqpOutcome answer = outcome_of(outcome.kind, outcome.state);
    const bool refused = answer.state() == AmqpOutcome::State::rejected;
    if (!asked.commit && refused && is_gone(answer.condition())) {
        asked.ends->end(Stage::rolled_back, "it was rolled back");
        return finish({});
    }
    if (refused) {
        asked.ends->end(Stage::rolled_back, "the peer has rolled it back");
        return finish(amqp_error(AmqpErrc::transaction,
                                 asked.commit ? "nothing was committed: the peer refused" : "the peer refused to roll the transaction back",
                                 answer.condition()));
    }
    asked.ends->end(Stage::unknown, "the peer gave an answer that means nothing");
    finish(amqp_error(AmqpErrc::unknown, "what became of the transaction is unknown: the peer's coordinator answered with " + answer.shown()));
}

// ---- answers ----

void Transactor::answered(const std::shared_ptr<Coordinator>& to, std::uint64_t token, const Outcome& outcome) {
    const auto found = to->asked.find(token);
    if (found == to->asked.end()) return;
    const Asked asked = std::move(found->second);
    to->asked.erase(found);
    asked.declare ? declared(to, asked, outcome) : discharged(asked, outcome);
}

void Transactor::failed(const std::shared_ptr<Coordinator>& to, std::uint64_t token, const Error& error) {
    using Stage = Transaction::Stage;
    const auto found = to->asked.find(token);
    if (found == to->asked.end()) return;
    const Asked asked = std::move(found->second);
    to->asked.erase(found);
    Error told = error;
    if (asked.declare) return asked.declare->finish(told.with_prefix("no transaction was begun: "));
    if (!asked.ends) return;
    // A peer that was not told to commit rolls back when the link ends.
    const bool unknown = asked.commit && error.code() == AmqpErrc::unknown;
    asked.ends->end(unknown ? Stage::unknown : Stage::rolled_back,
                    unknown ? "the connection was lost before the peer had answered" : "the connection was lost: the peer rolls it back");
    if (!asked.discharge) return;
    if (!asked.commit) return asked.discharge->finish({});
    asked.discharge->finish(told.with_prefix(unknown ? "whether the transaction was committed is unknown: " : "nothing was committed: "));
}

void Transactor::lost(Coordinator& to, const Error& why) {
    const auto all = std::exchange(to.active, {});
    for (const auto& weak : all) {
        const auto transaction = weak.lock();
        if (!transaction || (transaction->stage() != Transaction::Stage::active && transaction->stage() != Transaction::Stage::ending)) continue;
        transaction->end(Transaction::Stage::rolled_back, "its link has gone, and the peer rolled it back: " + std::string{why.message()});
    }
}

}  // namespace qconn::amqp
