// SPDX-License-Identifier: Apache-2.0
#include <qconn/mail/smtp_client.hpp>

#include <algorithm>
#include <utility>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "mail/mail_address.hpp"
#include "mail/smtp_error.hpp"
#include "mail/smtp_session.hpp"
#include "mail/smtp_settings.hpp"
#include "mail/smtp_transaction.hpp"
#include "net/calls.hpp"
#include "net/session_pool.hpp"

namespace qconn {

bool SmtpReceipt::complete() const noexcept {
    return std::all_of(recipients.begin(), recipients.end(), [](const SmtpRecipientAnswer& one) { return one.accepted(); });
}

namespace {

using mail::Outgoing;
using mail::SmtpBatch;
using mail::SmtpSession;
using net::Call;
using net::Task;
using SmtpPool = net::SessionPool<SmtpSession>;
using Receipts = std::vector<Result<SmtpReceipt>>;

Task<SmtpServerInfo> server_info(SmtpSession& session) { co_return session.info(); }

Task<Reply> ask_verify(SmtpSession& session, Call& call, const std::string& address) {
    std::string line = "VRFY " + address;
    if (mail::needs_utf8(address)) line += " SMTPUTF8";
    Reply got = co_await session.command(call, std::move(line), "the answer to VRFY");
    co_return got;
}

/// One message, whose outcome is that of the call.
Task<SmtpReceipt> send_one(std::shared_ptr<SmtpPool> pool, std::shared_ptr<Call> call, Outgoing out) {
    auto shared = std::make_shared<Outgoing>(std::move(out));
    const auto batch = std::make_shared<SmtpBatch>(1, [shared](std::size_t) { return *shared; });
    co_await mail::send_batch(std::move(pool), std::move(call), batch);
    SmtpReceipt receipt = std::move(*batch->results.front()).value();
    co_return receipt;
}

Task<Receipts> send_several(std::shared_ptr<SmtpPool> pool, std::shared_ptr<Call> call, std::shared_ptr<SmtpBatch> batch) {
    co_await mail::send_batch(std::move(pool), std::move(call), batch);
    Receipts all;
    all.reserve(batch->results.size());
    for (auto& one : batch->results) all.push_back(std::move(*one));
    co_return all;
}

Task<bool> quit_all(std::shared_ptr<Call> call, std::vector<std::unique_ptr<SmtpSession>> sessions) {
    for (const auto& session : sessions) {
        session->attach(call->loop());
        co_await session->quit(*call);
    }
    co_return true;
}

/// A caller's source, as one that is shared.
std::shared_ptr<ByteSource> borrowed(ByteSource& source) { return {std::shared_ptr<void>{}, &source}; }

/// "to a@x and 3 others", for messages.
std::string subject_of(const SmtpEnvelope& envelope) {
    std::string text = envelope.recipients.front().address;
    if (envelope.recipients.size() > 1) text += " and " + std::to_string(envelope.recipients.size() - 1) + " others";
    return text;
}

}  // namespace

struct SmtpClient::Impl {
    Impl(std::shared_ptr<const mail::SmtpSettings> s, Runtime r)
        : settings{std::move(s)},
          redactions{redactions_of(settings->options.label)},
          calls{r},
          pool{std::make_shared<SmtpPool>(settings, std::move(r))} {}

    const std::shared_ptr<const mail::SmtpSettings> settings;
    const Redactions redactions;  // in force also for what is said after the client has gone
    net::Calls calls;
    const std::shared_ptr<SmtpPool> pool;

    net::Job job(std::string_view verb, std::string_view subject = {}) const { return settings->job(std::string{verb}, subject); }
    net::Job sending(const Outgoing& out) const { return job("sending mail to", subject_of(out.envelope)); }

    void close() {
        calls.close();
        pool->close();
        settings->dialogue->set_listener({});
    }

