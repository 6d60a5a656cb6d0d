// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/connection.hpp"
#include "amqp/links.hpp"
#include "amqp/message_view.hpp"
#include "amqp/outcome.hpp"
#include "base/text.hpp"

namespace qconn {

void AmqpDelivery::reject(std::string_view condition, std::string_view description) {
    set_outcome(AmqpOutcome::rejected({std::string{condition}, std::string{description}, {}}));
}

namespace amqp {

namespace {

/// How long the peer has to answer a request to use credit or to give it back.
constexpr std::chrono::milliseconds k_drain_grace{2'000};

}  // namespace

/// The message that a handler is called with.
class ReceiverLink::Delivery final : public AmqpDelivery {
public:
    Delivery(ReceiverLink& link, const Incoming& message) noexcept : link_{link}, message_{message}, view_{message.payload} {}

    const std::string& link() const noexcept override { return link_.name; }
    const std::string& session() const noexcept override { return link_.session; }
    bool is_settled() const noexcept override { return message_.settled; }
    std::string_view tag() const noexcept override { return message_.tag; }
    std::uint32_t message_format() const noexcept override { return message_.format; }
    std::string_view bytes() const noexcept override { return message_.payload; }
    std::string_view text() const override { return view_.text(); }
    AmqpMessage message() const override { return view_.message(); }
    void set_outcome(AmqpOutcome outcome) override {
        outcome_ = std::move(outcome);
        given_ = true;
    }
    std::function<void(AmqpOutcome)> answer_later() override {
        later_ = true;
        return message_.settled ? [](const AmqpOutcome&) {} : link_.answer_for(message_.delivery_id);
    }

    bool is_later() const noexcept { return later_; }
    bool is_plain() const noexcept { return !given_ || (outcome_.is_accepted() && !outcome_.transaction()); }
    const AmqpOutcome& outcome() const noexcept { return outcome_; }

private:
    ReceiverLink& link_;
    const Incoming& message_;
    MessageView view_;
    AmqpOutcome outcome_{AmqpOutcome::State::accepted};
    bool given_{false};
    bool later_{false};
};

ReceiverLink::ReceiverLink(std::shared_ptr<Connection> owner, AmqpReceiverOptions options)
    : Link{std::move(owner), options.name, options.session}, options_{[&] {
          AmqpReceiverOptions out = std::move(options);
          out.name = this->name;
          return out;
      }()} {}

LinkOptions ReceiverLink::engine_options() const { return link_options(options_, owner().settings()); }

// ---- messages ----

Answer ReceiverLink::on_delivery(const Incoming& message) {
    ++messages_;
    if (!options_.on_message) {
        unread_.push_back({std::string{message.payload}, message.delivery_id, message.settled});
        hand_out();
        return Answer::later;
    }
    Delivery delivery{*this, message};
    const bool calm = owner().tell_user([&] { options_.on_message(delivery); });
    if (delivery.is_later()) return Answer::later;
    if (calm && delivery.is_plain()) return Answer::accepted;
    if (message.settled) return Answer::accepted;
    // The engine learns of it only after this: it is answered next.
    AmqpOutcome outcome = calm ? delivery.outcome() : not_handled();
    owner().post([self = std::static_pointer_cast<ReceiverLink>(shared_from_this()), generation = owner().generation(), id = message.delivery_id,
                  outcome = std::move(outcome)] { self->owner().answer(self->session, generation, id, outcome); });
    return Answer::later;
}

std::function<void(AmqpOutcome)> ReceiverLink::answer_for(std::uint32_t delivery_id) {
    return [owner = shared_owner(), of = session, generation = owner().generation(), delivery_id](AmqpOutcome outcome) {
        owner->post([owner, of, generation, delivery_id, outcome = std::move(outcome)] { owner->answer(of, generation, delivery_id, outcome); });
    };
}

void ReceiverLink::give(const std::shared_ptr<Wait<AmqpReceived>>& wait, Unread message) {
    AmqpReceived out;
    out.settled = message.settled;
    if (!message.settled) {
        if (options_.auto_accept)
            owner().answer(session, owner().generation(), message.delivery_id, AmqpOutcome::accepted());
        else
            out.answer = answer_for(message.delivery_id);
    }
    if (!out.answer) out.answer = [](const AmqpOutcome&) {};
    try {
        out.message = AmqpMessage::decode(message.bytes);
    } catch (const Error& error) { return wait->finish(error); }
    wait->finish(std::move(out));
}

void ReceiverLink::hand_out() {
    if (!fetches_.empty() && !unread_.empty()) {
        Fetch fetch = std::move(fetches_.front());
        fetches_.pop_front();
        if (timer_) timer_->cancel();
        Unread message = std::move(unread_.front());
        unread_.pop_front();
        // It crossed the end of its wait: the next one has it.
        if (fetch.wait->done()) {
            unread_.push_front(std::move(message));
        } else {
            give(fetch.wait, std::move(message));
        }
        return next_fetch();
    }
    while (!waiting_.empty() && !unread_.empty()) {
        const auto wait = waiting_.front();
        waiting_.pop_front();
        if (wait->done()) continue;
        Unread message = std::move(unread_.front());
        unread_.pop_front();
        give(wait, std::move(message));
    }
}

Operation ReceiverLink::receive(Deadline deadline, Callback<AmqpReceived> callback) {
    const auto wait = std::make_shared<Wait<AmqpReceived>>(shared_owner(), "receiving by link \"" + text::printable(name) + '"', std::move(callback));
    owner().post([self = std::static_pointer_cast<ReceiverLink>(shared_from_this()), wait, deadline] {
        if (wait->done()) return;
        if (self->options_.on_message || self->options_.mode == AmqpReceiverOptions::Mode::fetch)
            return wait->finish(amqp_error(AmqpErrc::link, "link \"" + text::printable(self->name) +
                                                               (self->options_.on_message ? "\" gives its messages to a handler, and not to receive()"
                                                                                          : "\" fetches: use fetch()"))
                                    .with_reason(Reason::bad_value)
                                    .with_phase(Phase::none));
        if (self->stage == Stage::ended && self->unread_.empty()) return wait->finish(*self->why);
        self->waiting_.remove_if([](const auto& one) { return one->done(); });
        self->waiting_.push_back(wait);
        wait->arm(deadline);
        if (self->stage == Stage::wanted) self->owner().ensure_connection();
        self->hand_out();
    });
    return Operation{wait};
}

// ---- fetching ----

Operation ReceiverLink::fetch(Deadline deadline, Callback<AmqpReceived> callback) {
    const auto wait = std::make_shared<Wait<AmqpReceived>>(shared_owner(), "fetching by link \"" + text::printable(name) + '"', std::move(callback));
    owner().post([self = std::static_pointer_cast<ReceiverLink>(shared_from_this()), wait, deadline] {
        if (wait->done()) return;
        if (self->options_.mode != AmqpReceiverOptions::Mode::fetch)
            return wait->finish(amqp_error(AmqpErrc::link, "link \"" + text::printable(self->name) + "\" does not fetch: open it with mode fetch")
                                    .with_reason(Reason::bad_value)
                                    .with_phase(Phase::none));
        if (self->stage == Stage::ended) return wait->finish(*self->why);
        self->fetches_.push_back({wait, deadline});
        if (self->stage == Stage::wanted) self->owner().ensure_connection();
        self->next_fetch();
    });
    return Operation{wait};
}

/// The first in the line gets its credit, and its time.
void ReceiverLink::next_fetch() {
    while (!fetches_.empty() && fetches_.front().wait->done() && !fetches_.front().granted) fetches_.pop_front();
    if (fetches_.empty()) return;
    if (!unread_.empty()) return hand_out();
    Fetch& first = fetches_.front();
    if (!first.granted && stage == Stage::attached && owner().engine() != nullptr) {
        first.granted = true;
        // Credit of one that was cancelled may be there still.
        if (owner().engine()->link_state(number).credit == 0) owner().engine()->grant(number, 1);
        owner().poke();
    }
    if (!timer_) timer_ = std::make_unique<net::Timer>(owner().loop());
    timer_->arm(first.deadline, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) std::static_pointer_cast<ReceiverLink>(self)->drain_now();
    });
}

/// The time of the first is over: the peer uses its credit now, or gives it back.
void ReceiverLink::drain_now() {
    if (fetches_.empty()) return;
    Fetch& first = fetches_.front();
    if (first.draining || !first.granted || stage != Stage::attached || owner().engine() == nullptr) {
        const auto wait = first.wait;
        const bool silent = first.draining;
        fetches_.pop_front();
        Error error = make_error(Errc::timeout, "fetching by link \"" + text::printable(name) + "\" failed: " +
                                                    (silent ? "no message came, and the peer did not give the credit back"
                                                            : "the deadline has passed before the link was open"));
        wait->finish(std::move(error.with_phase(Phase::protocol).with_retryable(true)));
        return next_fetch();
    }
    first.draining = true;
    if (owner().drains())
        owner().engine()->grant(number, 0, true);
    else
        owner().engine()->recall(number);
    owner().poke();
    timer_->arm(Deadline{k_drain_grace}, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) std::static_pointer_cast<ReceiverLink>(self)->drain_now();
    });
}

