// SPDX-License-Identifier: Apache-2.0
#include "file/operation.hpp"

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::file {

void Stop::check(const Task& task) const {
    if ((call_ != nullptr && call_->load() == k_done) || (closed_ != nullptr && closed_->load())) throw stopped(task, true);
    if (deadline_.has_passed()) throw stopped(task, false);
}

void Stop::commit(const Task& task) const {
    check(task);
    int open = k_open;
    if (call_ != nullptr && !call_->compare_exchange_strong(open, k_committed) && open == k_done) throw stopped(task, true);
}

/// The timer of one call. Made, used and destroyed on its loop's thread.
struct Call::Alarm {
    explicit Alarm(net::Loop& l) : loop{l.shared_from_this()} {}
    std::shared_ptr<net::Loop> loop;
    std::optional<net::Timer> timer{};
};

Call::Call(Runtime runtime, std::string label, std::string directory, std::string verb, std::string path, Deadline deadline)
    : runtime_{std::move(runtime)},
      label_{std::move(label)},
      directory_{std::move(directory)},
      verb_{std::move(verb)},
      path_{std::move(path)},
      deadline_{deadline} {}

Call::~Call() {
    // The timer was made on its loop, by something posted that may even come after this.
    if (alarm_) alarm_->loop->post([alarm = alarm_] { alarm->timer.reset(); });
}

void Call::start(Work work, Finish finish, UniqueFunction<void()> gone) {
    finish_ = std::move(finish);
    gone_ = std::move(gone);
    net::RuntimeImpl& runtime = runtime_.impl();
    if (!deadline_.is_never()) {
        alarm_ = std::make_shared<Alarm>(runtime.loop());
        alarm_->loop->post([alarm = alarm_, weak = weak_from_this(), deadline = deadline_] {
            if (weak.expired()) return;
            alarm->timer.emplace(*alarm->loop).arm(deadline, [weak] {
                if (const auto call = weak.lock()) call->expire();
            });
        });
    }
    // The work keeps the call, and with it the runtime, until it has run.
    runtime.post_blocking([self = shared_from_this(), work = std::move(work)]() mutable {
        if (self->done()) return;
        std::optional<Error> error;
        try {
            work(Stop{self->deadline_, &self->state_});
        } catch (const Error& thrown) { error = thrown; } catch (const std::exception& thrown) {  // bad_alloc
            error = file_error(self->task(), FileErrc::failed, Reason::local, thrown.what());
        }
        if (self->state_.exchange(k_done) != k_done) self->deliver(std::move(error));
    });
}

void Call::cancel() noexcept {
    int open = k_open;
    if (state_.compare_exchange_strong(open, k_done)) deliver(stopped(task(), true));
}

void Call::expire() {
    const int before = state_.exchange(k_done);
    if (before != k_done) deliver(stopped(task(), false, before == k_committed ? "; whether it took effect is not known" : ""));
}

// For the one that has set k_done.
void Call::deliver(std::optional<Error> error) {
    gone_();
    net::Loop& loop = alarm_ ? *alarm_->loop : runtime_.impl().loop();
    loop.post([self = shared_from_this(), finish = std::move(finish_), error = std::move(error)]() mutable {
        if (self->alarm_) self->alarm_->timer.reset();
        finish(std::move(error));
    });
}

void Calls::add(const std::shared_ptr<Call>& call) {
    const std::scoped_lock lock{guard_};
    calls_.emplace(call.get(), call);
}

void Calls::remove(const Call* call) {
    const std::scoped_lock lock{guard_};
    calls_.erase(call);
}

void Calls::cancel_all() {
    std::unordered_map<const Call*, std::weak_ptr<Call>> all;
    {
        const std::scoped_lock lock{guard_};
        all.swap(calls_);
    }
    for (const auto& [key, weak] : all) {
        if (const auto call = weak.lock()) call->cancel();
    }
}

}  // namespace qconn::file
