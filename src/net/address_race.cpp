// SPDX-License-Identifier: Apache-2.0
#include "net/address_race.hpp"

#include <cerrno>
#include <system_error>

#include "net/local_fault.hpp"

namespace qconn::net {

std::optional<std::size_t> AddressRace::next(Clock::time_point now) {
    if (begun_ == addresses_.size()) return std::nullopt;
    if (!at_once_ && now < last_begin_ + k_stagger) return std::nullopt;
    at_once_ = false;
    last_begin_ = now;
    entries_[begun_].begun = true;
    return begun_++;
}

Deadline AddressRace::wake() const noexcept { return begun_ == addresses_.size() ? Deadline{} : Deadline{last_begin_ + k_stagger}; }

void AddressRace::failed(std::size_t index, int system_error) {
    if (entries_[index].error) return;
    entries_[index].error = system_error;
    ++failed_;
    at_once_ = true;
}

bool AddressRace::is_lost() const noexcept { return failed_ == addresses_.size(); }

std::string AddressRace::report() const {
    std::string text;
    for (std::size_t i = 0; i < begun_; ++i) {
        if (!text.empty()) text += ", ";
        text += addresses_[i].to_string() + ": ";
        text += entries_[i].error ? std::generic_category().message(*entries_[i].error) : "no answer";
    }
    return text;
}

Reason AddressRace::reason() const noexcept {
    const auto rank = [](int error) {
        // Without IPv6 (or IPv4) on this machine the addresses of that family fail with EADDRNOTAVAIL: that hides nothing.
        if (error == EADDRNOTAVAIL) return 2;
        if (is_local_fault(error)) return 7;
        switch (reason_of(error)) {
            case Reason::refused: return 6;
            case Reason::reset: return 5;
            case Reason::timeout: return 4;
            case Reason::unreachable:
            case Reason::unsupported: return 1;
            default: return 3;
        }
    };
    int best = 0;
    Reason reason = Reason::none;
    for (const auto& entry : entries_) {
        if (!entry.error || rank(*entry.error) <= best) continue;
        best = rank(*entry.error);
        reason = reason_of(*entry.error);
    }
    return reason;
}

}  // namespace qconn::net
