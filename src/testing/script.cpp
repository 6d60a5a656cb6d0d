// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/script.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace qconn::testing {

Answer ok(Value value) {
    Answer answer;
    answer.value = std::move(value);
    return answer;
}
Answer failed(Phase phase, Reason reason, std::string text) {
    Answer answer;
    answer.phase = phase;
    answer.reason = reason;
    answer.text = std::move(text);
    return answer;
}
Answer refused() { return failed(Phase::connect, Reason::refused, "the script says that nothing listens there"); }
Answer timed_out() { return failed(Phase::protocol, Reason::timeout, "the script says that no answer came in time"); }
Answer denied() { return failed(Phase::auth, Reason::denied, "the script says that the log-in is refused"); }
Answer inconclusive() { return failed(Phase::connect, Reason::local, "the script says that this machine is in trouble"); }

Error to_error(const Answer& answer, const std::string& connection) {
    std::string text = answer.text;
    if (text.empty()) text = "the script says " + std::string{to_string(answer.phase)} + ", " + std::string{to_string(answer.reason)};
    return make_error(answer.reason == Reason::timeout ? Errc::timeout : Errc::system, '"' + connection + "\": " + text)
        .with_connection(connection)
        .with_phase(answer.phase)
        .with_reason(answer.reason);
}

namespace {

/// Answers, the last of which repeats.
struct Script {
    std::vector<Answer> answers{Answer{}};
    std::size_t at{0};
    std::size_t count{0};

    void set(std::vector<Answer> script) {
        answers = std::move(script);
        if (answers.empty()) answers.emplace_back();
        at = 0;
    }
    Answer next() {
        ++count;
        const Answer answer = answers[at];
        if (at + 1 < answers.size()) ++at;
        return answer;
    }
};

}  // namespace

struct RemoteEnd::State {
    std::mutex mutex;
    std::condition_variable changed;
    Script pings;
    Script calls;
    bool hangs{false};
};

RemoteEnd::RemoteEnd() : state_{std::make_shared<State>()} {}

void RemoteEnd::pings(std::vector<Answer> script) {
    const std::scoped_lock lock{state_->mutex};
    state_->pings.set(std::move(script));
}
void RemoteEnd::calls(std::vector<Answer> script) {
    const std::scoped_lock lock{state_->mutex};
    state_->calls.set(std::move(script));
}
void RemoteEnd::set(const Answer& always) {
    const std::scoped_lock lock{state_->mutex};
    state_->pings.set({always});
    state_->calls.set({always});
}
void RemoteEnd::hang() {
    const std::scoped_lock lock{state_->mutex};
    state_->hangs = true;
}
void RemoteEnd::let_go() {
    const std::scoped_lock lock{state_->mutex};
    state_->hangs = false;
    state_->changed.notify_all();
}
bool RemoteEnd::hangs() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->hangs;
}

std::size_t RemoteEnd::ping_count() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->pings.count;
}
std::size_t RemoteEnd::call_count() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->calls.count;
}
Answer RemoteEnd::next_ping() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->pings.next();
}
Answer RemoteEnd::next_call() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->calls.next();
}

void RemoteEnd::wait(const Answer& answer, const std::string& connection, Deadline deadline, const std::function<bool()>& given_up) const {
    std::unique_lock lock{state_->mutex};
    const Clock::time_point due = Clock::now() + answer.latency;
    const auto is_over = [&] { return deadline.has_passed() || (given_up && given_up()); };
    const auto wait_until = [&](Deadline until, const auto& goes_on) {
        if (until.is_never())
            state_->changed.wait(lock, goes_on);
        else
            state_->changed.wait_until(lock, until.when(), goes_on);
    };
    wait_until(earlier(Deadline{due}, deadline), is_over);
    wait_until(deadline, [&] { return !state_->hangs || is_over(); });
    if (given_up && given_up()) throw make_error(Errc::cancelled, "a call of \"" + connection + "\" was cancelled").with_connection(connection);
    if (is_over()) throw to_error(timed_out(), connection);
}

void RemoteEnd::wake() const {
    const std::scoped_lock lock{state_->mutex};
    state_->changed.notify_all();
}

}  // namespace qconn::testing
