// SPDX-License-Identifier: Apache-2.0
#include "amqp/requester.hpp"

#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/connection.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

std::string key_of(const AmqpValue& id) {
    std::string out;
    id.encode(out);
    return out;
}

}  // namespace

Operation Requester::request(std::shared_ptr<Connection> owner, std::string address, AmqpMessage message, Deadline deadline,
                             Callback<AmqpMessage> callback) {
    const std::string what = "a request to \"" + text::printable(text::shorten(address, 80)) + '"';
    auto named = [callback = std::move(callback), what](Result<AmqpMessage> result) mutable {
        if (!callback) return;
        if (result || result.error().code() != Errc::timeout) return callback(std::move(result));
        Error error = amqp_error(AmqpErrc::request_timeout, what + " had no reply in time");
        callback(error.with_connection(result.error().connection()));
    };
    const auto wait = std::make_shared<Wait<AmqpMessage>>(owner, what, std::move(named));
    const auto call = std::make_shared<Call>();
    call->wait = wait;
    call->address = std::move(address);
    call->message = std::move(message);
    if (!call->message.properties) call->message.properties.emplace();
    if (call->message.properties->message_id.is_null()) call->message.properties->message_id = AmqpUuid::random();
    call->key = key_of(call->message.properties->message_id);
    owner->post([self = shared_from_this(), owner, call, deadline] {
        if (call->wait->done()) return;
        if (owner->is_over()) return call->wait->give_up(true);
        call->wait->on_give_up = [weak = self->weak_from_this(), weak_call = std::weak_ptr<Call>{call}](const Error&) {
            const auto requester = weak.lock();
            const auto gone = weak_call.lock();
            if (!requester || !gone) return;
            requester->waiting_.remove(gone);
            requester->pending_.erase(gone->key);
        };
        call->wait->arm(deadline);
        self->begin(owner, call);
    });
    return Operation{wait};
}

void Requester::begin(const std::shared_ptr<Connection>& owner, const std::shared_ptr<Call>& call) {
    if (pending_.count(call->key) > 0)
        return call->wait->finish(amqp_error(AmqpErrc::link, "a request was not sent: another one with its message-id waits for its reply")
                                      .with_reason(Reason::exists)
                                      .with_phase(Phase::none));
    waiting_.push_back(call);
    if (replies_ && replies_->stage == Link::Stage::ended) replies_.reset();
    if (!replies_) open_replies(owner);
    send_waiting(owner);
}

void Requester::open_replies(const std::shared_ptr<Connection>& owner) {
    AmqpReceiverOptions options;
    options.source.dynamic = true;
    options.on_message = [weak = weak_from_this()](AmqpDelivery& delivery) {
        if (const auto self = weak.lock()) self->on_reply(delivery);
    };
    replies_ = std::make_shared<ReceiverLink>(owner, std::move(options));
    replies_->when_lost = [weak = weak_from_this()](const Error& why) {
        if (const auto self = weak.lock()) self->fail_sent(why);
    };
    replies_->when_attached = [weak = weak_from_this(), weak_owner = owner_] {
        const auto self = weak.lock();
        const auto connection = weak_owner.lock();
        if (self && connection) self->send_waiting(connection);
    };
    owner->open_link(replies_, {}, [weak = weak_from_this()](const Result<std::shared_ptr<Link>>& result) {
        const auto self = weak.lock();
        if (!self || result) return;
        const auto all = std::exchange(self->waiting_, {});
        for (const auto& call : all) call->wait->finish(result.error());
    });
}

void Requester::send_waiting(const std::shared_ptr<Connection>& owner) {
    if (!replies_ || replies_->stage != Link::Stage::attached) return;
    const auto all = std::exchange(waiting_, {});
    for (const auto& call : all) send(owner, call);
}

void Requester::send(const std::shared_ptr<Connection>& owner, const std::shared_ptr<Call>& call) {
    std::shared_ptr<SenderLink>& sender = senders_[call->address];
    if (sender && sender->stage == Link::Stage::ended) sender.reset();
    if (!sender) {
        AmqpSenderOptions options;
        options.target.address = call->address;
        sender = std::make_shared<SenderLink>(owner, std::move(options));
        owner->open_link(sender, {}, [](const Result<std::shared_ptr<Link>>&) {});  // what waits in it is told why
    }
    call->message.properties->reply_to = replies_->address;
    pending_[call->key] = call;
    const auto sent = [weak = weak_from_this(), call](const Result<AmqpOutcome>& result) {
        const auto self = weak.lock();
        if (!self) return;
        if (!result) return self->fail(call, result.error());
        if (result->is_accepted() || result->state() == AmqpOutcome::State::settled) return;
        Error error = amqp_error(AmqpErrc::delivery, "a request was not accepted, it was " + result->shown());
        if (!result->condition().name.empty()) error.with_detail(std::make_shared<AmqpErrorDetail>(result->condition()));
        self->fail(call, error);
    };
    try {
        if (!sender->put(call->message, std::nullopt, 0, sent))
            fail(call, amqp_error(AmqpErrc::busy, "a request was not sent: too much waits to be sent to its address already"));
    } catch (const Error& error) { fail(call, error); }
}

void Requester::on_reply(AmqpDelivery& delivery) {
    AmqpMessage reply = delivery.message();
    if (!reply.properties) return;
    // By the correlation-id; some repliers give the message-id back as their own.
    for (const AmqpValue* id : {&reply.properties->correlation_id, &reply.properties->message_id}) {
        if (id->is_null()) continue;
        const auto found = pending_.find(key_of(*id));
        if (found == pending_.end()) continue;
        const auto call = found->second;
        pending_.erase(found);
        return call->wait->finish(std::move(reply));
    }
}

void Requester::fail(const std::shared_ptr<Call>& call, const Error& why) {
    const auto found = pending_.find(call->key);
    if (found != pending_.end() && found->second == call) pending_.erase(found);
    call->wait->finish(why);
}

/// The node that replies were to come by is gone.
void Requester::fail_sent(const Error& why) {
    const auto all = std::exchange(pending_, {});
    for (const auto& [key, call] : all)
        call->wait->finish(amqp_error(AmqpErrc::unknown, "a request was sent, and its reply cannot come any more: " + std::string{why.message()}));
}

}  // namespace qconn::amqp