    /// What `work`, which is about a message of the caller's, throws, with the connection's name.
    template <class Work>
    auto labelled(Work work) const {
        try {
            return work();
        } catch (Error& error) {
            if (!settings->options.label.empty()) error.with_connection(settings->options.label);
            throw error;
        }
    }
    Outgoing outgoing(const MailMessage& message, const SmtpSendOptions& options) const {
        return labelled([&] { return mail::outgoing_of(message, options, settings->options.from); });
    }
    Outgoing outgoing(const SmtpEnvelope& envelope, std::shared_ptr<ByteSource> content) const {
        return labelled([&] {
            mail::check_envelope(envelope);
            return Outgoing{envelope, std::move(content), {}};
        });
    }

    /// @param work  Task<T>(SmtpSession&, Call&)
    template <class T, class Work>
    T with_session(net::Job what, Deadline deadline, Work work) {
        return calls.blocking<T>(std::move(what), deadline,
                                 [&](std::shared_ptr<Call> call) { return net::with_session<T>(pool, std::move(call), work); });
    }
    template <class T, class Work>
    Operation start_with_session(const std::shared_ptr<Impl>& self, net::Job what, Deadline deadline, Callback<T> callback, Work work) {
        return calls.start<T>(
            self, std::move(what), deadline,
            [this, work = std::move(work)](std::shared_ptr<Call> call) mutable {
                return net::with_session<T>(pool, std::move(call), std::move(work));
            },
            [callback = std::move(callback)](Result<T> outcome) mutable { callback(std::move(outcome)); });
    }
    Operation start_sending(const std::shared_ptr<Impl>& self, std::optional<Result<Outgoing>> out, Deadline deadline,
                            Callback<SmtpReceipt> callback) {
        net::Job what = *out ? sending(**out) : job("sending mail");
        return calls.start<SmtpReceipt>(
            self, std::move(what), deadline,
            [this, out = std::move(out)](std::shared_ptr<Call> call) mutable { return started(pool, std::move(call), std::move(*out)); },
            [callback = std::move(callback)](Result<SmtpReceipt> outcome) mutable { callback(std::move(outcome)); });
    }
    /// What is wrong with the message itself is told as all else is: by the callback.
    static Task<SmtpReceipt> started(std::shared_ptr<SmtpPool> pool, std::shared_ptr<Call> call, Result<Outgoing> out) {
        Outgoing good = std::move(out).value();
        SmtpReceipt receipt = co_await send_one(std::move(pool), std::move(call), std::move(good));
        co_return receipt;
    }
};

SmtpClient::SmtpClient(SmtpOptions options, Runtime runtime) {
    auto settings = mail::settings_of(std::move(options), runtime);
    impl_ = std::make_shared<Impl>(std::move(settings), std::move(runtime));
}

SmtpClient::~SmtpClient() { impl_->close(); }

std::string_view SmtpClient::label() const noexcept { return impl_->settings->options.label; }
const SmtpOptions& SmtpClient::options() const noexcept { return impl_->settings->options; }
void SmtpClient::set_dialogue_listener(DialogueListener listener) { impl_->settings->dialogue->set_listener(std::move(listener)); }

// Blocking calls keep what they use: the client may be destroyed meanwhile, which ends them.

SmtpServerInfo SmtpClient::connect(Deadline deadline) {
    const auto impl = impl_;
    return observed(
        [&] { return impl->with_session<SmtpServerInfo>(impl->job("connecting"), deadline, [](SmtpSession& s, Call&) { return server_info(s); }); });
}

SmtpReceipt SmtpClient::send(const MailMessage& message, const SmtpSendOptions& options, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        Outgoing out = impl->outgoing(message, options);
        net::Job what = impl->sending(out);
        return impl->calls.blocking<SmtpReceipt>(std::move(what), deadline,
                                                 [&](std::shared_ptr<Call> call) { return send_one(impl->pool, std::move(call), std::move(out)); });
    });
}

std::vector<Result<SmtpReceipt>> SmtpClient::send_all(std::span<const MailMessage> messages, const SmtpSendOptions& options, Deadline deadline) {
    const auto impl = impl_;
    if (messages.empty()) return {};
    return observed([&] {
        const auto batch = std::make_shared<SmtpBatch>(messages.size(), [&](std::size_t i) { return impl->outgoing(messages[i], options); });
        return impl->calls.blocking<Receipts>(impl->job("sending mail"), deadline,
                                              [&](std::shared_ptr<Call> call) { return send_several(impl->pool, std::move(call), batch); });
    });
}

