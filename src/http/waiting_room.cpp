// SPDX-License-Identifier: Apache-2.0
#include "http/waiting_room.hpp"

namespace qconn::http {

std::uint64_t WaitingRoom::next_number() {
    const std::scoped_lock lock{mutex_};
    return ++last_;
}

bool WaitingRoom::enter(std::uint64_t number, Operation operation) {
    {
        const std::scoped_lock lock{mutex_};
        if (driver_ != nullptr) {
            if (!operation.done()) waiting_.insert_or_assign(number, std::move(operation));
            return true;
        }
    }
    operation.cancel();
    return false;
}

void WaitingRoom::leave(std::uint64_t number) {
    const std::scoped_lock lock{mutex_};
    waiting_.erase(number);
}

std::optional<Operation> WaitingRoom::start(std::shared_ptr<net::CurlTransfer> transfer) {
    const std::scoped_lock lock{mutex_};
    if (driver_ == nullptr) return std::nullopt;
    return driver_->start(std::move(transfer));
}

bool WaitingRoom::admit() {
    const std::scoped_lock lock{mutex_};
    if (driver_ == nullptr) return false;
    ++guests_;
    return true;
}

WaitingRoom::Guest::Guest(WaitingRoom& room) : open{room.admit()}, room_{room} {}

WaitingRoom::Guest::~Guest() {
    if (!open) return;
    const std::scoped_lock lock{room_.mutex_};
    if (--room_.guests_ == 0) room_.changed_.notify_all();
}

bool WaitingRoom::sleep_until(Clock::time_point when) {
    std::unique_lock lock{mutex_};
    return !changed_.wait_until(lock, when, [this] { return driver_ == nullptr; });
}

void WaitingRoom::close() {
    std::map<std::uint64_t, Operation> waiting;
    {
        const std::scoped_lock lock{mutex_};
        driver_ = nullptr;
        waiting.swap(waiting_);
        changed_.notify_all();
    }
    for (auto& [number, operation] : waiting) operation.cancel();
}

void WaitingRoom::wait_for_guests() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return guests_ == 0; });
}

}  // namespace qconn::http
