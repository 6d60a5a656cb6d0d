// SPDX-License-Identifier: Apache-2.0
/// What a monitor keeps in its state file, and the text of it. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/result.hpp>
#include <qconn/monitor/snapshot.hpp>

#include "monitor/histories.hpp"
#include "monitor/outages.hpp"

namespace qconn::monitor {

/// A connection, with what a later run needs beside what is shown.
struct KeptConnection {
    ConnectionStatus status;
    /// Of what its pings depend on; zero: not known.
    std::uint64_t configuration{0};
    std::optional<ServerCertificate> certificate;
    std::optional<Histories::Kept> history;
    std::vector<Credential> credentials{};
};

/// What is of none of them.
struct KeptHead {
    std::chrono::system_clock::time_point written;
    bool running{false};
    bool manage_interfaces{true};
    std::vector<std::string> disabled_groups;
    /// The highest that were given.
    std::uint64_t last_alert{0};
    std::uint64_t last_outage{0};
};

struct KeptState {
    KeptHead head;
    std::vector<KeptConnection> connections;
    std::vector<Alert> alerts;
    std::vector<KeptOutage> outages;
    std::vector<Event> timeline;
    std::vector<InterfaceInfo> interfaces;
    std::vector<WhyStopped> why_stopped;

    void add(KeptConnection one) { connections.push_back(std::move(one)); }
    void add(Alert one) { alerts.push_back(std::move(one)); }
    void add(KeptOutage one) { outages.push_back(std::move(one)); }
    void add(Event one) { timeline.push_back(std::move(one)); }
    void add(InterfaceInfo one) { interfaces.push_back(std::move(one)); }
    void add(WhyStopped one) { why_stopped.push_back(std::move(one)); }
};

/// JSON of one line each, so that it is written and read without ever being in memory as a whole: the first is the head and names form and version,
/// the last counts the others, so that a part is no whole. A member that is not there is zero, empty or false.
class StateText {
public:
    explicit StateText(const KeptHead& head);
    void add(const KeptConnection& one);
    void add(const Alert& one);
    void add(const KeptOutage& one);
    void add(const Event& one);
    void add(const InterfaceInfo& one);
    void add(const WhyStopped& one);
    void end();
    /// What has come since this was last asked.
    std::string take();
    std::size_t size() const noexcept { return text_.size(); }

private:
    template <class T>
    void line(std::string_view name, const T& value);

    std::string text_;
    std::uint64_t lines_{0};
};

/// Lines and members that are not known are left out, values that cannot be are zero.
/// @returns PARSE-ERROR, which says what is wrong in which line; of reason `unsupported` where it is of a later version
Result<KeptState> read_state(std::string_view text);

/// The certificates of all, what expires first comes first.
void sort_by_date(std::vector<ConnectionCertificate>& certificates);
MonitorSnapshot snapshot_of(KeptState state);

}  // namespace qconn::monitor
