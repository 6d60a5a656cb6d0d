// SPDX-License-Identifier: Apache-2.0
// Messages: their transfers, credit and windows, and what becomes of them.
#include <algorithm>
#include <cstring>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/engine.hpp"

namespace qconn::amqp {

namespace {

/// Settled, with the state accepted.
constexpr std::string_view k_accepted{"\x00\x53\x24\x45", 4};

/// The head of a transfer, on the stack: there is one for each message.
class TransferHead {
public:
    TransferHead(std::uint16_t channel, std::uint32_t handle) {
        static constexpr char k_begin[]{0, 0, 0, 0, 2, 0, 0, 0, 0, 0x53, 0x14, static_cast<char>(code::k_list8), 0, 0};
        std::memcpy(bytes_, k_begin, sizeof k_begin);
        store(bytes_ + 6, channel);
        put_uint(handle);
    }
    void put_uint(std::uint32_t value) noexcept {
        ++fields_;
        if (value == 0) {
            *at_++ = static_cast<char>(code::k_uint0);
        } else if (value <= 0xff) {
            *at_++ = static_cast<char>(code::k_smalluint);
            *at_++ = static_cast<char>(value);
        } else {
            *at_++ = static_cast<char>(code::k_uint);
            store(at_, value);
            at_ += 4;
        }
    }
    void put_tag(std::uint32_t tag) noexcept {
        ++fields_;
        *at_++ = static_cast<char>(code::k_vbin8);
        *at_++ = 4;
        store(at_, tag);
        at_ += 4;
    }
    void put_boolean(bool value) noexcept {
        ++fields_;
        *at_++ = static_cast<char>(value ? code::k_true : code::k_false);
    }
    void put_null() noexcept {
        ++fields_;
        *at_++ = static_cast<char>(code::k_null);
    }
    /// @param encoded  at most 200 bytes
    void put_encoded(std::string_view encoded) noexcept {
        ++fields_;
        std::memcpy(at_, encoded.data(), encoded.size());
        at_ += encoded.size();
    }
    std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - bytes_); }
    /// With so many bytes of a message behind it.
    std::string_view close(std::size_t payload) noexcept {
        store(bytes_, static_cast<std::uint32_t>(size() + payload));
        bytes_[12] = static_cast<char>(size() - 13);
        bytes_[13] = static_cast<char>(fields_);
        return {bytes_, size()};
    }

private:
    char bytes_[320];
    char* at_{bytes_ + 14};
    int fields_{0};
};

}  // namespace

// ---- sending ----

bool Engine::can_send(std::uint32_t id) const noexcept {
    if (stage_ != Stage::open) return false;
    const Link& link = links_[id];
    if (link.stage != LinkStage::attached || link.refused_by_peer) return false;
    return (link.credit > 0 || link.in_delivery) && sessions_[link.session]->remote_incoming_window > 0 &&
           out_.size() - out_at_ < options_.most_output;
}

