// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_process.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "net/exchange.hpp"

namespace qconn::mail::pop3 {
namespace {

/// What is asked for ahead of its turn, in bytes: it has to be read even where the handler says stop.
constexpr std::uint64_t k_ahead = std::uint64_t{1} << 20U;

/// One mailbox on its way to a handler, over as many sessions as it takes.
class Processing {
public:
    Processing(const Settings& settings, const Pop3Handler& handler, const Pop3ProcessOptions& options)
        : settings_{settings}, handler_{handler}, options_{options} {}

    Pop3Processed done;
    std::exception_ptr handler_failed;
    bool is_over{false};

    /// A session from its first command to its commit. @throws Error whatever ends it
    Task<Done> run(Session& session, Call& call) {
        std::vector<std::uint32_t> marks;
        std::vector<Pop3Entry> entries = co_await session.list(call);
        has_uids_ = session.has_uids() && std::all_of(entries.begin(), entries.end(), [](const Pop3Entry& one) { return !one.uid.empty(); });
        std::vector<Pop3Entry> wanted = select(call, std::move(entries), marks);
        co_await hand_over(session, call, wanted, marks);
        if (!marks.empty()) co_await session.mark(call, marks);
        co_await session.commit(call);
        uncommitted_.clear();
        co_return Done{};
    }

    /// It broke. @returns whether another session can take up where this one ended
    bool may_go_on(const Error& error) {
        if (!has_uids_) return false;
        const bool broke = error.spoils_connection() || error.code() == Pop3Errc::commit_unknown || error.reason() == Reason::timeout ||
                           error.reason() == Reason::reset || error.reason() == Reason::closed;
        if (!broke) return false;
        if (progress_) failures_ = 0;
        progress_ = false;
        return failures_++ < options_.reconnects;
    }

    Error with_uncommitted(Error error) const {
        auto detail = std::make_shared<Pop3ErrorDetail>();
        if (const auto* known = error.detail<Pop3ErrorDetail>()) *detail = *known;
        detail->uncommitted.assign(uncommitted_.begin(), uncommitted_.end());
        std::sort(detail->uncommitted.begin(), detail->uncommitted.end());
        error.with_detail(std::move(detail));
        return error;
    }
    bool has_uncommitted() const noexcept { return !uncommitted_.empty(); }

private:
    /// What is to be retrieved; what is to be deleted without that goes to `marks`.
    std::vector<Pop3Entry> select(Call& call, std::vector<Pop3Entry> entries, std::vector<std::uint32_t>& marks) {
        std::vector<Pop3Entry> wanted;
        for (Pop3Entry& one : entries) {
            if (has_uids_ && uncommitted_.contains(one.uid)) {
                marks.push_back(one.number);  // taken before, in a session that did not come to its commit
                continue;
            }
            if (stopping_ || (has_uids_ && left_.contains(one.uid))) continue;
            const auto choice = options_.choose ? of_caller(call.job(), [&] { return options_.choose(one); }) : Pop3Choice::retrieve;
            if (choice == Pop3Choice::remove) {
                marks.push_back(one.number);
                ++done.removed;
                if (has_uids_) uncommitted_.insert(one.uid);
            } else if (choice == Pop3Choice::leave) {
                leave(one, done.left);
            } else if (one.size > settings_.options.max_mail_size) {
                leave(one, done.too_large);
            } else {
                wanted.push_back(std::move(one));
            }
        }
        return wanted;
    }

    void leave(const Pop3Entry& one, std::size_t& count) {
        ++count;
        if (has_uids_) left_.insert(one.uid);
    }

    /// How many more may be taken in this session.
    std::size_t room(std::size_t taken_here) const noexcept {
        std::size_t most = has_uids_ ? std::max<std::size_t>(options_.batch, 1) : static_cast<std::size_t>(-1);
        most -= std::min(most, taken_here);
        if (options_.most > 0) most = std::min(most, options_.most - std::min(options_.most, done.taken));
        return most;
    }

    Task<Done> hand_over(Session& session, Call& call, const std::vector<Pop3Entry>& wanted, std::vector<std::uint32_t>& marks) {
        const std::size_t window = session.window();
        std::size_t asked = 0;
        std::size_t next = 0;
        std::size_t taken = 0;
        std::uint64_t ahead = 0;  // bytes that were asked for and have not come
        Pop3Message message;
        is_over = true;
        while (next < wanted.size()) {
            const std::size_t most = room(taken);
            if (most == 0) {
                is_over = options_.most > 0 && done.taken >= options_.most;
                break;
            }
            if (asked - next <= window / 2) {
                std::vector<std::uint32_t> numbers;
                while (asked < wanted.size() && asked - next < std::min(window, most) && (asked == next || ahead + wanted[asked].size <= k_ahead)) {
                    ahead += wanted[asked].size;
                    numbers.push_back(wanted[asked++].number);
                }
                if (!numbers.empty()) co_await session.ask_for(call, numbers);
            }
            const Pop3Entry& entry = wanted[next];
            const bool there = co_await session.next_message(call, entry.number, entry.size, message.text);
            ++next;
            ahead -= entry.size;
            if (!there) {
                leave(entry, done.left);
                continue;
            }
            done.bytes += message.text.size();
            progress_ = true;
            message.entry = entry;
            Pop3Verdict verdict = Pop3Verdict::stop;
            try {
                verdict = of_caller(call.job(), [&] { return handler_(message); });
            } catch (...) { handler_failed = std::current_exception(); }
            if (verdict == Pop3Verdict::taken) {
                marks.push_back(entry.number);
                if (has_uids_) uncommitted_.insert(entry.uid);
                ++done.taken;
                ++taken;
            } else if (verdict == Pop3Verdict::leave) {
                leave(entry, done.left);
            } else {
                if (!handler_failed) ++done.left;
                stopping_ = true;
                break;
            }
        }
        if (asked > next) co_await session.skip_messages(call, asked - next);
        co_return Done{};
    }

    const Settings& settings_;
    const Pop3Handler& handler_;
    const Pop3ProcessOptions& options_;
    std::unordered_set<std::string> uncommitted_;  // unique ids of what is to be deleted
    std::unordered_set<std::string> left_;         // likewise of what is not to be offered again
    bool has_uids_{false};
    bool stopping_{false};  // nothing more is offered, only committed
    bool progress_{false};  // since the last failure
    std::size_t failures_{0};
};

}  // namespace

Task<Pop3Processed> process(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<Gate> gate, const Pop3Handler& handler,
                            const Pop3ProcessOptions& options) {
    const Deadline by = net::deadline_of(settings->options.connect_timeout);
    const Gate::Ticket ticket = co_await gate->enter(call, "process", by);
    Processing processing{*settings, handler, options};
    while (!processing.is_over || processing.has_uncommitted()) {
        std::unique_ptr<Session> session;
        std::optional<Error> failed;
        try {
            const Deadline soon = net::deadline_of(settings->options.connect_timeout);
            session = co_await Session::open(call, settings, soon);
            ++processing.done.sessions;
            co_await processing.run(*session, call);
        } catch (const Error& error) { failed = error; }
        if (!failed) continue;
        if (session) session->leave();
        if (processing.may_go_on(*failed)) {
            processing.is_over = false;
            continue;
        }
        throw processing.with_uncommitted(std::move(*failed));
    }
    if (processing.handler_failed) std::rethrow_exception(processing.handler_failed);
    co_return processing.done;
}

}  // namespace qconn::mail::pop3
