// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/diary.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace qconn::testing {

struct Diary::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::string text;
};

Diary::Diary() : state_{std::make_shared<State>()} {}

InterfaceOptions Diary::options(std::string name, std::vector<std::string> provides) const {
    InterfaceOptions options;
    options.start = [self = *this, what = '+' + name] { self.add(what); };
    options.stop = [self = *this, what = '-' + name] { self.add(what); };
    options.name = std::move(name);
    options.provides = std::move(provides);
    return options;
}

void Diary::add(std::string_view what) const {
    const std::scoped_lock lock{state_->mutex};
    state_->text.append(state_->text.empty() ? "" : " ").append(what);
    state_->changed.notify_all();
}

std::string Diary::text() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->text;
}

void Diary::clear() const {
    const std::scoped_lock lock{state_->mutex};
    state_->text.clear();
    state_->changed.notify_all();
}

bool Diary::wait_for(std::string_view text, Deadline deadline) const {
    std::unique_lock lock{state_->mutex};
    const auto holds = [&] { return state_->text == text; };
    if (!deadline.is_never()) return state_->changed.wait_until(lock, deadline.when(), holds);
    state_->changed.wait(lock, holds);
    return true;
}

}  // namespace qconn::testing