Sent Engine::transfer(std::uint32_t id, std::string_view message, const TransferInfo& info) {
    Link& link = links_[id];
    if (!can_send(id)) {
        wait_for_room(id);
        return link.in_delivery ? Sent::partly : Sent::blocked;
    }
    Session& session = *sessions_[link.session];
    const bool begins = !link.in_delivery;
    if (begins) {
        link.in_delivery = true;
        link.progress = 0;
        link.delivery_id = session.next_delivery_id++;
        --link.credit;
        ++link.delivery_count;
    }
    bool first = begins;
    for (;;) {
        TransferHead head{static_cast<std::uint16_t>(link.session), link.handle};
        // Those after the first belong to it by their handle (2.7.5).
        if (first) {
            head.put_uint(link.delivery_id);
            head.put_tag(link.next_tag++);
            head.put_uint(info.format);
            head.put_boolean(info.settled);
        } else {
            for (int i = 0; i < 4; ++i) head.put_null();
        }
        const std::size_t left = message.size() - link.progress;
        const bool has_state = first && !info.state.empty();
        // "more" may come, and a state with a null before it.
        const std::size_t most = remote_max_frame_size_ - head.size() - 1 - (has_state ? info.state.size() + 1 : 0);
        const bool more = left > most;
        if (more || has_state) head.put_boolean(more);
        if (has_state) {
            head.put_null();
            head.put_encoded(info.state);
        }
        const std::string_view part = message.substr(link.progress, more ? most : left);
        out_.append(head.close(part.size()));
        if (trace_) {
            Reader reader{std::string_view{out_}.substr(out_.size() - head.size() + 8)};
            Raw raw;
            if (reader.read(raw))
                host_.on_frame(true, static_cast<std::uint16_t>(link.session), Descriptor::transfer, std::string{raw.whole()}, part.size());
        }
        out_.append(part);
        link.progress += part.size();
        ++session.next_outgoing_id;
        --session.remote_incoming_window;
        first = false;
        if (!more) break;
        if (!can_send(id)) {
            // The outcome may come before the rest has gone.
            if (begins && !info.settled) {
                session.outgoing.push(link.delivery_id, {id, info.number});
                ++link.unsettled;
            }
            wait_for_room(id);
            return Sent::partly;
        }
    }
    link.in_delivery = false;
    if (info.settled) {
        const std::uint64_t offset = out_total_ + out_.size();
        // One entry for a run of them: what comes with the next write is told at once.
        if (!marks_.empty() && marks_.back().link == id && marks_.back().last + 1 == info.number && offset - marks_.back().offset < 4096) {
            marks_.back().last = info.number;
            marks_.back().offset = offset;
        } else {
            marks_.push_back({offset, id, info.number, info.number});
        }
    } else if (begins) {
        session.outgoing.push(link.delivery_id, {id, info.number});
        ++link.unsettled;
    }
    return Sent::whole;
}

void Engine::abort_transfer(std::uint32_t id) {
    Link& link = links_[id];
    if (!link.in_delivery || link.receiver || link.stage != LinkStage::attached || stage_ != Stage::open) return;
    Session& session = *sessions_[link.session];
    const std::size_t begin = begin_frame(static_cast<std::uint16_t>(link.session));
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::transfer)};
    put_uint(fields.next(), link.handle);
    for (int i = 0; i < 8; ++i) fields.absent();
    put_boolean(fields.next(), true);
    fields.close();
    end_frame(begin);
    ++session.next_outgoing_id;
    if (session.remote_incoming_window > 0) --session.remote_incoming_window;
    link.in_delivery = false;
    if (session.outgoing.find(link.delivery_id) != nullptr) {
        session.outgoing.erase(link.delivery_id);
        --link.unsettled;
    }
}

void Engine::wait_for_room(std::uint32_t id) {
    Link& link = links_[id];
    if (link.waits) return;
    link.waits = true;
    waiting_.push_back(id);
}

/// Each gets its turn; who is blocked again comes behind the others.
void Engine::wake_senders() {
    if (waiting_.empty() || stage_ != Stage::open) return;
    waking_.swap(waiting_);
    for (std::size_t i = 0; i < waking_.size(); ++i) {
        const std::uint32_t id = waking_[i];
        Link& link = links_[id];
        if (!link.waits) continue;
        link.waits = false;
        if (can_send(id))
            host_.on_sendable(id);
        else
            wait_for_room(id);
    }
    waking_.clear();
}

void Engine::written(std::size_t size, Clock::time_point now) {
    out_at_ += size;
    last_sent_ = now;
    const bool all = out_at_ == out_.size();
    if (all || out_at_ >= 64 * 1024) {
        out_total_ += out_at_;
        all ? out_.clear() : static_cast<void>(out_.erase(0, out_at_));
        out_at_ = 0;
    }
    const std::uint64_t gone = out_total_ + out_at_;
    while (!marks_.empty() && marks_.front().offset <= gone) {
        const Mark mark = marks_.front();
        marks_.pop_front();
        for (std::uint64_t number = mark.first; number <= mark.last; ++number) host_.on_outcome(mark.link, number, {});
    }
    if (out_.size() - out_at_ < options_.most_output / 2) wake_senders();
}

// ---- credit and windows ----

