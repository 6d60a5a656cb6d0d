// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_transaction.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "mail/body_encoding.hpp"
#include "mail/mail_address.hpp"
#include "mail/mail_message.hpp"
#include "mail/smtp_error.hpp"
#include "mail/smtp_reply.hpp"

namespace qconn::mail {
namespace {

using net::Call;
using net::Task;
using Pool = net::SessionPool<SmtpSession>;

/// Commands that are sent before the answer to the first of them has come: so many answers have room in the buffers on the way, so that neither side
/// waits for the other (RFC 2920 section 3.1).
constexpr std::size_t k_commands_ahead = 100;
constexpr std::size_t k_content_block = std::size_t{64} * 1024;

/// xtext of RFC 3461 section 4.
std::string xtext(std::string_view text) {
    constexpr std::string_view k_digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (c > ' ' && c < 0x7F && c != '+' && c != '=') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '+';
            out += k_digits[byte >> 4U];
            out += k_digits[byte & 15U];
        }
    }
    return out;
}

std::string notify_words(SmtpNotify notify) {
    const auto bits = static_cast<unsigned>(notify);
    if ((bits & static_cast<unsigned>(SmtpNotify::never)) != 0) return "NEVER";
    std::string out;
    for (const auto& [bit, word] :
         {std::pair{SmtpNotify::success, "SUCCESS"}, std::pair{SmtpNotify::failure, "FAILURE"}, std::pair{SmtpNotify::delay, "DELAY"}}) {
        if ((bits & static_cast<unsigned>(bit)) == 0) continue;
        if (!out.empty()) out += ',';
        out += word;
    }
    return out;
}

bool wants_reports(const SmtpEnvelope& envelope) noexcept {
    return envelope.reports != SmtpReports{} || std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                                                            [](const auto& one) { return one.notify != SmtpNotify::unset || !one.original.empty(); });
}

void require_address(std::string_view what, std::string_view address) {
    if (!is_address(address))
        throw message_error("\"" + text::printable(text::shorten(address, 100)) + "\" (" + std::string{what} +
                            ") is no address; an address is local@domain");
}

void check_notify(SmtpNotify notify) {
    const auto bits = static_cast<unsigned>(notify);
    if ((bits & static_cast<unsigned>(SmtpNotify::never)) != 0 && bits != static_cast<unsigned>(SmtpNotify::never))
        throw message_error("reports are wanted for something and never at the same time");
}

}  // namespace

void check_envelope(const SmtpEnvelope& envelope) {
    if (!envelope.sender.empty()) require_address("the sender", envelope.sender);
    if (envelope.recipients.empty()) throw message_error("the message has no recipient");
    check_notify(envelope.reports.notify);
    for (const SmtpEnvelope::Recipient& one : envelope.recipients) {
        require_address("a recipient", one.address);
        check_notify(one.notify);
        if (!one.original.empty() && (!is_address(one.original) || needs_utf8(one.original)))
            throw message_error("the original recipient of a report must be an address in ASCII");
    }
    if (xtext(envelope.reports.envelope_id).size() > 100) throw message_error("the envelope identifier is longer than 100 characters");
}

Outgoing outgoing_of(const MailMessage& message, const SmtpSendOptions& options, const MailAddress& from) {
    ComposedMessage composed = compose(message, from, ComposeSeed::make());
    Outgoing out;
    out.envelope.sender = options.return_path.value_or(composed.sender);
    for (std::string& address : composed.recipients) out.envelope.recipients.push_back({std::move(address), SmtpNotify::unset, {}});
    out.envelope.partial = options.partial;
    out.envelope.reports = options.reports;
    out.envelope.utf8_headers = composed.utf8_headers;
    check_envelope(out.envelope);
    out.content = std::move(composed.content);
    out.message_id = std::move(composed.message_id);
    return out;
}

