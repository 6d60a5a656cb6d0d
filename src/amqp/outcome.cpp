// SPDX-License-Identifier: Apache-2.0
#include "amqp/outcome.hpp"

#include <array>
#include <utility>

#include <qconn/amqp/amqp_transaction.hpp>

#include "amqp/amqp_error.hpp"
#include "amqp/transaction.hpp"
#include "amqp/wire.hpp"

namespace qconn {

using amqp::Descriptor;
using amqp::Fields;

struct AmqpOutcome::Detail {
    AmqpCondition condition{};
    bool delivery_failed{false};
    bool undeliverable_here{false};
    AmqpMap annotations{};
    std::shared_ptr<amqp::Transaction> transaction{};
};

namespace {

const AmqpCondition k_no_condition{};
const AmqpMap k_no_annotations{};
const std::shared_ptr<amqp::Transaction> k_no_transaction{};
constexpr std::array<std::string_view, 5> k_outcomes{"accepted", "rejected", "released", "modified", "settled"};

}  // namespace

std::string_view to_string(AmqpOutcome::State state) noexcept { return k_outcomes[static_cast<std::size_t>(state)]; }

AmqpOutcome AmqpOutcome::rejected(AmqpCondition condition) {
    AmqpOutcome out{State::rejected};
    if (condition.name.empty() && condition.description.empty()) return out;
    if (condition.name.empty()) condition.name = amqp_condition::k_internal_error;
    auto detail = std::make_shared<Detail>();
    detail->condition = std::move(condition);
    out.detail_ = std::move(detail);
    return out;
}

AmqpOutcome AmqpOutcome::modified(bool delivery_failed, bool undeliverable_here, AmqpMap annotations) {
    AmqpOutcome out{State::modified};
    auto detail = std::make_shared<Detail>();
    detail->delivery_failed = delivery_failed;
    detail->undeliverable_here = undeliverable_here;
    for (auto& [key, value] : annotations)
        if (const auto* const text = key.get_if<std::string>()) key = AmqpSymbol{*text};
    detail->annotations = std::move(annotations);
    out.detail_ = std::move(detail);
    return out;
}

AmqpOutcome AmqpOutcome::in(const AmqpTransaction& transaction) const {
    AmqpOutcome out{state_};
    auto detail = detail_ ? std::make_shared<Detail>(*detail_) : std::make_shared<Detail>();
    detail->transaction = transaction.transaction_;
    out.detail_ = std::move(detail);
    return out;
}

const std::shared_ptr<amqp::Transaction>& AmqpOutcome::transaction() const noexcept { return detail_ ? detail_->transaction : k_no_transaction; }

const AmqpCondition& AmqpOutcome::condition() const noexcept { return detail_ ? detail_->condition : k_no_condition; }
bool AmqpOutcome::delivery_failed() const noexcept { return detail_ && detail_->delivery_failed; }
bool AmqpOutcome::undeliverable_here() const noexcept { return detail_ && detail_->undeliverable_here; }
const AmqpMap& AmqpOutcome::message_annotations() const noexcept { return detail_ ? detail_->annotations : k_no_annotations; }

bool operator==(const AmqpOutcome& a, const AmqpOutcome& b) noexcept {
    return a.state_ == b.state_ && a.condition() == b.condition() && a.delivery_failed() == b.delivery_failed() &&
           a.undeliverable_here() == b.undeliverable_here() && a.message_annotations() == b.message_annotations();
}

void AmqpOutcome::encode(std::string& to) const {
    if (const auto& transaction = this->transaction(); transaction && state_ != State::settled) {
        AmqpOutcome plain = *this;
        auto detail = std::make_shared<Detail>(*detail_);
        detail->transaction = nullptr;
        plain.detail_ = std::move(detail);
        Fields fields{to, static_cast<std::uint8_t>(Descriptor::transactional_state)};
        amqp::put_binary(fields.next(), transaction->id);
        plain.encode(fields.next());
        return fields.close();
    }
    switch (state_) {
        case State::accepted: return Fields{to, static_cast<std::uint8_t>(Descriptor::accepted)}.close();
        case State::released: return Fields{to, static_cast<std::uint8_t>(Descriptor::released)}.close();
        case State::settled: return;
        case State::rejected: {
            Fields fields{to, static_cast<std::uint8_t>(Descriptor::rejected)};
            if (!condition().name.empty()) amqp::put_condition(fields.next(), condition());
            return fields.close();
        }
        case State::modified: {
            Fields fields{to, static_cast<std::uint8_t>(Descriptor::modified)};
            amqp::put_boolean(fields.next(), delivery_failed());
            amqp::put_boolean(fields.next(), undeliverable_here());
            if (!message_annotations().empty()) AmqpValue{message_annotations()}.encode(fields.next());
            return fields.close();
        }
    }
}

std::string AmqpOutcome::shown() const {
    std::string out{to_string(state_)};
    if (!condition().name.empty()) out += ": " + amqp::shown(condition());
    if (delivery_failed()) out += ", counted as a failed attempt";
    if (undeliverable_here()) out += ", not to be delivered here again";
    return out;
}

namespace amqp {

void put_condition(std::string& to, const AmqpCondition& why) {
    Fields fields{to, static_cast<std::uint8_t>(Descriptor::error)};
    put_symbol(fields.next(), why.name);
    if (why.description.empty())
        fields.absent();
    else
        put_string(fields.next(), why.description);
    if (!why.info.empty()) AmqpValue{why.info}.encode(fields.next());
    fields.close();
}

AmqpCondition condition_of(const Raw& raw) {
    AmqpCondition out;
    ErrorFields fields;
    if (raw.is_null() || descriptor_of(raw) != Descriptor::error || parse(raw, fields) != nullptr) return out;
    out.name = fields.condition;
    out.description = fields.description;
    if (fields.has(ErrorFields::i_info)) out.info = map_of(fields.info);
    return out;
}

AmqpMap map_of(const Raw& raw) {
    if (!raw.is_map()) return {};
    try {
        AmqpValue value = AmqpValue::decode(raw.whole());
        if (AmqpMap* const map = value.get_if<AmqpMap>()) return std::move(*map);
    } catch (const Error&) {}  // what it belongs to counts without it
    return {};
}

AmqpOutcome not_handled() { return AmqpOutcome::rejected({std::string{amqp_condition::k_internal_error}, "the receiver could not handle it", {}}); }

AmqpOutcome outcome_of(Descriptor kind, const Raw& state) {
    switch (kind) {
        case Descriptor::accepted: return AmqpOutcome::accepted();
        case Descriptor::released: return AmqpOutcome::released();
        case Descriptor::rejected: {
            Rejected rejected;
            if (parse(state, rejected) != nullptr) return AmqpOutcome::rejected();
            return AmqpOutcome::rejected(condition_of(rejected.error));
        }
        case Descriptor::modified: {
            Modified modified;
            if (parse(state, modified) != nullptr) return AmqpOutcome::modified();
            return AmqpOutcome::modified(modified.delivery_failed, modified.undeliverable_here, map_of(modified.message_annotations));
        }
        case Descriptor::transactional_state: {
            TransactionalState transactional;
            if (parse(state, transactional) != nullptr) break;
            return outcome_of(descriptor_of(transactional.outcome), transactional.outcome);
        }
        default: break;
    }
    return AmqpOutcome{AmqpOutcome::State::settled};
}

}  // namespace amqp
}  // namespace qconn
