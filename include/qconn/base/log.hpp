// SPDX-License-Identifier: Apache-2.0
/// What the library tells about its own decisions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

QCONN_API std::string_view to_string(LogLevel level) noexcept;

/// One thing that happened. Holds no secret.
struct LogRecord {
    LogLevel level{LogLevel::info};
    /// Name of the connection it is about; may be empty.
    std::string_view connection;
    /// Short stable name of what happened: "reload", "tls-verify-off", "listener-threw".
    std::string_view event;
    /// A sentence for people.
    std::string_view text;
    std::vector<std::pair<std::string_view, std::string>> fields;
};

/// Called for records of its level and above, from any thread, also at the same time from several; the views live for the call.
using LogSink = std::function<void(const LogRecord&)>;

/// Replaces the process's default log: warnings and errors, one line each on standard error. An empty sink drops everything.
/// A Runtime may have a log of its own. Thread-safe; a record under way may still reach the former sink.
QCONN_API void set_default_log(LogLevel level, LogSink sink);

/// Level and sink together; a cheap copy of a shared state. Thread-safe.
class QCONN_API Log {
public:
    /// Follows the process's default, also when that changes later.
    Log() noexcept = default;
    Log(LogLevel level, LogSink sink);

    bool enabled(LogLevel level) const noexcept;
    /// Does nothing below the level. What the sink throws is swallowed.
    void write(const LogRecord& record) const noexcept;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

}  // namespace qconn