void Engine::send_flow(Session& session, std::uint16_t channel, Link* link, bool echo) {
    session.incoming_left = session.options.incoming_window;
    session.flow_due = false;
    const std::size_t begin = begin_frame(channel);
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::flow)};
    put_uint(fields.next(), session.next_incoming_id);
    put_uint(fields.next(), session.options.incoming_window);
    put_uint(fields.next(), session.next_outgoing_id);
    put_uint(fields.next(), session.options.outgoing_window);
    if (link != nullptr) {
        link->flow_due = false;
        put_uint(fields.next(), link->handle);
        put_uint(fields.next(), link->delivery_count);
        put_uint(fields.next(), link->credit);
        if (link->receiver)
            fields.absent();
        else
            put_uint(fields.next(), link->available);
        if (link->receiver ? link->asked_to_drain : link->draining)
            put_boolean(fields.next(), true);
        else if (echo)
            fields.absent();
    } else if (echo) {
        for (int i = 0; i < 5; ++i) fields.absent();
    }
    if (echo) put_boolean(fields.next(), true);
    fields.close();
    end_frame(begin);
}

void Engine::touch(std::uint32_t number) {
    Session& session = *sessions_[number];
    if (session.touched) return;
    session.touched = true;
    touched_sessions_.push_back(number);
}

void Engine::top_up(Link& link, std::uint32_t id) {
    if (link.target_credit == 0 || link.credit > link.threshold) return;
    const std::uint32_t most = link.target_credit > link.unanswered ? link.target_credit - link.unanswered : 0;
    // Not one by one: each flow costs both sides, and RabbitMQ gives away more with each.
    const std::uint32_t least = std::max<std::uint32_t>((link.target_credit - link.threshold) / 4, 1);
    if (most < link.credit + least) return;
    link.credit = most;
    link.excess = 0;
    if (link.flow_due) return;
    link.flow_due = true;
    flows_due_.push_back(id);
}

void Engine::grant(std::uint32_t id, std::uint32_t more, bool drain) {
    Link& link = links_[id];
    if (stage_ != Stage::open || link.stage != LinkStage::attached || !link.receiver) return;
    link.credit += std::min(more, k_uint_max - link.credit);
    link.asked_to_drain = drain && link.credit > 0;
    link.recalling = false;
    if (link.flow_due) return;
    link.flow_due = true;
    flows_due_.push_back(id);
}

void Engine::recall(std::uint32_t id) {
    Link& link = links_[id];
    if (stage_ != Stage::open || link.stage != LinkStage::attached || !link.receiver) return;
    link.recalling = true;
    const std::uint32_t credit = std::exchange(link.credit, 0);
    send_flow(*sessions_[link.session], static_cast<std::uint16_t>(link.session), &link, true);
    link.credit = credit;
}

void Engine::echo(std::uint32_t number) {
    Session* const session = number < sessions_.size() ? sessions_[number].get() : nullptr;
    if (stage_ != Stage::open || session == nullptr || session->stage != SessionStage::mapped) return;
    send_flow(*session, static_cast<std::uint16_t>(number), nullptr, true);
}