std::vector<std::string> envelope_commands(const net::Job& job, const SmtpEnvelope& envelope, std::optional<std::uint64_t> size,
                                           const SmtpServerInfo& info) {
    if (size && info.max_size && *info.max_size > 0 && *size > *info.max_size)
        throw failure(
            job, SmtpErrc::size, Reason::limit,
            "the message has " + std::to_string(*size) + " bytes, and the server takes " + std::to_string(*info.max_size) + "; nothing was sent");
    const auto needs = [&job](bool has, std::string_view what, std::string_view word, std::string_view hint) {
        if (has) return;
        std::string text{what};
        text.append(" needs ").append(word).append(", which the server does not have").append(hint);
        throw failure(job, SmtpErrc::unsupported, Reason::unsupported, text + "; nothing was sent");
    };
    bool utf8 = envelope.utf8_headers || needs_utf8(envelope.sender);
    std::string_view utf8_address = envelope.sender;
    for (const auto& one : envelope.recipients) {
        if (needs_utf8(one.address)) utf8 = true, utf8_address = one.address;
    }
    if (utf8) {
        const std::string what = needs_utf8(utf8_address) ? "the address " + text::printable(utf8_address) : std::string{"an address in the headers"};
        needs(info.smtputf8, what, "SMTPUTF8", "; where only its domain is not ASCII, write that in its ASCII form (xn--…)");
    }
    if (envelope.eight_bit) needs(info.eight_bit, "a message with bytes above 127", "8BITMIME", "");
    const bool reports = wants_reports(envelope);
    if (reports) needs(info.dsn, "a delivery report that was asked for", "DSN", "");

    std::vector<std::string> all;
    all.reserve(envelope.recipients.size() + 2);
    std::string line = "MAIL FROM:<" + envelope.sender + ">";
    if (size && info.max_size) line += " SIZE=" + std::to_string(*size);
    if (envelope.eight_bit || (utf8 && info.eight_bit)) line += " BODY=8BITMIME";
    if (utf8) line += " SMTPUTF8";
    if (envelope.reports.content != SmtpReturn::unset) line += envelope.reports.content == SmtpReturn::full ? " RET=FULL" : " RET=HDRS";
    if (!envelope.reports.envelope_id.empty()) line += " ENVID=" + xtext(envelope.reports.envelope_id);
    all.push_back(std::move(line));
    for (const auto& one : envelope.recipients) {
        line = "RCPT TO:<" + one.address + ">";
        const SmtpNotify notify = one.notify != SmtpNotify::unset ? one.notify : envelope.reports.notify;
        if (notify != SmtpNotify::unset) line += " NOTIFY=" + notify_words(notify);
        if (!one.original.empty()) line += " ORCPT=rfc822;" + xtext(one.original);
        all.push_back(std::move(line));
    }
    return all;
}

/// A message whose commands are being said.
struct SmtpBatch::Turn {
    std::size_t index{0};
    std::shared_ptr<Outgoing> mail;
    std::vector<std::string> commands;  // RSET where one is due, MAIL, RCPT of each, DATA where it need not wait
    std::size_t mail_at{0};             // of MAIL in them
    std::size_t queued{0};
    std::size_t answered{0};
    bool data_waits{false};  // DATA is not among the commands: first it must be known that all are accepted
    std::vector<SmtpRecipientAnswer> recipients{};
    std::optional<Reply> data{};  // the answer to DATA
    std::optional<Error> refused{};
};

SmtpBatch::SmtpBatch(std::size_t count, std::function<Outgoing(std::size_t)> maker) : make{std::move(maker)}, results(count) {}
SmtpBatch::~SmtpBatch() = default;

