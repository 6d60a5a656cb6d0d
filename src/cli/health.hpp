// SPDX-License-Identifier: Apache-2.0
/// What `qconn doctor` makes of what it has seen of this machine. Pure: the facts come from elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/core/build_info.hpp>
#include <qconn/net/trust.hpp>

namespace qconn::cli {

enum class Health { ok, warning, problem };
std::string_view to_string(Health health) noexcept;

/// What one check has come to.
struct Finding {
    std::string check;
    Health health{Health::ok};
    std::string found{};
    /// What to do. Empty where all is well.
    std::string advice{};
};

Finding judge_libraries(const BuildInfo& build);
Finding judge_trust(const SystemTrust& trust);

struct ResolverFacts {
    /// Text of resolv.conf; absent where it cannot be read.
    std::optional<std::string> configuration;
    /// How long it took to look up localhost; absent where it took too long.
    std::optional<std::chrono::nanoseconds> time;
    /// The resolver's words where it found nothing.
    std::string error;
};
/// Addresses of the `nameserver` lines.
std::vector<std::string> nameservers(std::string_view configuration);
Finding judge_resolver(const ResolverFacts& facts);

/// @param variables  those that are set, by name. Passwords in them are not shown
Finding judge_proxies(const std::vector<std::pair<std::string, std::string>>& variables);

struct ClockFacts {
    std::chrono::system_clock::time_point now;
    /// By how much the clock of the wall went on more than the monotonic one while the other checks ran.
    std::chrono::nanoseconds drift{0};
    /// Whether the kernel takes it for synchronised; absent where it does not say.
    std::optional<bool> synchronised;
    /// "CET, UTC+01:00".
    std::string zone;
    /// What TZ names and the system does not know; empty: nothing.
    std::string unknown_zone;
};
Finding judge_clock(const ClockFacts& facts);

/// @param soft, hard  RLIMIT_NOFILE
Finding judge_files(std::uint64_t soft, std::uint64_t hard, std::size_t connections);

/// @param range  text of ip_local_port_range; absent where it cannot be read
Finding judge_ports(const std::optional<std::string>& range, std::size_t connections);

struct WatchFacts {
    std::optional<std::uint64_t> most_watches;
    std::optional<std::uint64_t> most_instances;
    std::size_t places{0};
    /// What the system said to an attempt to watch them; empty: it went well.
    std::string error;
};
Finding judge_watches(const WatchFacts& facts);

struct StateFacts {
    std::string file;  ///< empty: none is named
    bool exists{false};
    /// Why it cannot be read, or is none; empty: it can.
    std::string unreadable;
    /// Why it cannot be replaced; empty: it can.
    std::string unwritable;
};
Finding judge_state(const StateFacts& facts);

}  // namespace qconn::cli