void Engine::on_flow(std::uint32_t number, const Raw& raw) {
    Flow flow;
    if (const char* const wrong = parse(raw, flow)) return breach(amqp_condition::k_decode_error, std::string{"a flow cannot be read: "} + wrong);
    Session& session = *sessions_[number];
    // Where the peer has not yet seen our begin, it counts from the first number that there was (2.5.6).
    const std::uint32_t from = flow.has(Flow::i_next_incoming_id) ? flow.next_incoming_id : 0;
    const std::uint32_t window = from + flow.incoming_window - session.next_outgoing_id;
    session.remote_incoming_window = window > 0x7fffffffU && flow.incoming_window <= 0x7fffffffU ? 0 : window;
    if (!flow.has(Flow::i_handle)) {
        if (flow.echo) send_flow(session, static_cast<std::uint16_t>(number), nullptr);
        return wake_senders();
    }
    const std::uint32_t id = find_link(session, flow.handle);
    if (id == k_uint_max)
        return session_breach(number, amqp_condition::k_unattached_handle, "a flow has handle " + std::to_string(flow.handle) + ", which is no link");
    Link& link = links_[id];
    if (link.stage != LinkStage::attached) return;
    if (link.receiver) {
        if (flow.has(Flow::i_available)) link.available = flow.available;
        // Otherwise only messages use credit. RabbitMQ's flows may overtake those that they count.
        if (flow.has(Flow::i_delivery_count) && (link.asked_to_drain || link.recalling)) {
            const std::uint32_t used = flow.delivery_count - link.delivery_count;
            if (used <= 0x7fffffffU) {
                link.delivery_count = flow.delivery_count;
                link.credit -= std::min(used, link.credit);
            }
        }
        if (link.recalling) {
            // What was on its way has come before this answer; unless it is one to an earlier flow.
            link.may_cross = link.credit;
            link.credit = 0;
        }
        const bool drained = (link.asked_to_drain || link.recalling) && link.credit == 0;
        if (drained) link.asked_to_drain = link.recalling = false;
        if (flow.echo) send_flow(session, static_cast<std::uint16_t>(number), &link);
        if (drained) host_.on_drained(id);
        return;
    }
    if (flow.has(Flow::i_link_credit)) {
        const std::uint32_t count = flow.has(Flow::i_delivery_count) ? flow.delivery_count : 0;
        const std::uint32_t credit = count + flow.link_credit - link.delivery_count;
        // A peer that has lowered it below what is on its way.
        link.credit = credit > 0x7fffffffU && flow.link_credit <= 0x7fffffffU ? 0 : credit;
    }
    link.draining = flow.drain;
    const bool told = link.waits;
    wake_senders();
    if (!told && link.stage == LinkStage::attached && link.credit > 0) host_.on_sendable(id);
    if (link.stage != LinkStage::attached) return;
    if (link.draining && link.credit > 0) {
        // Nothing is left to send: it is given back.
        link.delivery_count += link.credit;
        link.credit = 0;
        send_flow(session, static_cast<std::uint16_t>(number), &link);
    } else if (flow.echo || flow.drain) {
        send_flow(session, static_cast<std::uint16_t>(number), &link);
    }
}

// ---- receiving ----

void Engine::on_transfer(std::uint32_t number, const Raw& raw, std::string_view payload) {
    Transfer transfer;
    if (const char* const wrong = parse(raw, transfer))
        return breach(amqp_condition::k_decode_error, std::string{"a transfer cannot be read: "} + wrong);
    Session& session = *sessions_[number];
    if (session.incoming_left == 0) return session_breach(number, amqp_condition::k_window_violation, "more frames came than the window has");
    ++session.next_incoming_id;
    --session.incoming_left;
    if (session.incoming_left <= session.options.incoming_window / 2 && !session.flow_due) {
        session.flow_due = true;
        touch(number);
    }
    const std::uint32_t id = find_link(session, transfer.handle);
    if (id == k_uint_max)
        return session_breach(number, amqp_condition::k_unattached_handle,
                              "a transfer has handle " + std::to_string(transfer.handle) + ", which is no link");
    Link& link = links_[id];
    if (link.stage != LinkStage::attached) return;
    if (!link.receiver) return session_breach(number, amqp_condition::k_not_allowed, "a transfer came on a link that this side sends on");
    if (!link.in_delivery) {
        if (!transfer.has(Transfer::i_delivery_id)) {
            // Left out by peers that leave out what equals the default.
            transfer.delivery_id = 0;
        }
        if (link.credit == 0 && link.may_cross > 0) {
            --link.may_cross;
            ++link.credit;
        }
        if (link.credit == 0 && allows_excess_ && link.excess / 4 < link.target_credit) {
            ++link.excess;
            ++link.credit;
        }
        if (link.credit == 0) return link_breach(id, amqp_condition::k_transfer_limit_exceeded, "a message came for which the peer had no credit");
        --link.credit;
        ++link.delivery_count;
        if (transfer.aborted) return top_up(link, id);
        if (!transfer.more) {
            if (link.max_message_size > 0 && payload.size() > link.max_message_size)
                return link_breach(id, amqp_condition::k_message_size_exceeded,
                                   "a message of " + std::to_string(payload.size()) + " bytes came, where " + std::to_string(link.max_message_size) +
                                       " were allowed");
            return deliver(id, {transfer.delivery_id, transfer.delivery_tag, transfer.message_format, transfer.settled, payload});
        }
        link.in_delivery = true;
        link.delivery_id = transfer.delivery_id;
        link.partial_tag = transfer.delivery_tag;
        link.partial_format = transfer.message_format;
        link.partial_settled = false;
        link.partial.clear();
    } else if (transfer.has(Transfer::i_delivery_id) && transfer.delivery_id != link.delivery_id) {
        return link_breach(id, amqp_condition::k_not_allowed, "a message began before the one before it had ended");
    }
    link.partial_settled = link.partial_settled || transfer.settled;
    if (transfer.aborted) {
        link.in_delivery = false;
        link.partial.clear();
        return top_up(link, id);
    }
    if (link.max_message_size > 0 && link.partial.size() + payload.size() > link.max_message_size)
        return link_breach(id, amqp_condition::k_message_size_exceeded,
                           "a message of more than " + std::to_string(link.max_message_size) + " bytes came");
    link.partial.append(payload);
    if (transfer.more) return;
    link.in_delivery = false;
    // Taken out: the host may let go of the link.
    const std::string message = std::move(link.partial);
    const std::string tag = std::move(link.partial_tag);
    link.partial = {};
    deliver(id, {link.delivery_id, tag, link.partial_format, link.partial_settled, message});
}

