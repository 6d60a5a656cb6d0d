// SPDX-License-Identifier: Apache-2.0
#include "core/secret_rotation.hpp"

#include <algorithm>
#include <utility>

#include "net/runtime_impl.hpp"

namespace qconn::core {

namespace {

constexpr std::chrono::seconds k_retry{10};

}  // namespace

SecretRotation::SecretRotation(Runtime runtime, std::function<void(std::vector<std::shared_ptr<Slot>>)> turn)
    : runtime_{std::move(runtime)}, turn_{std::move(turn)} {}

void SecretRotation::add(const std::shared_ptr<Slot>& slot, const Use& use) {
    {
        const std::scoped_lock lock{mutex_};
        const auto [at, fresh] = entries_.try_emplace(slot->name(), Entry{slot, use});
        Entry& entry = at->second;
        if (!fresh && (entry.use.build != use.build || entry.slot.lock() != slot)) {
            entry = {slot, use};
        } else if (!fresh) {
            if (use.plan != 0) entry.use.plan = entry.use.plan == 0 || entry.use.plan == use.plan ? use.plan : k_mixed;
            if (entry.use.files != use.files) entry.use.files = 0;
            entry.use.due = std::min(entry.use.due, use.due);
            entry.is_due = false;
        }
    }
    rearm(use.due);
}

void SecretRotation::set(const std::shared_ptr<Slot>& slot, const Use& use) {
    {
        const std::scoped_lock lock{mutex_};
        entries_.insert_or_assign(slot->name(), Entry{slot, use});
    }
    rearm(use.due);
}

void SecretRotation::retry(const Slot& slot) {
    const auto again = Clock::now() + k_retry;
    {
        const std::scoped_lock lock{mutex_};
        const auto found = entries_.find(slot.name());
        if (found == entries_.end()) return;
        Entry& entry = found->second;
        entry.use.files = 0;
        if (!entry.is_due) return;
        entry.is_due = false;
        entry.use.due = again;
    }
    rearm(again);
}

void SecretRotation::forget(std::string_view name) {
    const std::scoped_lock lock{mutex_};
    if (const auto found = entries_.find(name); found != entries_.end()) entries_.erase(found);
}

std::optional<SecretRotation::Use> SecretRotation::find(const Slot& slot) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(slot.name());
    return found == entries_.end() ? std::nullopt : std::optional{found->second.use};
}

std::vector<std::shared_ptr<Slot>> SecretRotation::used() const {
    std::vector<std::shared_ptr<Slot>> slots;
    const std::scoped_lock lock{mutex_};
    slots.reserve(entries_.size());
    for (const auto& [name, entry] : entries_)
        if (auto slot = entry.slot.lock()) slots.push_back(std::move(slot));
    return slots;
}

void SecretRotation::close() {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    entries_.clear();
    if (loop_) loop_->post([self = shared_from_this()] { self->timer_.reset(); });
}

void SecretRotation::rearm(Clock::time_point next) {
    const std::scoped_lock lock{mutex_};
    if (closed_ || next >= armed_) return;
    if (!loop_) loop_ = runtime_.impl().loop().shared_from_this();
    armed_ = next;
    loop_->post([self = shared_from_this(), next] {
        {
            const std::scoped_lock held{self->mutex_};
            if (self->closed_) return;
        }
        if (!self->timer_) self->timer_ = std::make_unique<net::Timer>(*self->loop_);
        self->timer_->arm(Deadline{next}, [weak = self->weak_from_this()] {
            if (const auto alive = weak.lock()) alive->fire();
        });
    });
}

void SecretRotation::fire() {
    std::vector<std::shared_ptr<Slot>> due;
    auto next = Clock::time_point::max();
    {
        const std::scoped_lock lock{mutex_};
        if (closed_) return;
        armed_ = Clock::time_point::max();
        const auto now = Clock::now();
        for (auto& [name, entry] : entries_) {
            if (entry.is_due) continue;
            if (entry.use.due > now) {
                next = std::min(next, entry.use.due);
                continue;
            }
            entry.is_due = true;
            if (auto slot = entry.slot.lock()) due.push_back(std::move(slot));
        }
    }
    if (!due.empty()) runtime_.post_blocking([self = shared_from_this(), due = std::move(due)] { self->turn_(due); });
    rearm(next);
}

}  // namespace qconn::core