void ReceiverLink::on_drained() {
    if (fetches_.empty() || !fetches_.front().draining) return;
    const auto wait = fetches_.front().wait;
    fetches_.pop_front();
    wait->finish(amqp_error(AmqpErrc::receive, "there was no message to fetch by link \"" + text::printable(name) + '"'));
    next_fetch();
}

// ---- ends ----

void ReceiverLink::on_attached() {
    next_fetch();
    if (when_attached) when_attached();
}

void ReceiverLink::on_lost(const Error& error) {
    if (when_lost) when_lost(error);
    // What was not settled comes again: what waits here would come twice.
    std::erase_if(unread_, [](const Unread& one) { return !one.settled; });
    for (Fetch& one : fetches_) one.granted = one.draining = false;
}

void ReceiverLink::on_ended(const Error& error) {
    hand_out();
    end_waits(error);
    if (!timer_) return;
    // It goes on its loop, and not with the last handle on a thread of the user's; and not from inside its own callback.
    timer_->cancel();
    owner().loop().post([timer = std::shared_ptr<net::Timer>{std::move(timer_)}] {});
}

void ReceiverLink::end_waits(const Error& error) {
    const auto waits = std::exchange(waiting_, {});
    for (const auto& one : waits) one->finish(error);
    const auto fetches = std::exchange(fetches_, {});
    for (const Fetch& one : fetches) one.wait->finish(error);
}

void ReceiverLink::fill(AmqpLinkInfo& info) const {
    info.waiting = unread_.size();
    for (const Unread& one : unread_) info.waiting_bytes += one.bytes.size();
    info.messages = messages_;
}

}  // namespace amqp
}  // namespace qconn