void Engine::deliver(std::uint32_t id, const Incoming& message) {
    Link& link = links_[id];
    const std::uint32_t number = link.session;
    if (message.settled) {
        host_.on_delivery(id, message);
        if (link.stage == LinkStage::attached) top_up(link, id);
        return;
    }
    ++link.unanswered;
    // It may be answered from inside. (No message comes while another is being given.)
    delivering_ = {number, message.delivery_id, true};
    const Answer answer = host_.on_delivery(id, message);
    const bool open = std::exchange(delivering_.open, false);
    if (link.stage == LinkStage::unused || link.session != number || stage_ != Stage::open) return;
    Session& session = *sessions_[number];
    if (!open || answer == Answer::accepted) --link.unanswered;
    if (open && answer == Answer::accepted)
        extend(session, number, session.accepted, message.delivery_id);
    else if (open)
        session.unanswered.emplace(message.delivery_id, id);
    if (link.stage == LinkStage::attached) top_up(link, id);
}

bool Engine::answer(std::uint32_t number, std::uint32_t delivery_id, std::string_view state) {
    Session* const session = number < sessions_.size() ? sessions_[number].get() : nullptr;
    if (stage_ != Stage::open || session == nullptr || session->stage != SessionStage::mapped) return false;
    std::uint32_t id = k_uint_max;
    if (delivering_.open && delivering_.session == number && delivering_.delivery_id == delivery_id) {
        delivering_.open = false;
    } else {
        const auto found = session->unanswered.find(delivery_id);
        if (found == session->unanswered.end()) return false;
        id = found->second;
        session->unanswered.erase(found);
    }
    if (state == k_accepted) {
        extend(*session, number, session->accepted, delivery_id);
    } else {
        flush_session(number);  // in the order in which they were given
        send_disposition(static_cast<std::uint16_t>(number), true, delivery_id, delivery_id, state);
    }
    if (id == k_uint_max) return true;
    Link& link = links_[id];
    if (link.unanswered > 0) --link.unanswered;
    if (link.stage == LinkStage::attached) top_up(link, id);
    return true;
}

void Engine::extend(Session& session, std::uint32_t number, Range& range, std::uint32_t delivery_id) {
    if (range.any && delivery_id == range.last + 1) {
        range.last = delivery_id;
        return;
    }
    if (range.any)
        send_disposition(static_cast<std::uint16_t>(number), &range == &session.accepted, range.first, range.last,
                         &range == &session.accepted ? k_accepted : std::string_view{});
    range = {delivery_id, delivery_id, true};
    touch(number);
}

void Engine::send_disposition(std::uint16_t channel, bool receiver, std::uint32_t first, std::uint32_t last, std::string_view state) {
    const std::size_t begin = begin_frame(channel);
    Fields fields{out_, static_cast<std::uint8_t>(Descriptor::disposition)};
    put_boolean(fields.next(), receiver);
    put_uint(fields.next(), first);
    if (last != first)
        put_uint(fields.next(), last);
    else
        fields.absent();
    put_boolean(fields.next(), true);
    if (!state.empty()) fields.next().append(state);
    fields.close();
    end_frame(begin);
}

void Engine::flush_session(std::uint32_t number) {
    Session& session = *sessions_[number];
    for (Range* const range : {&session.accepted, &session.settled}) {
        if (!range->any) continue;
        range->any = false;
        send_disposition(static_cast<std::uint16_t>(number), range == &session.accepted, range->first, range->last,
                         range == &session.accepted ? k_accepted : std::string_view{});
    }
}