namespace {

using BatchTurn = SmtpBatch::Turn;

/// Words for a wait; they outlive it.
struct Awaited {
    static constexpr const char* envelope = "the answer to the sender and recipients";
    static constexpr const char* data = "the answer to DATA";
    static constexpr const char* content = "that the message is taken";
    static constexpr const char* outcome = "the answer to the message";
};

void log_result(const SmtpSession& session, const Result<SmtpReceipt>& result) {
    const SmtpSettings& settings = session.settings();
    if (!settings.options.log) return;
    const LogLevel level = result ? LogLevel::info : LogLevel::warning;
    if (!settings.log.enabled(level)) return;
    std::string text;
    if (result) {
        text = "message " + result->message_id + " for " + std::to_string(result->recipients.size()) + " recipients (" +
               std::to_string(result->bytes) + " bytes): the server answered \"" + net::shown(result->reply) + '"';
    } else {
        text = result.error().message();
    }
    settings.log.write(
        {.level = level, .connection = settings.options.label, .event = result ? "mail-sent" : "mail-failed", .text = text, .fields = {}});
}

/// The next message that this server can be asked to take, with its commands; those that it cannot be asked for are decided.
std::unique_ptr<BatchTurn> next_turn(SmtpBatch& batch, SmtpSession& session, const net::Job& job) {
    while (batch.next < batch.results.size()) {
        std::optional<Error> wrong;
        try {
            if (!batch.made) batch.made = std::make_shared<Outgoing>(batch.make(batch.next));
            const Outgoing& mail = *batch.made;
            auto turn = std::make_unique<BatchTurn>();
            turn->commands = envelope_commands(job, mail.envelope, mail.content->size(), session.info());
            if (session.in_transaction) {
                turn->commands.insert(turn->commands.begin(), "RSET");
                turn->mail_at = 1;
            }
            // Where all must be accepted, the content may only follow when they are: RFC 2920 has no way back after DATA but a message of nothing.
            turn->data_waits = !session.info().pipelining || (mail.envelope.recipients.size() > 1 && !mail.envelope.partial);
            if (!turn->data_waits) turn->commands.emplace_back("DATA");
            turn->index = batch.next;
            turn->mail = batch.made;
            return turn;
        } catch (const Error& error) { wrong = error; } catch (const std::exception& thrown) {
            wrong = failure(job, SmtpErrc::message, Reason::local, thrown.what(), Phase::none);
        }
        if (!job.label.empty()) wrong->with_connection(job.label);
        batch.results[batch.next].emplace(*wrong);
        log_result(session, *batch.results[batch.next]);
        batch.made.reset();
        ++batch.next;
    }
    return nullptr;
}

void queue_commands(SmtpSession& session, BatchTurn& turn) {
    const std::size_t ahead = session.info().pipelining ? k_commands_ahead : 1;
    while (turn.queued < turn.commands.size() && turn.queued - turn.answered < ahead) session.queue(turn.commands[turn.queued++]);
}

/// The answer to the command that is the next to be answered.
void take_answer(const net::Job& job, SmtpSession& session, BatchTurn& turn, Reply reply) {
    const std::size_t at = turn.answered++;
    if (at < turn.mail_at) {  // RSET
        session.in_transaction = false;
        return;
    }
    const SmtpEnvelope& envelope = turn.mail->envelope;
    if (at == turn.mail_at) {
        if (is_good(reply))
            session.in_transaction = true;
        else
            turn.refused = refusal(job, reply.code == 552 ? SmtpErrc::size : SmtpErrc::sender, "MAIL FROM", "<" + envelope.sender + ">", reply,
                                   "nothing was sent");
    } else if (at - turn.mail_at <= envelope.recipients.size()) {
        SmtpRecipientAnswer answer;
        answer.address = envelope.recipients[at - turn.mail_at - 1].address;
        answer.status = enhanced_status(reply);
        answer.reply = std::move(reply);
        turn.recipients.push_back(std::move(answer));
    } else {
        turn.data = std::move(reply);
    }
}

/// Whether the message may be sent to those who were accepted; `refused` is set where not.
void judge_recipients(const net::Job& job, BatchTurn& turn) {
    if (turn.refused) return;
    const auto wrong = [](const SmtpRecipientAnswer& one) { return !one.accepted(); };
    const auto first = std::find_if(turn.recipients.begin(), turn.recipients.end(), wrong);
    if (first == turn.recipients.end()) return;
    const auto count = static_cast<std::size_t>(std::count_if(turn.recipients.begin(), turn.recipients.end(), wrong));
    if (turn.mail->envelope.partial && count < turn.recipients.size()) return;
    std::string hint = "nothing was sent";
    if (turn.recipients.size() > 1)
        hint = "so were " + std::to_string(count) + " of " + std::to_string(turn.recipients.size()) + " recipients refused, and nothing was sent";
    if (count < turn.recipients.size()) hint += " (SmtpSendOptions::partial sends to the others)";
    turn.refused = refusal(job, SmtpErrc::recipient, "RCPT TO", "<" + first->address + ">", first->reply, hint);
    // It helps to try again only where none is refused for good.
    turn.refused->with_retryable(std::all_of(turn.recipients.begin(), turn.recipients.end(),
                                             [](const SmtpRecipientAnswer& one) { return one.accepted() || one.retryable(); }));
}

/// Says the envelope, and DATA. The server waits for the content where the turn is not refused afterwards.
Task<bool> say_envelope(SmtpSession& session, Call& call, BatchTurn& turn) {
    const auto silence = session.settings().options.timeout;
    for (;;) {
        if (!turn.refused) queue_commands(session, turn);
        if (turn.answered == turn.queued) break;
        co_await session.flush(call, Awaited::envelope);
        Reply got = co_await session.reply(call, Awaited::envelope, silence);
        // It ends the session, and says nothing of the message.
        if (got.code == 421) throw refusal(call.job(), SmtpErrc::failed, turn.answered > turn.mail_at ? "RCPT TO" : "MAIL FROM", {}, got);
        take_answer(call.job(), session, turn, std::move(got));
    }
    judge_recipients(call.job(), turn);
    if (!turn.refused && turn.data_waits) {
        std::string line = "DATA";
        Reply got = co_await session.command(call, std::move(line), Awaited::data);
        turn.data = std::move(got);
    }
    if (!turn.refused && turn.data && turn.data->code != 354) {
        turn.refused = refusal(call.job(), SmtpErrc::data, "DATA", {}, *turn.data, "nothing was sent");
        turn.data.reset();
    }
    if (turn.refused && turn.data && turn.data->code == 354) {
        // It was told DATA before it was known that nobody gets the message; a message of nothing is the way back, and goes to nobody.
        std::string line = ".";
        co_await session.command(call, std::move(line), Awaited::data);
        session.in_transaction = false;
    }
    co_return !turn.refused;
}

/// The content up to its last byte, which may be still to be flushed. @returns bytes of the message
Task<std::uint64_t> say_content(SmtpSession& session, Call& call, BatchTurn& turn) {
    DataWriter writer;
    std::string& block = session.block();
    block.resize(k_content_block);
    ByteSource& source = *turn.mail->content;
    int blocks = 0;
    for (;;) {
        std::size_t n = 0;
        try {
            n = source.read(block.data(), block.size());
        } catch (const Error&) { throw; } catch (const std::exception& thrown) {
            throw failure(call.job(), SmtpErrc::message, Reason::local, thrown.what(), Phase::none);
        } catch (...) {
            throw failure(call.job(), SmtpErrc::message, Reason::local, "what was given to the call threw no std::exception", Phase::none);
        }
        if (n == 0) break;
        writer.append(session.out(), std::string_view{block}.substr(0, n));
        if (session.out().size() < k_content_block) continue;
        co_await session.flush(call, Awaited::content);
        if (session.is_broken()) co_return writer.size();
        if (++blocks % 16 == 0) co_await net::Turn{call};
    }
    writer.finish(session.out());
    session.log().noted_size("the message", writer.size());
    co_return writer.size();
}

/// Decides a message.
void decide(SmtpSession& session, SmtpBatch& batch, const BatchTurn& turn, Result<SmtpReceipt> result) {
    log_result(session, result);
    batch.results[turn.index].emplace(std::move(result));
}

/// The error of a message that the connection or the call failed in.
Error broken_error(const net::Job& job, const Error& why, SmtpSent sent, const std::vector<SmtpRecipientAnswer>& recipients) {
    const bool cancelled = why.reason() == Reason::cancelled;
    if (sent == SmtpSent::no || cancelled) {
        Error error = with_outcome(why, sent, recipients);
        if (sent == SmtpSent::unknown) error.with_retryable(false);
        return error;
    }
    std::string what = "the message was sent to its end, and no answer came (";
    what.append(why.name())
        .append(": ")
        .append(why.message())
        .append("); the server may have taken it or not: look for it before it is sent again, or send it again with the same message_id");
    Error error = failure(job, SmtpErrc::unknown_outcome, why.reason(), what);
    error.with_spoils_connection(true);
    return with_outcome(error, sent, recipients);
}

/// Sends what is left of the batch over one session, until that fails.
/// @throws Error where it does; the message that it met is decided, unless nothing was heard of it
Task<bool> run_batch(std::shared_ptr<SmtpBatch> shared, SmtpSession& session, Call& call) {
    SmtpBatch& batch = *shared;
    const net::Job& job = call.job();
    std::unique_ptr<BatchTurn> turn = next_turn(batch, session, job);
    while (turn != nullptr) {
        std::unique_ptr<BatchTurn> following;
        std::exception_ptr failed;
        std::uint64_t end = 0;      // of the message, in what is sent
        std::uint64_t written = 0;  // bytes of it
        bool whole = false;         // its end is among what is sent or waits to be
        bool started = false;
        std::optional<Reply> outcome;
        try {
            co_await say_envelope(session, call, *turn);
            started = true;
            batch.made.reset();
            ++batch.next;
            if (!turn->refused) {
                written = co_await say_content(session, call, *turn);
                whole = !session.is_broken();
                end = session.queued_bytes();
                if (whole && session.info().pipelining) {
                    session.in_transaction = false;  // once the content is answered
                    following = next_turn(batch, session, job);
                    if (following) queue_commands(session, *following);
                }
                co_await session.flush(call, Awaited::content);
                Reply got = co_await session.reply(call, Awaited::outcome, session.settings().options.outcome_timeout);
                outcome = std::move(got);
                session.in_transaction = false;
            }
        } catch (...) { failed = std::current_exception(); }
        if (failed) {
            session.spoil();
            const Error why = net::error_of(failed);
            const bool known = started || turn->answered > turn->mail_at;
            if (known) {
                const bool unknown = whole && session.sent_bytes() >= end;
                decide(session, batch, *turn, broken_error(job, why, unknown ? SmtpSent::unknown : SmtpSent::no, turn->recipients));
                if (!started) {
                    batch.made.reset();
                    ++batch.next;
                }
            }
            throw why;
        }
        if (turn->refused) {
            decide(session, batch, *turn, with_outcome(*turn->refused, SmtpSent::no, turn->recipients));
        } else if (!is_good(*outcome)) {
            // A reply before the end is one that refuses, too: "552 too much" of a server that reads no further.
            const SmtpErrc code = outcome->code == 552 ? SmtpErrc::size : SmtpErrc::data;
            const Error error = refusal(job, code, "the message", {}, *outcome, "it was not taken");
            decide(session, batch, *turn, with_outcome(error, SmtpSent::no, turn->recipients));
        } else if (!whole) {
            const Error error = failure(job, SmtpErrc::data, Reason::closed, "the connection broke while the message was sent").with_retryable(true);
            decide(session, batch, *turn, with_outcome(error, SmtpSent::no, turn->recipients));
        } else {
            SmtpReceipt receipt;
            receipt.status = enhanced_status(*outcome);
            receipt.reply = std::move(*outcome);
            receipt.recipients = std::move(turn->recipients);
            receipt.message_id = turn->mail->message_id;
            receipt.bytes = written;
            decide(session, batch, *turn, std::move(receipt));
        }
        if (session.is_broken()) session.spoil();
        if (session.is_spoilt()) {  // 421: the next one has another session
            if (batch.next < batch.results.size())
                throw failure(job, SmtpErrc::failed, Reason::closed, "the server ended the session").with_retryable(true);
            co_return true;
        }
        turn = following ? std::move(following) : next_turn(batch, session, job);
    }
    co_return true;
}

}  // namespace

Task<bool> send_batch(std::shared_ptr<Pool> pool, std::shared_ptr<Call> call, std::shared_ptr<SmtpBatch> batch) {
    while (batch->next < batch->results.size()) {
        const std::size_t before = batch->next;
        std::optional<Error> failed;
        auto work = [batch](SmtpSession& session, Call& c) { return run_batch(batch, session, c); };
        auto sending = net::with_session<bool>(pool, call, std::move(work));
        try {
            co_await sending;
        } catch (...) { failed = net::error_of(std::current_exception()); }
        if (!failed) continue;
        const bool ended = failed->code() == Errc::cancelled || failed->code() == Errc::timeout;
        if (batch->next > before && !ended) continue;  // it got on: the rest over another session
        for (std::size_t i = batch->next; i < batch->results.size(); ++i) batch->results[i].emplace(with_outcome(*failed, SmtpSent::no, {}));
        batch->made.reset();
        batch->next = batch->results.size();
    }
    co_return true;
}

}  // namespace qconn::mail
