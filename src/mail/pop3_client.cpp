// SPDX-License-Identifier: Apache-2.0
#include <qconn/mail/pop3_client.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "mail/pop3_gate.hpp"
#include "mail/pop3_process.hpp"
#include "mail/pop3_session.hpp"
#include "net/calls.hpp"
#include "net/exchange.hpp"

namespace qconn {
namespace mail::pop3 {

/// What a client and its sessions share; lives as long as one of them.
struct Pop3Core {
    Pop3Core(std::shared_ptr<const Settings> s, Runtime r)
        : settings{std::move(s)}, redactions{redactions_of(settings->options.label)}, calls{std::move(r)}, gate{std::make_shared<Gate>()} {}

    const std::shared_ptr<const Settings> settings;
    const Redactions redactions;  // in force also for what is said after the client has gone
    net::Calls calls;
    const std::shared_ptr<Gate> gate;

    Job job(std::string_view verb, std::string_view subject = {}) const { return settings->job(verb, subject); }
    /// Between two calls a stream is on a loop of the runtime's.
    void park(Session& session) { session.attach(calls.runtime().impl().loop()); }
};

}  // namespace mail::pop3

namespace {

using mail::pop3::Call;
using mail::pop3::Done;
using mail::pop3::Gate;
using mail::pop3::Job;
using mail::pop3::Pop3Core;
using mail::pop3::Session;
using mail::pop3::Task;

Result<void> void_of(const Result<Done>& outcome) { return outcome ? Result<void>{} : Result<void>{outcome.error()}; }

std::string subject_of(std::uint32_t number) { return std::to_string(number); }

}  // namespace

struct Pop3Session::Impl : std::enable_shared_from_this<Pop3Session::Impl> {
    Impl(std::shared_ptr<Pop3Core> c, Gate::Ticket t, std::unique_ptr<Session> s) : core{std::move(c)}, ticket{std::move(t)}, session{std::move(s)} {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { end(); }

    const std::shared_ptr<Pop3Core> core;
    std::mutex mutex;
    // Guarded by it:
    Gate::Ticket ticket;
    std::unique_ptr<Session> session;  // null: it is over
    std::vector<std::uint32_t> marked;
    std::weak_ptr<Call> current;
    bool busy{false};
    bool closing{false};
    std::shared_ptr<void> hold;  // of the client, as long as the session is open

    Job job(std::string_view verb, std::string_view subject = {}) const { return core->job(verb, subject); }

    /// The session, for one call. @throws Error POP3-SESSION-OVER, POP3-IN-USE
    Session& begin(const std::shared_ptr<Call>& call) {
        const std::scoped_lock lock{mutex};
        if (busy) throw mail::pop3::failure(call->job(), Pop3Errc::in_use, Reason::limit, "another call is under way on this session", Phase::none);
        if (!session)
            throw mail::pop3::failure(call->job(), Pop3Errc::session_over, Reason::closed,
                                      "the session is over: it was committed, closed, or it broke", Phase::none);
        busy = true;
        current = call;
        session->attach(call->loop());
        return *session;
    }
    void finish() {
        const std::scoped_lock lock{mutex};
        busy = false;
        current.reset();
        marked = session->marked();
        if (session->is_clean() && !closing)
            core->park(*session);
        else
            end_locked();
    }
    void close() noexcept {
        std::shared_ptr<Call> running;
        {
            const std::scoped_lock lock{mutex};
            if (busy) {
                closing = true;
                running = current.lock();
            } else {
                end_locked();
            }
        }
        if (running) running->cancel();
    }
    void end() noexcept {
        const std::scoped_lock lock{mutex};
        end_locked();
    }
    void end_locked() noexcept {
        if (session) session->leave();
        session.reset();
        ticket.release();
        hold.reset();
    }

    /// @param work  Task<T>(Session&, Call&)
    template <class T, class Work>
    static Task<T> with(std::shared_ptr<Impl> self, std::shared_ptr<Call> call, Work work) {
        Session& session = self->begin(call);
        std::optional<T> result;
        std::exception_ptr failed;
        try {
            result = co_await work(session, *call);
        } catch (...) { failed = std::current_exception(); }
        self->finish();
        if (failed) std::rethrow_exception(failed);
        co_return std::move(*result);
    }
    template <class T, class Work>
    static T blocking(const std::shared_ptr<Impl>& self, Job job, Deadline deadline, Work work) {
        return self->core->calls.blocking<T>(std::move(job), deadline,
                                             [&](std::shared_ptr<Call> call) { return with<T>(self, std::move(call), work); });
    }
    template <class T, class Work, class Finish>
    static Operation start(std::shared_ptr<Impl> self, Job job, Deadline deadline, Work work, Finish finish) {
        const auto& calls = self->core;
        return calls->calls.start<T>(
            self, std::move(job), deadline,
            [self, work = std::move(work)](std::shared_ptr<Call> call) mutable { return with<T>(self, std::move(call), std::move(work)); },
            std::move(finish));
    }
    template <class T, class Work>
    static Operation start_for(std::shared_ptr<Impl> self, Job job, Deadline deadline, Callback<T> callback, Work work) {
        return start<T>(std::move(self), std::move(job), deadline, std::move(work),
                        [callback = std::move(callback)](Result<T> outcome) mutable { callback(std::move(outcome)); });
    }
    template <class Work>
    static Operation start_void(std::shared_ptr<Impl> self, Job job, Deadline deadline, Callback<void> callback, Work work) {
        return start<Done>(std::move(self), std::move(job), deadline, std::move(work),
                           [callback = std::move(callback)](Result<Done> outcome) mutable { callback(void_of(outcome)); });
    }

    /// Of a session that was moved from, or never opened. @throws Error POP3-SESSION-OVER
    static const std::shared_ptr<Impl>& of(const std::shared_ptr<Impl>& impl) {
        if (impl) return impl;
        throw Error{Pop3Errc::session_over, mail::pop3::error_name(Pop3Errc::session_over), "this handle has no session"}.with_reason(
            Reason::missing);
    }
};

Pop3Session::Pop3Session(std::shared_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Pop3Session& Pop3Session::operator=(Pop3Session&& other) noexcept {
    if (this != &other) {
        close();
        impl_ = std::move(other.impl_);
    }
    return *this;
}
Pop3Session::~Pop3Session() { close(); }

void Pop3Session::close() noexcept {
    if (impl_) impl_->close();
}

bool Pop3Session::is_open() const noexcept {
    if (!impl_) return false;
    const std::scoped_lock lock{impl_->mutex};
    return impl_->session != nullptr && !impl_->closing;
}

std::vector<std::uint32_t> Pop3Session::marked() const {
    if (!impl_) return {};
    const std::scoped_lock lock{impl_->mutex};
    return impl_->marked;
}

// Blocking calls keep what they use: the session may be let go of meanwhile, which ends them.

Pop3Capabilities Pop3Session::capabilities(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<Pop3Capabilities>(impl, impl->job("asking what is possible"), deadline,
                                            [](Session& s, Call& c) { return s.capabilities(c); });
}
Pop3Stat Pop3Session::stat(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<Pop3Stat>(impl, impl->job("counting messages"), deadline, [](Session& s, Call& c) { return s.stat(c); });
}
std::vector<Pop3Entry> Pop3Session::list(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<std::vector<Pop3Entry>>(impl, impl->job("listing"), deadline, [](Session& s, Call& c) { return s.list(c); });
}
std::vector<Pop3Entry> Pop3Session::uidl(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<std::vector<Pop3Entry>>(impl, impl->job("listing"), deadline, [](Session& s, Call& c) { return s.uidl(c); });
}
std::string Pop3Session::top(std::uint32_t number, std::uint32_t lines, Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<std::string>(impl, impl->job("looking at", subject_of(number)), deadline,
                                       [=](Session& s, Call& c) { return s.top(c, number, lines); });
}
std::string Pop3Session::retrieve(std::uint32_t number, Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<std::string>(impl, impl->job("retrieving", subject_of(number)), deadline,
                                       [=](Session& s, Call& c) { return s.retrieve(c, number); });
}
std::uint64_t Pop3Session::retrieve(std::uint32_t number, ByteSink& sink, Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<std::uint64_t>(impl, impl->job("retrieving", subject_of(number)), deadline,
                                         [number, &sink](Session& s, Call& c) { return s.retrieve_to(c, number, sink); });
}
void Pop3Session::mark_deleted(std::uint32_t number, Deadline deadline) { mark_deleted(std::vector<std::uint32_t>{number}, deadline); }
void Pop3Session::mark_deleted(const std::vector<std::uint32_t>& numbers, Deadline deadline) {
    const auto impl = Impl::of(impl_);
    Impl::blocking<Done>(impl, impl->job("deleting"), deadline, [&numbers](Session& s, Call& c) { return s.mark(c, numbers); });
}
void Pop3Session::reset(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    Impl::blocking<Done>(impl, impl->job("taking marks back"), deadline, [](Session& s, Call& c) { return s.reset(c); });
}
void Pop3Session::noop(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    Impl::blocking<Done>(impl, impl->job("asking for a sign of life"), deadline, [](Session& s, Call& c) { return s.noop(c); });
}
Pop3Committed Pop3Session::commit(Deadline deadline) {
    const auto impl = Impl::of(impl_);
    return Impl::blocking<Pop3Committed>(impl, impl->job("committing"), deadline, [](Session& s, Call& c) { return s.commit(c); });
}

Operation Pop3Session::async_capabilities(Deadline deadline, Callback<Pop3Capabilities> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<Pop3Capabilities>(impl, impl->job("asking what is possible"), deadline, std::move(callback),
                                             [](Session& s, Call& c) { return s.capabilities(c); });
}
Operation Pop3Session::async_stat(Deadline deadline, Callback<Pop3Stat> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<Pop3Stat>(impl, impl->job("counting messages"), deadline, std::move(callback),
                                     [](Session& s, Call& c) { return s.stat(c); });
}
Operation Pop3Session::async_list(Deadline deadline, Callback<std::vector<Pop3Entry>> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<std::vector<Pop3Entry>>(impl, impl->job("listing"), deadline, std::move(callback),
                                                   [](Session& s, Call& c) { return s.list(c); });
}
Operation Pop3Session::async_uidl(Deadline deadline, Callback<std::vector<Pop3Entry>> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<std::vector<Pop3Entry>>(impl, impl->job("listing"), deadline, std::move(callback),
                                                   [](Session& s, Call& c) { return s.uidl(c); });
}
Operation Pop3Session::async_top(std::uint32_t number, std::uint32_t lines, Deadline deadline, Callback<std::string> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<std::string>(impl, impl->job("looking at", subject_of(number)), deadline, std::move(callback),
                                        [=](Session& s, Call& c) { return s.top(c, number, lines); });
}
Operation Pop3Session::async_retrieve(std::uint32_t number, Deadline deadline, Callback<std::string> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<std::string>(impl, impl->job("retrieving", subject_of(number)), deadline, std::move(callback),
                                        [=](Session& s, Call& c) { return s.retrieve(c, number); });
}
Operation Pop3Session::async_retrieve(std::uint32_t number, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<std::uint64_t>(impl, impl->job("retrieving", subject_of(number)), deadline, std::move(callback),
                                          [number, sink = std::move(sink)](Session& s, Call& c) { return s.retrieve_to(c, number, *sink); });
}
Operation Pop3Session::async_mark_deleted(std::vector<std::uint32_t> numbers, Deadline deadline, Callback<void> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_void(impl, impl->job("deleting"), deadline, std::move(callback),
                            [numbers = std::move(numbers)](Session& s, Call& c) { return s.mark(c, numbers); });
}
Operation Pop3Session::async_reset(Deadline deadline, Callback<void> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_void(impl, impl->job("taking marks back"), deadline, std::move(callback), [](Session& s, Call& c) { return s.reset(c); });
}
Operation Pop3Session::async_noop(Deadline deadline, Callback<void> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_void(impl, impl->job("asking for a sign of life"), deadline, std::move(callback),
                            [](Session& s, Call& c) { return s.noop(c); });
}
Operation Pop3Session::async_commit(Deadline deadline, Callback<Pop3Committed> callback) {
    const auto& impl = Impl::of(impl_);
    return Impl::start_for<Pop3Committed>(impl, impl->job("committing"), deadline, std::move(callback),
                                          [](Session& s, Call& c) { return s.commit(c); });
}

// ---- the client ----

namespace {

/// A session of its own, for what is not more than one question.
/// @param work  Task<T>(Session&, Call&)
template <class T, class Work>
Task<T> in_one_session(std::shared_ptr<Pop3Core> core, std::shared_ptr<Call> call, Work work) {
    const Deadline by = net::deadline_of(core->settings->options.connect_timeout);
    const Gate::Ticket ticket = co_await core->gate->enter(*call, call->job().verb, by);
    const Deadline soon = net::deadline_of(core->settings->options.connect_timeout);
    std::unique_ptr<Session> session = co_await Session::open(*call, core->settings, soon);
    std::optional<T> result;
    std::exception_ptr failed;
    try {
        result = co_await work(*session, *call);
    } catch (...) { failed = std::current_exception(); }
    // Who logs in next shall not find the mailbox still locked.
    if (!failed && session->is_clean()) {
        try {
            co_await session->commit(*call);
        } catch (const Error&) {
            // The work is done.
        }
    }
    session->leave();
    if (failed) std::rethrow_exception(failed);
    co_return std::move(*result);
}

struct OpenedSession {
    Gate::Ticket ticket;
    std::unique_ptr<Session> session;
};

Task<OpenedSession> open_session(std::shared_ptr<Pop3Core> core, std::shared_ptr<Call> call, std::string holder) {
    const Deadline by = net::deadline_of(core->settings->options.connect_timeout);
    OpenedSession opened;
    opened.ticket = co_await core->gate->enter(*call, std::move(holder), by);
    const Deadline soon = net::deadline_of(core->settings->options.connect_timeout);
    opened.session = co_await Session::open(*call, core->settings, soon);
    core->park(*opened.session);
    co_return opened;
}

Task<Pop3Committed> remove_all(Session& session, Call& call, const std::vector<std::uint32_t>& numbers) {
    co_await session.mark(call, numbers);
    Pop3Committed committed = co_await session.commit(call);
    co_return committed;
}

Task<Pop3Committed> remove_by_uid(Session& session, Call& call, const std::vector<std::string>& uids) {
    const std::vector<Pop3Entry> all = co_await session.uidl(call);
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    for (const Pop3Entry& one : all) numbers.emplace(one.uid, one.number);
    std::vector<std::uint32_t> marks;
    for (const std::string& uid : uids) {
        const auto found = numbers.find(uid);
        if (found == numbers.end())
            throw mail::pop3::failure(
                call.job(), Pop3Errc::no_such_message, Reason::not_found,
                "there is no message with the unique id \"" + text::printable(text::shorten(uid, 80)) + "\"; nothing was deleted");
        marks.push_back(found->second);
    }
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    Pop3Committed committed = co_await remove_all(session, call, marks);
    co_return committed;
}

}  // namespace

struct Pop3Client::Impl {
    explicit Impl(std::shared_ptr<Pop3Core> c) : core{std::move(c)} {}
    const std::shared_ptr<Pop3Core> core;

    Job job(std::string_view verb, std::string_view subject = {}) const { return core->job(verb, subject); }

    template <class T, class Work>
    T blocking(Job job, Deadline deadline, Work work) {
        return core->calls.blocking<T>(std::move(job), deadline,
                                       [&](std::shared_ptr<Call> call) { return in_one_session<T>(core, std::move(call), work); });
    }
    template <class T, class Work, class Finish>
    Operation start(Job job, Deadline deadline, Work work, Finish finish) {
        return core->calls.start<T>(
            core, std::move(job), deadline,
            [core = core, work = std::move(work)](std::shared_ptr<Call> call) mutable {
                return in_one_session<T>(core, std::move(call), std::move(work));
            },
            std::move(finish));
    }
    template <class T, class Work>
    Operation start_for(Job job, Deadline deadline, Callback<T> callback, Work work) {
        return start<T>(std::move(job), deadline, std::move(work),
                        [callback = std::move(callback)](Result<T> outcome) mutable { callback(std::move(outcome)); });
    }
};

Pop3Client::Pop3Client(Pop3Options options, Runtime runtime) {
    auto settings = mail::pop3::settings_of(std::move(options), runtime);
    impl_ = std::make_shared<Impl>(std::make_shared<Pop3Core>(std::move(settings), std::move(runtime)));
}

Pop3Client::~Pop3Client() {
    impl_->core->calls.close();
    impl_->core->settings->dialogue->set_listener({});
}

std::string_view Pop3Client::label() const noexcept { return impl_->core->settings->options.label; }
const Pop3Options& Pop3Client::options() const noexcept { return impl_->core->settings->options; }
void Pop3Client::set_dialogue_listener(DialogueListener listener) { impl_->core->settings->dialogue->set_listener(std::move(listener)); }

namespace {
std::string holder_of(std::string_view given) { return given.empty() ? std::string{"open"} : std::string{given}; }
}  // namespace

Pop3Session Pop3Client::open(Deadline deadline, std::string_view holder) {
    const auto core = impl_->core;
    auto held = std::make_shared<Hold>(hold());
    return observed([&] {
        OpenedSession opened = core->calls.blocking<OpenedSession>(
            core->job("opening"), deadline, [&](std::shared_ptr<Call> call) { return open_session(core, std::move(call), holder_of(holder)); });
        auto impl = std::make_shared<Pop3Session::Impl>(core, std::move(opened.ticket), std::move(opened.session));
        impl->hold = std::move(held);
        return Pop3Session{std::move(impl)};
    });
}

Operation Pop3Client::async_open(Deadline deadline, Callback<Pop3Session> callback, std::string holder) {
    const auto core = impl_->core;
    auto held = std::make_shared<Hold>(hold());
    return core->calls.start<OpenedSession>(
        core, core->job("opening"), deadline,
        [core, holder = holder_of(holder)](std::shared_ptr<Call> call) { return open_session(core, std::move(call), holder); },
        [core, held = std::move(held), callback = under_way(std::move(callback))](Result<OpenedSession> opened) mutable {
            if (!opened) return callback(opened.error());
            OpenedSession got = std::move(opened).value();
            auto impl = std::make_shared<Pop3Session::Impl>(core, std::move(got.ticket), std::move(got.session));
            impl->hold = std::move(held);
            callback(Pop3Session{std::move(impl)});
        });
}

namespace {

/// What is referred to lives as long.
Task<Pop3Processed> process_with(std::shared_ptr<Pop3Core> core, std::shared_ptr<Call> call, const Pop3Handler& handler,
                                 const Pop3ProcessOptions& options) {
    Pop3Processed done = co_await mail::pop3::process(*call, core->settings, core->gate, handler, options);
    co_return done;
}

}  // namespace

Pop3Processed Pop3Client::process(const Pop3Handler& handler, const Pop3ProcessOptions& options, Deadline deadline) {
    const auto core = impl_->core;
    return observed([&] {
        return core->calls.blocking<Pop3Processed>(core->job("processing the mailbox"), deadline,
                                                   [&](std::shared_ptr<Call> call) { return process_with(core, std::move(call), handler, options); });
    });
}

namespace {

Task<Pop3Processed> process_held(std::shared_ptr<Pop3Core> core, std::shared_ptr<Call> call, Pop3Handler handler, Pop3ProcessOptions options) {
    Pop3Processed done = co_await mail::pop3::process(*call, core->settings, core->gate, handler, options);
    co_return done;
}

}  // namespace

Operation Pop3Client::async_process(Pop3Handler handler, Pop3ProcessOptions options, Deadline deadline, Callback<Pop3Processed> callback) {
    const auto core = impl_->core;
    return core->calls.start<Pop3Processed>(
        core, core->job("processing the mailbox"), deadline,
        [core, handler = std::move(handler), options = std::move(options)](std::shared_ptr<Call> call) mutable {
            return process_held(core, std::move(call), std::move(handler), std::move(options));
        },
        [callback = under_way(std::move(callback))](Result<Pop3Processed> outcome) mutable { callback(std::move(outcome)); });
}

Pop3Capabilities Pop3Client::capabilities(Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<Pop3Capabilities>(impl->job("asking what is possible"), deadline,
                                                [](Session& s, Call& c) { return s.capabilities(c); });
    });
}
Pop3Stat Pop3Client::stat(Deadline deadline) {
    const auto impl = impl_;
    return observed(
        [&] { return impl->blocking<Pop3Stat>(impl->job("counting messages"), deadline, [](Session& s, Call& c) { return s.stat(c); }); });
}
std::vector<Pop3Entry> Pop3Client::list(Deadline deadline) {
    const auto impl = impl_;
    return observed(
        [&] { return impl->blocking<std::vector<Pop3Entry>>(impl->job("listing"), deadline, [](Session& s, Call& c) { return s.list(c); }); });
}
std::vector<Pop3Entry> Pop3Client::uidl(Deadline deadline) {
    const auto impl = impl_;
    return observed(
        [&] { return impl->blocking<std::vector<Pop3Entry>>(impl->job("listing"), deadline, [](Session& s, Call& c) { return s.uidl(c); }); });
}
std::string Pop3Client::top(std::uint32_t number, std::uint32_t lines, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<std::string>(impl->job("looking at", subject_of(number)), deadline,
                                           [=](Session& s, Call& c) { return s.top(c, number, lines); });
    });
}
std::string Pop3Client::retrieve(std::uint32_t number, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<std::string>(impl->job("retrieving", subject_of(number)), deadline,
                                           [=](Session& s, Call& c) { return s.retrieve(c, number); });
    });
}
std::uint64_t Pop3Client::retrieve(std::uint32_t number, ByteSink& sink, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<std::uint64_t>(impl->job("retrieving", subject_of(number)), deadline,
                                             [number, &sink](Session& s, Call& c) { return s.retrieve_to(c, number, sink); });
    });
}
void Pop3Client::noop(Deadline deadline) {
    const auto impl = impl_;
    observed([&] { impl->blocking<Done>(impl->job("asking for a sign of life"), deadline, [](Session& s, Call& c) { return s.noop(c); }); });
}
Pop3Committed Pop3Client::remove(const std::vector<std::uint32_t>& numbers, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<Pop3Committed>(impl->job("deleting"), deadline, [&](Session& s, Call& c) { return remove_all(s, c, numbers); });
    });
}
Pop3Committed Pop3Client::remove_uids(const std::vector<std::string>& uids, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] {
        return impl->blocking<Pop3Committed>(impl->job("deleting"), deadline, [&](Session& s, Call& c) { return remove_by_uid(s, c, uids); });
    });
}

