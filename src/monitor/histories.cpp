// SPDX-License-Identifier: Apache-2.0
#include "monitor/histories.hpp"

namespace qconn::monitor {

HistoryTime Histories::time_of(Moment now) const {
    const auto passed = std::chrono::duration_cast<std::chrono::system_clock::duration>(now.mono - origin_->mono);
    return std::chrono::floor<std::chrono::milliseconds>(origin_->wall + passed);
}

void Histories::begin(const std::shared_ptr<Cell>& cell, Moment now, const Kept* before) {
    if (!remember_) return;
    if (!origin_) origin_ = now;
    History history = before != nullptr ? History{before->shown, before->up_time, time_of(now)} : History{time_of(now)};
    waiting_.emplace_back(cell, [history = std::move(history)](Cell& one) mutable { one.history = std::move(history); });
    flush();
}

bool Histories::flush() {
    if (waiting_.empty()) return true;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    for (auto& [cell, change] : waiting_) change(*cell);
    waiting_.clear();
    return true;
}

ConnectionHistory Histories::read(const Cell& cell, Moment now) const {
    const std::scoped_lock lock{mutex_};
    return cell.history ? cell.history->read(time_of(now)) : ConnectionHistory{};
}

std::optional<Histories::Kept> Histories::keep(const Cell& cell, Moment now) const {
    const std::scoped_lock lock{mutex_};
    if (!cell.history) return std::nullopt;
    return Kept{cell.history->read(time_of(now)), cell.history->keep(time_of(now))};
}

}  // namespace qconn::monitor
