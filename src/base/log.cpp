// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/log.hpp>

#include <atomic>
#include <mutex>
#include <string>

#include <unistd.h>

#include "base/redaction.hpp"

namespace qconn {

struct Log::State {
    LogLevel level;
    LogSink sink;
};

namespace {

struct Default {
    std::atomic<LogLevel> level{LogLevel::warning};
    std::mutex mutex;
    std::shared_ptr<const LogSink> sink;  // guarded by mutex; null: the built-in one
};

// Never destroyed: threads that end after main may still log.
Default& process_default() {
    static auto* instance = new Default;
    return *instance;
}

void write_to_stderr(const LogRecord& record) {
    std::string line{"qconn: "};
    line += to_string(record.level);
    line += ": ";
    if (!record.connection.empty()) line.append("\"").append(record.connection).append("\": ");
    line += record.text;
    if (!record.event.empty()) line.append(" [").append(record.event).append("]");
    for (const auto& [name, value] : record.fields) line.append(" ").append(name).append("=").append(value);
    line += '\n';
    // One write, so that lines of several threads do not mix. A log that cannot be written has nobody to tell.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
    static constexpr std::string_view k_names[] = {"debug", "info", "warning", "error", "off"};
    return k_names[static_cast<std::size_t>(level)];
}

void set_default_log(LogLevel level, LogSink sink) {
    auto& d = process_default();
    auto shared = std::make_shared<const LogSink>(std::move(sink));
    const std::lock_guard lock{d.mutex};
    d.sink.swap(shared);
    d.level.store(level, std::memory_order_relaxed);
}

Log::Log(LogLevel level, LogSink sink) : state_{std::make_shared<const State>(State{level, std::move(sink)})} {}

bool Log::enabled(LogLevel level) const noexcept {
    const auto limit = state_ ? state_->level : process_default().level.load(std::memory_order_relaxed);
    return level >= limit && limit != LogLevel::off;
}

void Log::write(const LogRecord& given) const noexcept {
    if (!enabled(given.level)) return;
    try {
        LogRecord record = given;
        const std::string text = redacted(given.connection, std::string{given.text});
        record.text = text;
        for (auto& [name, value] : record.fields) value = redacted(given.connection, std::move(value));
        if (state_) {
            if (state_->sink) state_->sink(record);
            return;
        }
        std::shared_ptr<const LogSink> sink;
        {
            auto& d = process_default();
            const std::lock_guard lock{d.mutex};
            sink = d.sink;
        }
        if (!sink)
            write_to_stderr(record);
        else if (*sink)
            (*sink)(record);
    } catch (...) {  // documented: what a sink throws is swallowed
    }
}

}  // namespace qconn