void Engine::flush() {
    if (stage_ != Stage::open) return;
    // Answers before credit: the peer forgets the former when it uses the latter.
    for (std::size_t i = 0; i < touched_sessions_.size(); ++i) {
        const std::uint32_t number = touched_sessions_[i];
        if (!sessions_[number]) continue;
        sessions_[number]->touched = false;
        if (sessions_[number]->stage == SessionStage::mapped) flush_session(number);
    }
    for (std::size_t i = 0; i < flows_due_.size(); ++i) {
        Link& link = links_[flows_due_[i]];
        if (link.stage != LinkStage::attached || !link.flow_due || sessions_[link.session]->stage != SessionStage::mapped) continue;
        send_flow(*sessions_[link.session], static_cast<std::uint16_t>(link.session), &link);
    }
    flows_due_.clear();
    for (std::size_t i = 0; i < touched_sessions_.size(); ++i) {
        const std::uint32_t number = touched_sessions_[i];
        if (!sessions_[number] || !sessions_[number]->flow_due || sessions_[number]->stage != SessionStage::mapped) continue;
        send_flow(*sessions_[number], static_cast<std::uint16_t>(number), nullptr);
    }
    touched_sessions_.clear();
}

// ---- outcomes ----

void Engine::on_disposition(std::uint32_t number, const Raw& raw) {
    Disposition disposition;
    if (const char* const wrong = parse(raw, disposition))
        return breach(amqp_condition::k_decode_error, std::string{"a disposition cannot be read: "} + wrong);
    Session& session = *sessions_[number];
    const std::uint32_t span = disposition.last - disposition.first;
    if (span > 0x7fffffffU) return session_breach(number, amqp_condition::k_invalid_field, "a disposition ends before it begins");
    if (!disposition.receiver) {
        // The peer has settled what it sent: it wants no answer any more.
        if (!disposition.settled) return;
        const auto forget = [&](std::uint32_t delivery_id) {
            const auto found = session.unanswered.find(delivery_id);
            if (found == session.unanswered.end()) return;
            const std::uint32_t id = found->second;
            session.unanswered.erase(found);
            if (links_[id].unanswered > 0) --links_[id].unanswered;
            if (links_[id].stage == LinkStage::attached) top_up(links_[id], id);
        };
        if (span < session.unanswered.size()) {
            for (std::uint32_t i = 0; i <= span; ++i) forget(disposition.first + i);
        } else {
            std::vector<std::uint32_t> all;
            for (const auto& [delivery_id, link] : session.unanswered)
                if (delivery_id - disposition.first <= span) all.push_back(delivery_id);
            for (const std::uint32_t delivery_id : all) forget(delivery_id);
        }
        return;
    }
    const Descriptor kind = descriptor_of(disposition.state);
    // received, and other states that are not the last word (3.4).
    const bool final = kind == Descriptor::accepted || kind == Descriptor::rejected || kind == Descriptor::released || kind == Descriptor::modified ||
                       kind == Descriptor::declared || kind == Descriptor::transactional_state;
    if (!final && !disposition.settled) return;
    const Outcome outcome{final ? kind : Descriptor::none, disposition.state};
    const auto settle = [&](std::uint32_t delivery_id) {
        const SentDelivery* const found = session.outgoing.find(delivery_id);
        if (found == nullptr) return;
        const SentDelivery delivery = *found;
        session.outgoing.erase(delivery_id);
        --links_[delivery.link].unsettled;
        if (!disposition.settled) extend(session, number, session.settled, delivery_id);
        host_.on_outcome(delivery.link, delivery.number, outcome);
    };
    // A range may be as wide as the numbers are: no wider than what there is.
    if (span <= session.outgoing.size() * 2 + 16) {
        for (std::uint32_t i = 0; i <= span && sessions_[number].get() == &session; ++i) settle(disposition.first + i);
    } else {
        for (const std::uint32_t delivery_id : session.outgoing.within(disposition.first, disposition.last)) {
            if (sessions_[number].get() != &session) return;
            settle(delivery_id);
        }
    }
}

}  // namespace qconn::amqp