Operation Pop3Client::async_capabilities(Deadline deadline, Callback<Pop3Capabilities> callback) {
    return impl_->start_for<Pop3Capabilities>(impl_->job("asking what is possible"), deadline, under_way(std::move(callback)),
                                              [](Session& s, Call& c) { return s.capabilities(c); });
}
Operation Pop3Client::async_stat(Deadline deadline, Callback<Pop3Stat> callback) {
    return impl_->start_for<Pop3Stat>(impl_->job("counting messages"), deadline, under_way(std::move(callback)),
                                      [](Session& s, Call& c) { return s.stat(c); });
}
Operation Pop3Client::async_list(Deadline deadline, Callback<std::vector<Pop3Entry>> callback) {
    return impl_->start_for<std::vector<Pop3Entry>>(impl_->job("listing"), deadline, under_way(std::move(callback)),
                                                    [](Session& s, Call& c) { return s.list(c); });
}
Operation Pop3Client::async_uidl(Deadline deadline, Callback<std::vector<Pop3Entry>> callback) {
    return impl_->start_for<std::vector<Pop3Entry>>(impl_->job("listing"), deadline, under_way(std::move(callback)),
                                                    [](Session& s, Call& c) { return s.uidl(c); });
}
Operation Pop3Client::async_top(std::uint32_t number, std::uint32_t lines, Deadline deadline, Callback<std::string> callback) {
    return impl_->start_for<std::string>(impl_->job("looking at", subject_of(number)), deadline, under_way(std::move(callback)),
                                         [=](Session& s, Call& c) { return s.top(c, number, lines); });
}
Operation Pop3Client::async_retrieve(std::uint32_t number, Deadline deadline, Callback<std::string> callback) {
    return impl_->start_for<std::string>(impl_->job("retrieving", subject_of(number)), deadline, under_way(std::move(callback)),
                                         [=](Session& s, Call& c) { return s.retrieve(c, number); });
}
Operation Pop3Client::async_retrieve(std::uint32_t number, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback) {
    return impl_->start_for<std::uint64_t>(impl_->job("retrieving", subject_of(number)), deadline, under_way(std::move(callback)),
                                           [number, sink = std::move(sink)](Session& s, Call& c) { return s.retrieve_to(c, number, *sink); });
}
Operation Pop3Client::async_noop(Deadline deadline, Callback<void> callback) {
    return impl_->start<Done>(
        impl_->job("asking for a sign of life"), deadline, [](Session& s, Call& c) { return s.noop(c); },
        [callback = under_way(std::move(callback))](Result<Done> outcome) mutable { callback(void_of(outcome)); });
}
Operation Pop3Client::async_remove(std::vector<std::uint32_t> numbers, Deadline deadline, Callback<Pop3Committed> callback) {
    return impl_->start_for<Pop3Committed>(impl_->job("deleting"), deadline, under_way(std::move(callback)),
                                           [numbers = std::move(numbers)](Session& s, Call& c) { return remove_all(s, c, numbers); });
}
Operation Pop3Client::async_remove_uids(std::vector<std::string> uids, Deadline deadline, Callback<Pop3Committed> callback) {
    return impl_->start_for<Pop3Committed>(impl_->job("deleting"), deadline, under_way(std::move(callback)),
                                           [uids = std::move(uids)](Session& s, Call& c) { return remove_by_uid(s, c, uids); });
}

}  // namespace qconn
