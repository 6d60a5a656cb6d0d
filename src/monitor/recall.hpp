// SPDX-License-Identifier: Apache-2.0
/// What an earlier run of the monitor left, while the connections come to take up what is theirs. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "monitor/kept_state.hpp"

namespace qconn::monitor {

class Recall {
public:
    explicit Recall(KeptState state);

    /// When it was left.
    std::chrono::system_clock::time_point written() const noexcept { return head_.written; }
    std::uint64_t last_alert() const noexcept { return head_.last_alert; }
    std::uint64_t last_outage() const noexcept { return head_.last_outage; }

    /// What was known of it; it is the caller's from then on.
    std::optional<KeptConnection> take(const std::string& name);
    const KeptOutage* outage(std::uint64_t id) const;
    const std::map<std::uint64_t, KeptOutage>& outages() const noexcept { return outages_; }
    /// The one that stood; it is the caller's from then on.
    std::optional<Alert> take_alert(std::string_view type, const std::string& name);
    /// Those that nobody has taken, in the order in which they were raised.
    std::vector<Alert> take_alerts();

private:
    KeptHead head_;
    std::unordered_map<std::string, KeptConnection> connections_;
    std::map<std::uint64_t, KeptOutage> outages_;
    std::map<std::pair<std::string, std::string>, Alert, std::less<>> alerts_;  // by name, type
};

}  // namespace qconn::monitor