SmtpReceipt SmtpClient::send_raw(const SmtpEnvelope& envelope, ByteSource& content, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        Outgoing out = impl->outgoing(envelope, borrowed(content));
        net::Job what = impl->sending(out);
        return impl->calls.blocking<SmtpReceipt>(std::move(what), deadline,
                                                 [&](std::shared_ptr<Call> call) { return send_one(impl->pool, std::move(call), std::move(out)); });
    });
}

Reply SmtpClient::verify(std::string_view address, Deadline deadline) {
    const auto impl = impl_;
    const std::string whom{address};
    return observed([&] {
        impl->labelled([&] {
            if (whom.empty() || text::has_control(whom))
                throw mail::message_error("what is to be verified is empty, or has control characters in it");
            return 0;
        });
        return impl->with_session<Reply>(impl->job("verifying", whom), deadline, [&](SmtpSession& s, Call& c) { return ask_verify(s, c, whom); });
    });
}

void SmtpClient::disconnect(Deadline deadline) {
    const auto impl = impl_;
    auto sessions = impl->pool->take_idle();
    if (sessions.empty()) return;
    impl->calls.blocking<bool>(impl->job("disconnecting"), deadline,
                               [&](std::shared_ptr<Call> call) { return quit_all(std::move(call), std::move(sessions)); });
}

Operation SmtpClient::async_connect(Deadline deadline, Callback<SmtpServerInfo> callback) {
    return impl_->start_with_session<SmtpServerInfo>(impl_, impl_->job("connecting"), deadline, under_way(std::move(callback)),
                                                     [](SmtpSession& s, Call&) { return server_info(s); });
}

Operation SmtpClient::async_send(MailMessage message, SmtpSendOptions options, Deadline deadline, Callback<SmtpReceipt> callback) {
    std::optional<Result<Outgoing>> out;
    try {
        out.emplace(impl_->outgoing(message, options));
    } catch (const Error& error) { out.emplace(error); }
    return impl_->start_sending(impl_, std::move(out), deadline, under_way(std::move(callback)));
}

Operation SmtpClient::async_send_all(std::vector<MailMessage> messages, SmtpSendOptions options, Deadline deadline, Callback<Receipts> callback) {
    const std::size_t count = messages.size();
    auto shared = std::make_shared<const std::vector<MailMessage>>(std::move(messages));
    auto batch = std::make_shared<SmtpBatch>(
        count, [impl = impl_.get(), shared, options = std::move(options)](std::size_t i) { return impl->outgoing((*shared)[i], options); });
    return impl_->calls.start<Receipts>(
        impl_, impl_->job("sending mail"), deadline,
        [impl = impl_.get(), batch = std::move(batch)](std::shared_ptr<Call> call) { return send_several(impl->pool, std::move(call), batch); },
        [callback = under_way(std::move(callback))](Result<Receipts> outcome) mutable { callback(std::move(outcome)); });
}

Operation SmtpClient::async_send_raw(SmtpEnvelope envelope, std::shared_ptr<ByteSource> content, Deadline deadline, Callback<SmtpReceipt> callback) {
    std::optional<Result<Outgoing>> out;
    try {
        out.emplace(impl_->outgoing(envelope, std::move(content)));
    } catch (const Error& error) { out.emplace(error); }
    return impl_->start_sending(impl_, std::move(out), deadline, under_way(std::move(callback)));
}

Operation SmtpClient::async_verify(std::string address, Deadline deadline, Callback<Reply> callback) {
    if (address.empty() || text::has_control(address)) throw mail::message_error("what is to be verified is empty, or has control characters in it");
    auto what = impl_->job("verifying", address);
    return impl_->start_with_session<Reply>(impl_, std::move(what), deadline, under_way(std::move(callback)),
                                            [address = std::move(address)](SmtpSession& s, Call& c) { return ask_verify(s, c, address); });
}

}  // namespace qconn
